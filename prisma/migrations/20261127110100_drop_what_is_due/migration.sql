-- Before each round of mails, so every few seconds: looks only at reminders whose turn has come, and at so many of them that
-- other mails do not wait. After a roll-out tens of thousands are due on one morning, and looking at all took four seconds.
create or replace function app.drop_expiry_mails(at timestamptz) returns integer language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  dropped integer;
begin
  update app.mail m set state = 'dropped', leased_until = null, last_error = 'no longer needed'
  where m.id in (
      select w.id from app.mail w where w.state = 'due' and w.next_attempt_at <= at and w.kind in ('expiry', 'renew-now')
      order by w.next_attempt_at, w.id limit 2000)
    and m.state = 'due' and (m.leased_until is null or m.leased_until <= at)
    and not exists (select from app.reminder_items(m.id, at));
  get diagnostics dropped = row_count;
  return dropped;
end $$;
