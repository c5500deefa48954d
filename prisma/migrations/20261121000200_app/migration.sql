-- Schema app: the registry, bindings, API keys, audit rows, outbox. Every tenant table has row-level security with FORCE:
-- suido_app sees one corporation's rows, the one that its transaction has set; across tenants only named functions go.

create schema app;

create function app.current_corporation() returns uuid language sql stable as
  $$ select nullif(current_setting('suido.corporation_id', true), '')::uuid $$;

create table app.corporation (
  id         uuid primary key,
  name       text not null check (length(name) between 1 and 200),
  epoch      integer not null default 1 check (epoch > 0),
  created_at timestamptz not null,
  updated_at timestamptz not null
);

create table app.pharmacy (
  id             uuid primary key,
  corporation_id uuid not null references app.corporation (id),
  name           text not null check (length(name) between 1 and 200),
  code           text check (length(code) between 1 and 64),
  created_at     timestamptz not null,
  updated_at     timestamptz not null,
  unique (corporation_id, id),
  unique (corporation_id, code)
);

create table app.account (
  id             uuid primary key,
  corporation_id uuid not null references app.corporation (id),
  name           text not null check (length(name) between 1 and 200),
  email          text check (length(email) <= 254),
  email_shared   boolean not null default false,
  locale         text not null default 'ja' check (locale in ('ja', 'en')),
  disabled_at    timestamptz,
  created_at     timestamptz not null,
  updated_at     timestamptz not null,
  unique (corporation_id, id)
);
create index account_by_email on app.account (lower(email)) where email is not null;

create table app.identity (
  corporation_id uuid not null,
  account_id     uuid not null,
  issuer         text not null check (length(issuer) between 1 and 512),
  subject        text not null check (length(subject) between 1 and 255),
  primary key (corporation_id, issuer, subject),
  foreign key (corporation_id, account_id) references app.account (corporation_id, id) on delete cascade deferrable initially immediate
);
create index identity_by_account on app.identity (account_id);

create table app.external_id (
  corporation_id uuid not null,
  account_id     uuid not null,
  system         text not null check (length(system) between 1 and 64),
  value          text not null check (length(value) between 1 and 255),
  primary key (corporation_id, system, value),
  foreign key (corporation_id, account_id) references app.account (corporation_id, id) on delete cascade deferrable initially immediate
);
create index external_id_by_account on app.external_id (account_id);

create table app.membership (
  id             uuid primary key,
  corporation_id uuid not null,
  account_id     uuid not null,
  pharmacy_id    uuid not null,
  role           text not null check (role in ('pharmacist', 'manager', 'headOffice')),
  valid_from     timestamptz not null,
  valid_to       timestamptz check (valid_to > valid_from),
  created_at     timestamptz not null,
  updated_at     timestamptz not null,
  unique (corporation_id, id),
  foreign key (corporation_id, account_id) references app.account (corporation_id, id) deferrable initially immediate,
  foreign key (corporation_id, pharmacy_id) references app.pharmacy (corporation_id, id) deferrable initially immediate
);
create unique index membership_one_open on app.membership (account_id, pharmacy_id) where valid_to is null;
create index membership_by_pharmacy on app.membership (pharmacy_id);

create table app.device (
  id             uuid primary key,
  corporation_id uuid not null,
  pharmacy_id    uuid not null,
  name           text not null check (length(name) between 1 and 50),
  platform       text not null check (platform in ('windows', 'macos', 'ios', 'ipados', 'android', 'chromeos', 'linux', 'other')),
  use            text not null default 'shared' check (use in ('shared', 'personal')),
  retired_at     timestamptz,
  created_at     timestamptz not null,
  updated_at     timestamptz not null,
  unique (corporation_id, id),
  foreign key (corporation_id, pharmacy_id) references app.pharmacy (corporation_id, id) deferrable initially immediate
);
create index device_by_pharmacy on app.device (pharmacy_id);
create unique index device_name_in_pharmacy on app.device (pharmacy_id, name) where retired_at is null;

-- Who a certificate stood for, from when to when. The certificate names the device for ever; this is looked up.
create table app.binding (
  id             uuid primary key,
  serial         bytea not null references ca.issued (serial),
  corporation_id uuid not null,
  pharmacy_id    uuid not null,
  device_id      uuid not null,
  account_id     uuid not null,
  bound_from     timestamptz not null,
  bound_to       timestamptz check (bound_to >= bound_from),
  foreign key (corporation_id, pharmacy_id) references app.pharmacy (corporation_id, id) deferrable initially immediate,
  foreign key (corporation_id, device_id) references app.device (corporation_id, id) deferrable initially immediate,
  foreign key (corporation_id, account_id) references app.account (corporation_id, id) deferrable initially immediate
);
create unique index binding_one_open on app.binding (serial) where bound_to is null;
create index binding_by_serial on app.binding (serial);
create index binding_by_device on app.binding (device_id, bound_from desc);
create index binding_by_account on app.binding (account_id, bound_from desc);
create index binding_by_corporation on app.binding (corporation_id, serial);

-- Keys of programs. Staff's keys have no corporation; a key with one sees only its rows.
create table app.api_key (
  id             uuid primary key,
  role           text not null check (role in ('admin', 'operator', 'support', 'auditor', 'product', 'proxy')),
  label          text not null default '' check (length(label) <= 200),
  corporation_id uuid references app.corporation (id),
  secret_sha256  bytea not null unique check (length(secret_sha256) = 32),
  created_at     timestamptz not null,
  revoked_at     timestamptz
);

create table app.idempotency (
  api_key_id   uuid not null references app.api_key (id),
  key          text not null check (length(key) between 1 and 255),
  request_hash bytea not null check (length(request_hash) = 32),
  -- Either the answer as it was given, or the serial of the certificate that the answer showed.
  status       smallint,
  body         jsonb,
  serial       bytea references ca.issued (serial),
  created_at   timestamptz not null,
  primary key (api_key_id, key)
);
create index idempotency_by_age on app.idempotency (created_at);

-- What auditors want. Inserted plain with each mutation; a sequencer gives committed rows their place in the log.
create table app.audit (
  id             uuid primary key,
  at             timestamptz not null,
  actor          text not null,
  action         text not null,
  subject        text not null,
  corporation_id uuid,
  detail         jsonb not null default '{}',
  xid            xid8 not null default pg_current_xact_id()
);
create index audit_by_xid on app.audit (xid);
create index audit_by_subject on app.audit (subject, at);

create table app.audit_leaf (
  position  bigint primary key check (position >= 0),
  audit_id  uuid not null unique references app.audit (id),
  leaf_hash bytea not null check (length(leaf_hash) = 32)
);

-- The outbox: facts that other systems may want, as CloudEvents will carry them.
create table app.event (
  id             uuid primary key,
  at             timestamptz not null,
  type           text not null,
  subject        text not null,
  corporation_id uuid,
  data           jsonb not null,
  xid            xid8 not null default pg_current_xact_id()
);
create index event_by_xid on app.event (xid);

create function app.append_only() returns trigger language plpgsql as $$
begin
  raise exception '% is append-only', tg_table_name using errcode = 'insufficient_privilege';
end $$;
create trigger append_only before update or delete or truncate on app.audit for each statement execute function app.append_only();
create trigger append_only before update or delete or truncate on app.audit_leaf for each statement execute function app.append_only();
create trigger append_only before update or delete or truncate on app.event for each statement execute function app.append_only();

-- Row-level security. suido_owner passes only inside the functions below; suido_signer reads bindings and writes audit rows and events.
do $$
declare
  t text;
begin
  foreach t in array array['pharmacy', 'account', 'identity', 'external_id', 'membership', 'device', 'binding'] loop
    execute format('alter table app.%I enable row level security', t);
    execute format('alter table app.%I force row level security', t);
    execute format('create policy tenant on app.%I to suido_app using (corporation_id = app.current_corporation()) with check (corporation_id = app.current_corporation())', t);
    execute format('create policy owner on app.%I to suido_owner using (true) with check (true)', t);
  end loop;
  alter table app.corporation enable row level security;
  alter table app.corporation force row level security;
  create policy tenant on app.corporation to suido_app using (id = app.current_corporation()) with check (id = app.current_corporation());
  create policy owner on app.corporation to suido_owner using (true) with check (true);
  foreach t in array array['audit', 'event'] loop
    execute format('alter table app.%I enable row level security', t);
    execute format('alter table app.%I force row level security', t);
    execute format('create policy tenant_read on app.%I for select to suido_app using (corporation_id = app.current_corporation())', t);
    execute format('create policy tenant_write on app.%I for insert to suido_app with check (corporation_id is not distinct from app.current_corporation())', t);
    execute format('create policy inside on app.%I to suido_owner, suido_signer, suido_worker using (true) with check (true)', t);
  end loop;
  create policy signer on app.binding for select to suido_signer using (true);
end $$;

-- The tenant that something belongs to, or null. The one way to learn it before the scope is set.
create function app.tenant_of(kind text, id uuid) returns uuid language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
  return case kind
    when 'corporation' then (select c.id from app.corporation c where c.id = tenant_of.id)
    when 'pharmacy' then (select p.corporation_id from app.pharmacy p where p.id = tenant_of.id)
    when 'account' then (select a.corporation_id from app.account a where a.id = tenant_of.id)
    when 'membership' then (select m.corporation_id from app.membership m where m.id = tenant_of.id)
    when 'device' then (select d.corporation_id from app.device d where d.id = tenant_of.id)
  end;
end $$;

-- The tenant of a certificate: that of its open binding, else of its last one.
create function app.tenant_of_serial(wanted bytea) returns uuid language sql stable security definer set search_path = pg_catalog, pg_temp as $$
  select b.corporation_id from app.binding b where b.serial = wanted order by b.bound_to desc nulls first, b.bound_from desc limit 1
$$;

-- Pages across tenants for staff, in the order of ids; after = the last id of the page before, or null.
create function app.staff_corporations(after uuid, size integer) returns setof app.corporation language sql stable security definer set search_path = pg_catalog, pg_temp as $$
  select * from app.corporation c where after is null or c.id > after order by c.id limit size
$$;
create function app.staff_pharmacies(after uuid, size integer) returns setof app.pharmacy language sql stable security definer set search_path = pg_catalog, pg_temp as $$
  select * from app.pharmacy p where after is null or p.id > after order by p.id limit size
$$;
-- Two statements, because one plan for both walks all accounts to find an address.
create function app.staff_accounts(after uuid, size integer, address text) returns setof app.account language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
  if address is null then
    return query select * from app.account a where after is null or a.id > after order by a.id limit size;
  else
    return query with found as materialized (select * from app.account b where lower(b.email) = lower(address))
      select * from found a where after is null or a.id > after order by a.id limit size;
  end if;
end $$;
create function app.staff_identities(accounts uuid[]) returns setof app.identity language sql stable security definer set search_path = pg_catalog, pg_temp as $$
  select * from app.identity i where i.account_id = any (accounts)
$$;
create function app.staff_external_ids(accounts uuid[]) returns setof app.external_id language sql stable security definer set search_path = pg_catalog, pg_temp as $$
  select * from app.external_id e where e.account_id = any (accounts)
$$;
create function app.staff_memberships(after uuid, size integer) returns setof app.membership language sql stable security definer set search_path = pg_catalog, pg_temp as $$
  select * from app.membership m where after is null or m.id > after order by m.id limit size
$$;
create function app.staff_devices(after uuid, size integer) returns setof app.device language sql stable security definer set search_path = pg_catalog, pg_temp as $$
  select * from app.device d where after is null or d.id > after order by d.id limit size
$$;
create function app.staff_bindings(after bytea, size integer, wanted_state text) returns setof app.binding language sql stable security definer set search_path = pg_catalog, pg_temp as $$
  -- OFFSET 0 keeps the planner at the index: whatever it thinks of wanted_state, one page never reads a whole table.
  select b.* from app.binding b
  cross join lateral (select issued.state, issued.not_after from ca.issued where issued.serial = b.serial offset 0) i
  where b.bound_to is null and b.serial > coalesce(after, '')
    and (wanted_state is null or case when i.state <> 'revoked' and i.not_after < now() then 'expired' else i.state end = wanted_state)
  order by b.serial limit size
$$;

-- What the signer needs to bring a restored database up to the journal. A binding comes back only between things that are still
-- there, in one tenant; a deny only makes things end sooner. Both answer whether they found what they are about.
create function app.restore_binding(new_id uuid, wanted bytea, corporation uuid, pharmacy uuid, device uuid, account uuid, since timestamptz)
returns boolean language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  if not (exists (select from app.pharmacy p where p.corporation_id = corporation and p.id = pharmacy)
          and exists (select from app.device d where d.corporation_id = corporation and d.id = device)
          and exists (select from app.account a where a.corporation_id = corporation and a.id = account)) then
    return false;
  end if;
  insert into app.binding (id, serial, corporation_id, pharmacy_id, device_id, account_id, bound_from)
  values (new_id, wanted, corporation, pharmacy, device, account, since) on conflict do nothing;
  return true;
end $$;
create function app.apply_deny(what text, denied_at timestamptz) returns boolean language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  kind text := split_part(what, ':', 1);
  target uuid := split_part(what, ':', 2)::uuid;
begin
  if kind = 'api-key' then
    update app.api_key k set revoked_at = denied_at where k.id = target and k.revoked_at is null;
    return exists (select from app.api_key k where k.id = target);
  elsif kind = 'account' then
    update app.account a set disabled_at = denied_at where a.id = target and a.disabled_at is null;
    return exists (select from app.account a where a.id = target);
  elsif kind = 'membership' then
    update app.membership m set valid_to = greatest(denied_at, m.valid_from + interval '1 microsecond')
    where m.id = target and (m.valid_to is null or m.valid_to > denied_at);
    return exists (select from app.membership m where m.id = target);
  end if;
  return false;
end $$;

revoke all on all functions in schema app from public;
grant usage on schema app to suido_app, suido_signer, suido_worker;
grant execute on function app.current_corporation() to suido_app, suido_signer, suido_worker;
grant execute on function app.tenant_of(text, uuid), app.tenant_of_serial(bytea), app.staff_corporations(uuid, integer), app.staff_pharmacies(uuid, integer),
  app.staff_accounts(uuid, integer, text), app.staff_identities(uuid[]), app.staff_external_ids(uuid[]), app.staff_memberships(uuid, integer), app.staff_devices(uuid, integer), app.staff_bindings(bytea, integer, text) to suido_app;
grant execute on function app.tenant_of_serial(bytea) to suido_worker;
grant execute on function app.restore_binding(uuid, bytea, uuid, uuid, uuid, uuid, timestamptz), app.apply_deny(text, timestamptz) to suido_signer;

grant select, insert, update, delete on app.corporation, app.pharmacy, app.account, app.identity, app.external_id, app.membership, app.device to suido_app;
grant select, insert on app.binding to suido_app;
grant update (bound_to) on app.binding to suido_app;
grant select, insert on app.api_key to suido_app;
grant update (revoked_at) on app.api_key to suido_app, suido_signer;
grant select on app.api_key to suido_signer;
grant select, insert, update, delete on app.idempotency to suido_app;
grant delete on app.idempotency to suido_signer, suido_worker;
grant select on app.idempotency to suido_signer, suido_worker;
-- Not xid: whoever could choose it could hide a row from the sequencer.
grant select on app.audit, app.event to suido_app, suido_signer, suido_worker;
grant insert (id, at, actor, action, subject, corporation_id, detail) on app.audit to suido_app, suido_signer, suido_worker;
grant insert (id, at, type, subject, corporation_id, data) on app.event to suido_app, suido_signer, suido_worker;
grant select on app.binding to suido_signer;
grant select, insert on app.audit_leaf to suido_worker;
grant select on app.audit_leaf to suido_app, suido_signer;
