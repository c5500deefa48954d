-- Tells of what somebody has done at their pharmacy's own screen: the pharmacy's other managers, or the head office where there is
-- none, and the person whom it concerns. A mailbox is told once, without a name where several read it.
create function app.plan_desk_mails(mail_key text, mail_kind text, mail_subject text, wanted uuid, actor uuid, person uuid, what jsonb, at timestamptz)
returns integer language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  planned integer;
begin
  if mail_kind not in ('device-hold', 'deputy') then
    raise exception 'no such mail' using errcode = 'check_violation';
  end if;
  with one as (
    select p.corporation_id, p.id, p.name as pharmacy, a.name as by
    from app.pharmacy p join app.account a on a.corporation_id = p.corporation_id and a.id = actor
    where p.id = wanted and p.corporation_id = app.current_corporation()
  ), candidate as (
    select a.id, a.email, a.locale, a.name, a.email_shared, case when a.id = person then 0
        when exists (select from app.membership m where m.account_id = a.id and m.pharmacy_id = one.id and m.role = 'manager'
          and m.valid_from <= at and (m.valid_to is null or m.valid_to > at)) then 1
        when exists (select from app.membership m where m.account_id = a.id and m.role = 'headOffice'
          and m.valid_from <= at and (m.valid_to is null or m.valid_to > at)) then 2
      end as rank
    from one join app.account a on a.corporation_id = one.corporation_id and a.disabled_at is null and a.email is not null and a.id <> actor
  ), reader as (
    select c.*, row_number() over (partition by lower(c.email) order by c.rank, c.id) as copy,
      bool_or(c.email_shared) over (partition by lower(c.email)) or count(*) over (partition by lower(c.email)) > 1 as is_shared
    from candidate c where c.rank < 2 or c.rank = 2 and not exists (select from candidate o where o.rank = 1)
  )
  insert into app.mail (key, corporation_id, kind, subject, recipient, locale, facts, due_at, next_attempt_at, created_at)
  select mail_kind || ':' || mail_key || ':' || md5(lower(r.email)), one.corporation_id, mail_kind, mail_subject, r.email, r.locale,
    what || jsonb_strip_nulls(jsonb_build_object('name', case when r.is_shared then null else r.name end,
      'isPerson', r.rank = 0 and not r.is_shared, 'pharmacy', one.pharmacy, 'by', one.by, 'at', at)), at, at, at
  from one, reader r where r.copy = 1
  on conflict (key) do nothing;
  get diagnostics planned = row_count;
  return planned;
end $$;
revoke all on function app.plan_desk_mails(text, text, text, uuid, uuid, uuid, jsonb, timestamptz) from public;
grant execute on function app.plan_desk_mails(text, text, text, uuid, uuid, uuid, jsonb, timestamptz) to suido_app;
