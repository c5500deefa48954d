-- When a device has proven a certificate of the caller's tenant: a mail to whom the certificate names, and to the managers of
-- the pharmacy, so that somebody notices one that nobody wanted. Each mailbox gets it once, without a name where several
-- people share it. Returns how many.
create function app.plan_proof_mails(wanted bytea, at timestamptz) returns integer language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  planned integer;
begin
  insert into app.mail (key, corporation_id, kind, subject, recipient, locale, facts, due_at, next_attempt_at, created_at)
  select 'proven:' || encode(wanted, 'hex') || ':' || md5(lower(told.email)), b.corporation_id, 'proven', 'certificate/' || encode(wanted, 'hex'),
    told.email, told.locale,
    jsonb_strip_nulls(jsonb_build_object('pharmacy', p.name, 'device', d.name, 'name', told.name, 'notAfter', i.not_after,
      'serialNumber', encode(wanted, 'hex'), 'provenAt', i.proven_at, 'requestedBy', e.requested_by, 'reason', e.reason,
      'isByDevice', case when e.asked_by like 'certificate:%' then true end, 'supportNumber', e.support_number)),
    at, at, at
  from app.binding b
  join ca.issued i on i.serial = b.serial
  join app.device d on d.id = b.device_id
  join app.pharmacy p on p.id = b.pharmacy_id
  left join app.enrolment e on e.id = b.enrolment_id
  cross join lateral (
    select (array_agg(c.email order by c.id))[1] as email, (array_agg(c.locale order by c.id))[1] as locale,
      case when count(*) = 1 and not bool_or(c.email_shared) then min(c.name) end as name
    from (
      select a.id, a.email, a.locale, a.email_shared, a.name from app.account a where a.id = b.account_id and a.disabled_at is null and a.email is not null
      union
      select a.id, a.email, a.locale, a.email_shared, a.name from app.membership m join app.account a on a.id = m.account_id
      where m.pharmacy_id = b.pharmacy_id and m.role = 'manager' and m.valid_from <= at and (m.valid_to is null or m.valid_to > at)
        and a.disabled_at is null and a.email is not null
    ) c group by lower(c.email)) told
  where b.serial = wanted and b.bound_to is null and b.corporation_id = app.current_corporation()
  on conflict (key) do nothing;
  get diagnostics planned = row_count;
  return planned;
end $$;
revoke all on function app.plan_proof_mails(bytea, timestamptz) from public;
grant execute on function app.plan_proof_mails(bytea, timestamptz) to suido_app;
