-- Somebody is asked to put a certificate on a device. What opens it (links, codes) is elsewhere, and only as hashes.
create table app.enrolment (
  id             uuid primary key,
  corporation_id uuid not null references app.corporation (id),
  pharmacy_id    uuid not null,
  device_id      uuid not null,
  account_id     uuid not null,
  state          text not null check (state in ('invited', 'started', 'identified', 'issued', 'proven', 'expired', 'withdrawn')),
  reason         text not null check (reason in ('first', 'replacement', 'renewal', 'support')),
  during_call    boolean not null,
  -- As the mail names them; whoever really asked is in asked_by.
  requested_by   text check (length(requested_by) between 1 and 100),
  support_number text not null check (support_number ~ '^[0-9]{6}$'),
  asked_by       text not null,
  mailed         boolean not null,
  created_at     timestamptz not null,
  expires_at     timestamptz not null check (expires_at > created_at),
  started_at     timestamptz,
  identified_at  timestamptz,
  identified_by  text,
  identified_how text check (identified_how in ('telephone', 'video-call', 'in-person')),
  ended_at       timestamptz,
  replaced_by    uuid,
  unique (corporation_id, id),
  -- A device or a person without a certificate can be deleted, and what was open for it goes too: the log keeps it.
  foreign key (corporation_id, device_id) references app.device (corporation_id, id) on delete cascade deferrable initially immediate,
  foreign key (corporation_id, account_id) references app.account (corporation_id, id) on delete cascade deferrable initially immediate,
  foreign key (corporation_id, pharmacy_id) references app.pharmacy (corporation_id, id) deferrable initially immediate,
  constraint identified_whole check ((identified_at is null) = (identified_by is null) and (identified_at is null) = (identified_how is null)),
  constraint identified_before_more check (state not in ('identified', 'issued', 'proven') or identified_at is not null),
  constraint ended_has_time check ((ended_at is not null) = (state in ('proven', 'expired', 'withdrawn'))),
  constraint replaced_is_withdrawn check (replaced_by is null or state = 'withdrawn')
);
create unique index enrolment_one_open on app.enrolment (device_id) where state in ('invited', 'started', 'identified', 'issued');
create unique index enrolment_support_number on app.enrolment (support_number) where state in ('invited', 'started', 'identified', 'issued');
create index enrolment_by_expiry on app.enrolment (expires_at) where state in ('invited', 'started', 'identified', 'issued');
create index enrolment_by_device on app.enrolment (device_id, id);
create index enrolment_by_account on app.enrolment (account_id, id);
create index enrolment_by_pharmacy on app.enrolment (pharmacy_id, id);

-- One way only: no restart, no second life.
create function app.check_enrolment_transition() returns trigger language plpgsql as $$
begin
  if (old.state, new.state) in (('invited', 'started'), ('started', 'identified'), ('identified', 'issued'), ('issued', 'proven'))
    or (old.state in ('invited', 'started', 'identified', 'issued') and new.state in ('expired', 'withdrawn')) then
    return new;
  end if;
  raise exception 'an enrolment does not go from % to %', old.state, new.state using errcode = 'check_violation';
end $$;
create trigger check_transition before update of state on app.enrolment for each row
  when (old.state is distinct from new.state) execute function app.check_enrolment_transition();
revoke all on function app.check_enrolment_transition() from public;

-- What was given to somebody to open an enrolment with: a row for each answer and each attempt to send the mail, since
-- nobody has kept the one before.
create table app.enrolment_link (
  sha256         bytea primary key check (length(sha256) = 32),
  kind           text not null check (kind in ('link', 'code')),
  corporation_id uuid not null,
  enrolment_id   uuid not null,
  created_at     timestamptz not null,
  foreign key (corporation_id, enrolment_id) references app.enrolment (corporation_id, id) on delete cascade
);
create index enrolment_link_by_enrolment on app.enrolment_link (enrolment_id);

alter table app.enrolment enable row level security;
alter table app.enrolment force row level security;
create policy tenant on app.enrolment to suido_app using (corporation_id = app.current_corporation()) with check (corporation_id = app.current_corporation());
create policy owner on app.enrolment to suido_owner using (true) with check (true);
alter table app.enrolment_link enable row level security;
alter table app.enrolment_link force row level security;
create policy tenant on app.enrolment_link to suido_app using (corporation_id = app.current_corporation()) with check (corporation_id = app.current_corporation());
create policy owner on app.enrolment_link to suido_owner using (true) with check (true);
grant select, insert on app.enrolment, app.enrolment_link to suido_app;
grant update (state, mailed, started_at, identified_at, identified_by, identified_how, ended_at, replaced_by) on app.enrolment to suido_app;

create or replace function app.tenant_of(kind text, id uuid) returns uuid language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
  case kind
    when 'corporation' then return (select c.id from app.corporation c where c.id = tenant_of.id);
    when 'pharmacy' then return (select p.corporation_id from app.pharmacy p where p.id = tenant_of.id);
    when 'account' then return (select a.corporation_id from app.account a where a.id = tenant_of.id);
    when 'membership' then return (select m.corporation_id from app.membership m where m.id = tenant_of.id);
    when 'device' then return (select d.corporation_id from app.device d where d.id = tenant_of.id);
    when 'stage' then return (select s.corporation_id from app.stage s where s.id = tenant_of.id);
    when 'bulk-issue' then return (select b.corporation_id from app.bulk_issue b where b.id = tenant_of.id);
    when 'enrolment' then return (select e.corporation_id from app.enrolment e where e.id = tenant_of.id);
    else return null;
  end case;
end $$;

-- What a reader is told: the state of one whose time is over does not wait for the job that writes it down.
create function app.enrolment_state(e app.enrolment, at timestamptz) returns text language sql immutable as $$
  select case when e.state in ('invited', 'started', 'identified', 'issued') and e.expires_at <= at then 'expired' else e.state end
$$;

create function app.staff_enrolments(at timestamptz, after uuid, size integer, wanted_state text, wanted_number text)
returns setof app.enrolment language sql stable security definer set search_path = pg_catalog, pg_temp as $$
  select * from app.enrolment e
  where (after is null or e.id > after) and (wanted_state is null or app.enrolment_state(e, at) = wanted_state)
    and (wanted_number is null or e.support_number = wanted_number)
  order by e.id limit size
$$;

-- Plans the mail of an enrolment of the caller's tenant, to its account's address. False where there is none.
create function app.plan_enrolment_mail(wanted uuid, at timestamptz) returns boolean language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  insert into app.mail (key, corporation_id, kind, subject, recipient, locale, facts, due_at, next_attempt_at, created_at)
  select 'enrolment:' || e.id, e.corporation_id, 'enrolment', 'enrolment/' || e.id, a.email, a.locale,
    jsonb_strip_nulls(jsonb_build_object('enrolmentId', e.id, 'corporationId', e.corporation_id, 'pharmacy', p.name, 'device', d.name,
      'name', case when a.email_shared then null else a.name end, 'requestedBy', e.requested_by, 'reason', e.reason, 'expiresAt', e.expires_at)),
    at, at, at
  from app.enrolment e
  join app.account a on a.id = e.account_id
  join app.device d on d.id = e.device_id
  join app.pharmacy p on p.id = e.pharmacy_id
  where e.id = wanted and e.corporation_id = app.current_corporation() and a.email is not null
  on conflict (key) do nothing;
  return found;
end $$;

-- Drops mails that wait while the way that they open is over.
create function app.drop_enrolment_mails(at timestamptz) returns integer language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  dropped integer;
begin
  update app.mail m set state = 'dropped', leased_until = null, last_error = 'no longer needed'
  where m.state = 'due' and m.kind = 'enrolment' and (m.leased_until is null or m.leased_until <= at)
    and not exists (select from app.enrolment e where 'enrolment/' || e.id = m.subject
      and e.state in ('invited', 'started', 'identified', 'issued') and e.expires_at > at);
  get diagnostics dropped = row_count;
  return dropped;
end $$;

-- Who opens a link says nothing of a tenant.
create function app.tenant_of_enrolment_link(wanted bytea) returns uuid language sql stable security definer set search_path = pg_catalog, pg_temp as $$
  select l.corporation_id from app.enrolment_link l where l.sha256 = wanted
$$;

-- Where enrolments are over that nobody has written down yet.
create function app.tenants_with_overdue_enrolments(at timestamptz) returns setof uuid language sql stable security definer set search_path = pg_catalog, pg_temp as $$
  select distinct e.corporation_id from app.enrolment e
  where e.state in ('invited', 'started', 'identified', 'issued') and e.expires_at <= at
$$;

create function app.enrolment_figures() returns table (state text, count bigint) language sql stable security definer set search_path = pg_catalog, pg_temp as $$
  select e.state, count(*) from app.enrolment e where e.state in ('invited', 'started', 'identified', 'issued') group by e.state
$$;

revoke all on function app.enrolment_state(app.enrolment, timestamptz), app.staff_enrolments(timestamptz, uuid, integer, text, text),
  app.plan_enrolment_mail(uuid, timestamptz), app.drop_enrolment_mails(timestamptz), app.tenant_of_enrolment_link(bytea),
  app.tenants_with_overdue_enrolments(timestamptz), app.enrolment_figures() from public;
grant execute on function app.enrolment_state(app.enrolment, timestamptz), app.staff_enrolments(timestamptz, uuid, integer, text, text),
  app.plan_enrolment_mail(uuid, timestamptz), app.tenant_of_enrolment_link(bytea) to suido_app;
grant execute on function app.drop_enrolment_mails(timestamptz), app.tenants_with_overdue_enrolments(timestamptz), app.enrolment_figures() to suido_worker;
