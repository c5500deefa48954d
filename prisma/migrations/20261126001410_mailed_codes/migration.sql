-- A code to the person's own address, by which they are identified without anybody's help.
alter table app.enrolment
  add column codes_mailed integer not null default 0 check (codes_mailed >= 0),
  add column code_sha256 bytea check (length(code_sha256) = 32),
  add column code_until timestamptz,
  add column code_wrong integer not null default 0 check (code_wrong >= 0),
  add constraint code_whole check ((code_sha256 is null) = (code_until is null));
grant update (codes_mailed, code_sha256, code_until, code_wrong) on app.enrolment to suido_app;

-- Plans the mail of a code for the browser that has begun an enrolment of the caller's tenant. False where the account has
-- no address of its own.
create function app.plan_code_mail(wanted uuid, at timestamptz) returns boolean language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  insert into app.mail (key, corporation_id, kind, subject, recipient, locale, facts, due_at, next_attempt_at, created_at)
  select 'enrolment-code:' || e.id || ':' || e.codes_mailed, e.corporation_id, 'enrolment-code', 'enrolment/' || e.id, a.email, a.locale,
    jsonb_build_object('enrolmentId', e.id, 'corporationId', e.corporation_id, 'pharmacy', p.name, 'device', d.name, 'name', a.name, 'begun', e.begun),
    at, at, at
  from app.enrolment e
  join app.account a on a.id = e.account_id
  join app.device d on d.id = e.device_id
  join app.pharmacy p on p.id = e.pharmacy_id
  where e.id = wanted and e.corporation_id = app.current_corporation() and e.state = 'started'
    and a.email is not null and not a.email_shared
  on conflict (key) do nothing;
  return found;
end $$;

-- Drops codes that wait while nobody waits for them: ten minutes later they would be of no use.
create function app.drop_code_mails(at timestamptz) returns integer language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  dropped integer;
begin
  update app.mail m set state = 'dropped', leased_until = null, last_error = 'no longer needed'
  where m.state = 'due' and m.kind = 'enrolment-code' and (m.leased_until is null or m.leased_until <= at)
    and (m.due_at < at - interval '10 minutes' or not exists (select from app.enrolment e
      where 'enrolment/' || e.id = m.subject and e.state = 'started' and e.begun = (m.facts ->> 'begun')::integer));
  get diagnostics dropped = row_count;
  return dropped;
end $$;
revoke all on function app.plan_code_mail(uuid, timestamptz), app.drop_code_mails(timestamptz) from public;
grant execute on function app.plan_code_mail(uuid, timestamptz) to suido_app;
grant execute on function app.drop_code_mails(timestamptz) to suido_worker;
