-- Plans the mails of many enrolments of the caller's tenant, to their accounts' addresses: one for each, or one for all that
-- were asked for together. Returns the enrolments whose account has an address. Planned twice, a mail is planned once.
create or replace function app.plan_enrolment_mails(wanted uuid[], at timestamptz) returns setof uuid language sql security definer set search_path = pg_catalog, pg_temp as $$
  with told as (
    select e.*, a.email, a.locale, p.name as pharmacy, d.name as device, case when a.email_shared then null else a.name end as name
    from app.enrolment e
    join app.account a on a.id = e.account_id
    left join app.device d on d.id = e.device_id
    join app.pharmacy p on p.id = e.pharmacy_id
    where e.id = any (wanted) and e.corporation_id = app.current_corporation() and a.email is not null
  ), alone as (
    insert into app.mail (key, corporation_id, kind, subject, recipient, locale, facts, due_at, next_attempt_at, created_at)
    select 'enrolment:' || t.id, t.corporation_id, 'enrolment', 'enrolment/' || t.id, t.email, t.locale,
      jsonb_strip_nulls(jsonb_build_object('enrolmentId', t.id, 'corporationId', t.corporation_id, 'pharmacy', t.pharmacy, 'device', t.device,
        'name', t.name, 'requestedBy', t.requested_by, 'reason', t.reason, 'expiresAt', t.expires_at)),
      at, at, at
    from told t where t.request_id is null
    on conflict (key) do nothing
  ), together as (
    insert into app.mail (key, corporation_id, kind, subject, recipient, locale, facts, due_at, next_attempt_at, created_at)
    select distinct on (t.request_id) 'enrolment-request:' || t.request_id, t.corporation_id, 'enrolment-request',
      'enrolment-request/' || t.request_id, t.email, t.locale,
      jsonb_strip_nulls(jsonb_build_object('requestId', t.request_id, 'corporationId', t.corporation_id, 'pharmacy', t.pharmacy,
        'name', t.name, 'requestedBy', t.requested_by, 'reason', t.reason, 'expiresAt', t.expires_at)),
      at, at, at
    from told t where t.request_id is not null
    order by t.request_id, t.id
    on conflict (key) do nothing
  )
  select t.id from told t
$$;
