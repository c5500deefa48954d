-- The few that are looked at come first: whether anybody needs a mail is asked of them alone.
create or replace function app.drop_expiry_mails(at timestamptz) returns integer language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  dropped integer;
begin
  with due as materialized (
    select w.id from app.mail w where w.state = 'due' and w.next_attempt_at <= at and w.kind in ('expiry', 'renew-now')
    order by w.next_attempt_at, w.id limit 2000
  ), unneeded as materialized (
    select d.id from due d where not exists (select from app.reminder_items(d.id, at))
  )
  update app.mail m set state = 'dropped', leased_until = null, last_error = 'no longer needed'
  from unneeded u where m.id = u.id and m.state = 'due' and (m.leased_until is null or m.leased_until <= at);
  get diagnostics dropped = row_count;
  return dropped;
end $$;
