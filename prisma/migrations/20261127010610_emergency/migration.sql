-- The night on which the only machine does not boot: somebody with two factors gets a certificate of 24 hours for another.

-- Whom a pharmacy's manager, or the corporation, has named to do in an emergency what the manager does. It ends with the
-- membership.
alter table app.membership add column deputy boolean not null default false;

alter table app.enrolment
  drop constraint enrolment_identified_how_check,
  add constraint enrolment_identified_how_check
    check (identified_how in ('telephone', 'video-call', 'in-person', 'mailed-code', 'sign-in', 'manager', 'certificate', 'two-factors'));

-- A browser on its way to a second factor, for a quarter of an hour. Of an address that nobody has, or several, there is no
-- row, and its browser is answered the same.
create table app.emergency_visit (
  id             uuid primary key,
  session_sha256 bytea not null unique check (length(session_sha256) = 32),
  corporation_id uuid not null,
  account_id     uuid not null,
  created_at     timestamptz not null,
  expires_at     timestamptz not null check (expires_at > created_at),
  code_sha256    bytea check (length(code_sha256) = 32),
  code_until     timestamptz,
  code_wrong     integer not null default 0 check (code_wrong >= 0),
  first_how      text check (first_how in ('mailed-code', 'sign-in')),
  first_at       timestamptz,
  challenge      text,
  second_how     text check (second_how in ('authenticator', 'passkey')),
  second_at      timestamptz,
  foreign key (corporation_id, account_id) references app.account (corporation_id, id) on delete cascade deferrable initially immediate,
  constraint code_whole check ((code_sha256 is null) = (code_until is null)),
  constraint first_whole check ((first_how is null) = (first_at is null)),
  constraint second_whole check ((second_how is null) = (second_at is null)),
  constraint first_before_second check (second_at is null or first_at is not null)
);
create index emergency_visit_by_account on app.emergency_visit (account_id, created_at);
create index emergency_visit_by_expiry on app.emergency_visit (expires_at);

-- An enrolment that began so: whose, with which factors, and for which machine the other stands in.
create table app.emergency (
  enrolment_id   uuid primary key,
  corporation_id uuid not null,
  pharmacy_id    uuid not null,
  account_id     uuid not null,
  device_id      uuid not null,
  stands_in_for  uuid not null,
  first_how      text not null check (first_how in ('mailed-code', 'sign-in')),
  second_how     text not null check (second_how in ('authenticator', 'passkey')),
  created_at     timestamptz not null,
  foreign key (corporation_id, enrolment_id) references app.enrolment (corporation_id, id) on delete cascade deferrable initially immediate,
  foreign key (corporation_id, device_id) references app.device (corporation_id, id) on delete cascade deferrable initially immediate
);
create index emergency_by_pharmacy on app.emergency (pharmacy_id, created_at);
create index emergency_by_device on app.emergency (device_id);

do $$
declare
  t text;
begin
  foreach t in array array['emergency_visit', 'emergency'] loop
    execute format('alter table app.%I enable row level security', t);
    execute format('alter table app.%I force row level security', t);
    execute format('create policy tenant on app.%I to suido_app using (corporation_id = app.current_corporation()) with check (corporation_id = app.current_corporation())', t);
    execute format('create policy owner on app.%I to suido_owner using (true) with check (true)', t);
  end loop;
end $$;
grant select, insert, delete on app.emergency_visit to suido_app;
grant update (code_sha256, code_until, code_wrong, first_how, first_at, challenge, second_how, second_at) on app.emergency_visit to suido_app;
grant select, insert on app.emergency to suido_app;

create function app.tenant_of_emergency_visit(wanted bytea) returns uuid language sql stable security definer set search_path = pg_catalog, pg_temp as $$
  select v.corporation_id from app.emergency_visit v where v.session_sha256 = wanted
$$;

-- Whose address this is and nobody else's.
create function app.account_of_address(address text) returns table (corporation_id uuid, account_id uuid)
language sql stable security definer set search_path = pg_catalog, pg_temp as $$
  select (array_agg(a.corporation_id))[1], (array_agg(a.id))[1] from app.account a
  where lower(a.email) = lower(address) and a.disabled_at is null having count(*) = 1 and not bool_or(a.email_shared)
$$;

create function app.plan_emergency_code(wanted uuid, at timestamptz) returns boolean language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  insert into app.mail (key, corporation_id, kind, subject, recipient, locale, facts, due_at, next_attempt_at, created_at)
  select 'emergency-code:' || v.id, v.corporation_id, 'emergency-code', 'account/' || a.id, a.email, a.locale,
    jsonb_build_object('visitId', v.id, 'corporationId', v.corporation_id, 'name', a.name), at, at, at
  from app.emergency_visit v join app.account a on a.id = v.account_id
  where v.id = wanted and v.corporation_id = app.current_corporation() and a.email is not null and not a.email_shared
  on conflict (key) do nothing;
  return found;
end $$;

create function app.drop_emergency_codes(at timestamptz) returns integer language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  dropped integer;
begin
  update app.mail m set state = 'dropped', leased_until = null, last_error = 'no longer needed'
  where m.state = 'due' and m.kind = 'emergency-code' and (m.leased_until is null or m.leased_until <= at)
    and not exists (select from app.emergency_visit v
      where v.id = (m.facts ->> 'visitId')::uuid and v.first_at is null and v.expires_at > at);
  get diagnostics dropped = row_count;
  return dropped;
end $$;

-- Tells at once: who looks after the corporation, the pharmacy's managers, the person, and the operators where they have an
-- address. A mailbox is told once, without a name where several read it.
create function app.plan_emergency_mails(wanted uuid, operator_address text, operator_locale text, at timestamptz) returns integer
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  planned integer;
begin
  with one as (
    select x.*, p.name as pharmacy, c.name as corporation, a.name as person, d.name as device, o.name as broken, e.support_number
    from app.emergency x
    join app.enrolment e on e.id = x.enrolment_id
    join app.pharmacy p on p.id = x.pharmacy_id
    join app.corporation c on c.id = x.corporation_id
    join app.account a on a.id = x.account_id
    join app.device d on d.id = x.device_id
    join app.device o on o.id = x.stands_in_for
    where x.enrolment_id = wanted and x.corporation_id = app.current_corporation()
  ), reader as (
    select a.email, a.locale, a.name, row_number() over (partition by lower(a.email) order by a.id) as copy,
      bool_or(a.email_shared) over (partition by lower(a.email)) or count(*) over (partition by lower(a.email)) > 1 as is_shared
    from one join app.account a on a.corporation_id = one.corporation_id and a.disabled_at is null and a.email is not null
    where a.id = one.account_id or exists (select from app.membership m
      where m.account_id = a.id and m.valid_from <= at and (m.valid_to is null or m.valid_to > at)
        and (m.role = 'headOffice' or m.role = 'manager' and m.pharmacy_id = one.pharmacy_id))
  ), told as (
    select r.email as address, r.locale, case when r.is_shared then null else r.name end as name, false as is_operator from reader r where r.copy = 1
    union all
    select operator_address, operator_locale, null, true where operator_address is not null
  )
  insert into app.mail (key, corporation_id, kind, subject, recipient, locale, facts, due_at, next_attempt_at, created_at)
  select 'emergency:' || one.enrolment_id || ':' || case when t.is_operator then 'operator' else md5(lower(t.address)) end,
    case when t.is_operator then null else one.corporation_id end, 'emergency', 'enrolment/' || one.enrolment_id, t.address, t.locale,
    jsonb_strip_nulls(jsonb_build_object('name', t.name, 'corporation', case when t.is_operator then one.corporation end,
      'pharmacy', one.pharmacy, 'person', one.person, 'device', one.device, 'standsInFor', one.broken,
      'supportNumber', one.support_number, 'firstHow', one.first_how, 'secondHow', one.second_how, 'at', one.created_at)),
    at, at, at
  from one, told t
  on conflict (key) do nothing;
  get diagnostics planned = row_count;
  return planned;
end $$;

-- Where machines stand in for others no longer, and nobody has written it down yet.
create function app.tenants_with_ended_emergencies(at timestamptz) returns setof uuid language sql stable security definer set search_path = pg_catalog, pg_temp as $$
  select distinct x.corporation_id from app.emergency x join app.device d on d.id = x.device_id
  where d.retired_at is null
    and not exists (select from app.enrolment e where e.device_id = d.id and e.state in ('invited', 'started', 'identified', 'issued') and e.expires_at > at)
    and not exists (select from app.binding b join ca.issued i on i.serial = b.serial
      where b.device_id = d.id and i.state in ('reserved', 'good', 'hold') and i.not_after >= at)
$$;

create function app.forget_emergency_visits(before timestamptz) returns integer language sql security definer set search_path = pg_catalog, pg_temp as $$
  with old as (delete from app.emergency_visit v where v.expires_at < before returning 1) select count(*)::integer from old
$$;

revoke all on function app.tenant_of_emergency_visit(bytea), app.account_of_address(text), app.plan_emergency_code(uuid, timestamptz),
  app.drop_emergency_codes(timestamptz), app.plan_emergency_mails(uuid, text, text, timestamptz), app.tenants_with_ended_emergencies(timestamptz),
  app.forget_emergency_visits(timestamptz) from public;
grant execute on function app.tenant_of_emergency_visit(bytea), app.account_of_address(text), app.plan_emergency_code(uuid, timestamptz),
  app.plan_emergency_mails(uuid, text, text, timestamptz) to suido_app;
grant execute on function app.drop_emergency_codes(timestamptz), app.tenants_with_ended_emergencies(timestamptz),
  app.forget_emergency_visits(timestamptz) to suido_worker;
