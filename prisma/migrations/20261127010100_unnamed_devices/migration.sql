-- An enrolment for a machine that nobody has registered: whoever stands before it names it, and its row comes into being
-- with its first certificate. Until then the enrolment knows it by the name that it is to have.
alter table app.enrolment
  alter column device_id drop not null,
  add column device_name     text check (length(device_name) between 1 and 50),
  add column device_platform text check (device_platform in ('windows', 'macos', 'ios', 'ipados', 'android', 'chromeos', 'linux', 'other')),
  add column named_at        timestamptz,
  -- Those that were asked for together, whose links are in one mail.
  add column request_id      uuid,
  add constraint named_whole check ((device_name is null) = (device_platform is null) and (device_name is null) = (named_at is null)),
  add constraint device_before_certificate check (device_id is not null or state not in ('issued', 'proven'));
create index enrolment_by_request on app.enrolment (request_id) where request_id is not null;
create index enrolment_by_name on app.enrolment (pharmacy_id, device_name)
  where device_id is null and device_name is not null and state in ('invited', 'started', 'identified', 'issued');
grant update (device_id, device_name, device_platform, named_at, replaces) on app.enrolment to suido_app;

-- As before, of a device that may have no name yet.
create or replace function app.plan_code_mail(wanted uuid, at timestamptz) returns boolean language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  insert into app.mail (key, corporation_id, kind, subject, recipient, locale, facts, due_at, next_attempt_at, created_at)
  select 'enrolment-code:' || e.id || ':' || e.codes_mailed, e.corporation_id, 'enrolment-code', 'enrolment/' || e.id, a.email, a.locale,
    jsonb_strip_nulls(jsonb_build_object('enrolmentId', e.id, 'corporationId', e.corporation_id, 'pharmacy', p.name,
      'device', coalesce(d.name, e.device_name), 'name', a.name, 'begun', e.begun)),
    at, at, at
  from app.enrolment e
  join app.account a on a.id = e.account_id
  left join app.device d on d.id = e.device_id
  join app.pharmacy p on p.id = e.pharmacy_id
  where e.id = wanted and e.corporation_id = app.current_corporation() and e.state = 'started'
    and a.email is not null and not a.email_shared
  on conflict (key) do nothing;
  return found;
end $$;

-- Plans the one mail of those that were asked for together, of the caller's tenant. False where the account has no address.
create function app.plan_enrolment_request_mail(wanted uuid, at timestamptz) returns boolean language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  insert into app.mail (key, corporation_id, kind, subject, recipient, locale, facts, due_at, next_attempt_at, created_at)
  select 'enrolment-request:' || e.request_id, e.corporation_id, 'enrolment-request', 'enrolment-request/' || e.request_id, a.email, a.locale,
    jsonb_strip_nulls(jsonb_build_object('requestId', e.request_id, 'corporationId', e.corporation_id, 'pharmacy', p.name,
      'name', case when a.email_shared then null else a.name end, 'requestedBy', e.requested_by, 'reason', e.reason, 'expiresAt', e.expires_at)),
    at, at, at
  from app.enrolment e
  join app.account a on a.id = e.account_id
  join app.pharmacy p on p.id = e.pharmacy_id
  where e.request_id = wanted and e.corporation_id = app.current_corporation() and a.email is not null
  limit 1
  on conflict (key) do nothing;
  return found;
end $$;

-- Drops mails that wait while all the ways that they open are over.
create function app.drop_enrolment_request_mails(at timestamptz) returns integer language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  dropped integer;
begin
  update app.mail m set state = 'dropped', leased_until = null, last_error = 'no longer needed'
  where m.state = 'due' and m.kind = 'enrolment-request' and (m.leased_until is null or m.leased_until <= at)
    and not exists (select from app.enrolment e where e.request_id = (m.facts ->> 'requestId')::uuid
      and e.state in ('invited', 'started', 'identified', 'issued') and e.expires_at > at);
  get diagnostics dropped = row_count;
  return dropped;
end $$;
revoke all on function app.plan_enrolment_request_mail(uuid, timestamptz), app.drop_enrolment_request_mails(timestamptz) from public;
grant execute on function app.plan_enrolment_request_mail(uuid, timestamptz) to suido_app;
grant execute on function app.drop_enrolment_request_mails(timestamptz) to suido_worker;
