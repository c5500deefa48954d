-- Relying parties: the proxies and products that let devices in by their certificates, what each acknowledges to have in
-- force, and how strictly certificates are demanded. Schema party, like ca, has no tenant and no personal data: a proxy
-- serves pharmacies of many corporations. The stages of a product are a tenant's, and lie in app.

create schema party;

-- Who changed what in which transaction, for processes that keep small tables in memory and follow them below the horizon.
create function party.note_change() returns trigger language plpgsql as $$
begin
  new.changed_xid := pg_current_xact_id();
  return new;
end $$;

create table party.relying_party (
  id              uuid primary key,
  name            text not null unique check (length(name) between 1 and 100),
  product         text not null check (product ~ '^[a-z][a-z0-9-]{0,39}$'),
  uses            text[] not null check (cardinality(uses) > 0 and uses <@ array['authorize', 'file', 'ocsp']),
  -- How long a connection or TLS session that was checked once may live on without being checked again.
  session_seconds integer not null default 0 check (session_seconds between 0 and 604800),
  -- Where no stage is set for the pharmacy and its corporation, and where nobody knows the pharmacy.
  default_stage   text not null default 'enforce' check (default_stage in ('off', 'observe', 'warn', 'enforce')),
  -- Mutual TLS: the certificate that it shows, whoever signed it.
  client_certificate_sha256 bytea unique check (length(client_certificate_sha256) = 32),
  created_at      timestamptz not null,
  updated_at      timestamptz not null,
  retired_at      timestamptz,
  -- Coarse: moved by at least a minute at a time.
  last_seen_at    timestamptz,
  changed_xid     xid8
);
create trigger note_change before insert or update of name, product, uses, session_seconds, default_stage, client_certificate_sha256, retired_at
  on party.relying_party for each row execute function party.note_change();

-- What is in force there: a row for each list number that a party has acknowledged, with what that list knew.
create table party.acknowledged_list (
  relying_party_id uuid not null references party.relying_party (id),
  issuer_id        text not null references ca.issuer (id),
  number           bigint not null,
  watermark        bigint not null,
  at               timestamptz not null,
  -- False for what came after a higher number: the party went back.
  rising           boolean not null default true,
  current          boolean not null,
  primary key (relying_party_id, issuer_id, number, at)
);
create unique index acknowledged_list_current on party.acknowledged_list (relying_party_id, issuer_id) where current;
create index acknowledged_list_by_watermark on party.acknowledged_list (issuer_id, relying_party_id, watermark, at);

create table party.acknowledged_issuer (
  relying_party_id uuid not null references party.relying_party (id),
  issuer_id        text not null references ca.issuer (id),
  at               timestamptz not null,
  primary key (relying_party_id, issuer_id)
);

-- First and last use of each certificate at each party, coarsely: last_at moves by an hour at least.
create table party.use (
  serial           bytea not null references ca.issued (serial),
  relying_party_id uuid not null references party.relying_party (id),
  first_at         timestamptz not null,
  last_at          timestamptz not null check (last_at >= first_at),
  primary key (serial, relying_party_id)
);

-- Who was let through and would have been refused under `enforce`. Without a certificate there is no serial, and the
-- pharmacy is there where the product has named it.
create table party.refusal (
  relying_party_id uuid not null references party.relying_party (id),
  reason           text not null check (reason ~ '^[a-z][a-z-]{0,39}$'),
  serial           bytea references ca.issued (serial),
  pharmacy_id      uuid,
  first_at         timestamptz not null,
  last_at          timestamptz not null check (last_at >= first_at),
  count            bigint not null check (count > 0)
);
create unique index refusal_once on party.refusal (relying_party_id, reason, (coalesce(serial, '')), (coalesce(pharmacy_id, '00000000-0000-0000-0000-000000000000')));
create index refusal_by_serial on party.refusal (serial) where serial is not null;

alter table app.api_key add column relying_party_id uuid references party.relying_party (id);
alter table app.api_key add constraint proxies_have_parties check (relying_party_id is null or role = 'proxy');
alter table app.api_key add column changed_xid xid8;
create index api_key_by_changed_xid on app.api_key (changed_xid) where changed_xid is not null;
create trigger note_change before insert or update on app.api_key for each row execute function party.note_change();

-- How strictly a product demands certificates: of one pharmacy, or of all of a corporation that have no row of their own.
-- The newest row that is in force and whose time has come counts.
create table app.stage (
  id             uuid primary key,
  product        text not null check (product ~ '^[a-z][a-z0-9-]{0,39}$'),
  corporation_id uuid not null references app.corporation (id),
  pharmacy_id    uuid,
  stage          text not null check (stage in ('off', 'observe', 'warn', 'enforce')),
  effective_from timestamptz not null,
  state          text not null check (state in ('waiting', 'in-force', 'withdrawn')),
  proposed_by    text not null,
  confirmed_by   text,
  -- The devices that lacked a proven certificate when it was proposed.
  lacking        jsonb not null default '[]',
  created_at     timestamptz not null,
  decided_at     timestamptz,
  changed_xid    xid8,
  foreign key (corporation_id, pharmacy_id) references app.pharmacy (corporation_id, id) deferrable initially immediate,
  constraint confirmed_by_another check (confirmed_by is null or confirmed_by <> proposed_by)
);
create index stage_by_product on app.stage (product, corporation_id, pharmacy_id, effective_from desc);
create index stage_by_changed_xid on app.stage (changed_xid) where changed_xid is not null;
create trigger note_change before insert or update on app.stage for each row execute function party.note_change();

alter table app.stage enable row level security;
alter table app.stage force row level security;
create policy tenant on app.stage to suido_app using (corporation_id = app.current_corporation()) with check (corporation_id = app.current_corporation());
create policy owner on app.stage to suido_owner using (true) with check (true);

-- The keys of proxies that are bound to a party and not revoked, by the digests of their secrets: for memory, so that who
-- asks at each request is known while the database is away. Small, and read whole.
create function party.proxy_keys() returns table (id uuid, secret_sha256 bytea, relying_party_id uuid)
language sql stable security definer set search_path = pg_catalog, pg_temp as $$
  select k.id, k.secret_sha256, k.relying_party_id
  from app.api_key k join party.relying_party p on p.id = k.relying_party_id
  where k.revoked_at is null and p.retired_at is null
$$;

-- Every stage that is in force and counts now or will count, across tenants.
create function party.stages(at timestamptz) returns table (product text, corporation_id uuid, pharmacy_id uuid, stage text, effective_from timestamptz)
language sql stable security definer set search_path = pg_catalog, pg_temp as $$
  select s.product, s.corporation_id, s.pharmacy_id, s.stage, s.effective_from
  from app.stage s
  where s.state = 'in-force' and not exists (
    select from app.stage n
    where n.state = 'in-force' and n.product = s.product and n.corporation_id = s.corporation_id
      and n.pharmacy_id is not distinct from s.pharmacy_id and n.effective_from <= at
      and (n.effective_from, n.created_at, n.id) > (s.effective_from, s.created_at, s.id))
$$;

-- Whether keys, parties or stages were changed in a transaction that had not ended at `since`, and where the next question
-- begins. A number alone would not do: a transaction with a lower one may end later.
create function party.changed_since(since xid8) returns table (changed boolean, horizon text)
language sql stable security definer set search_path = pg_catalog, pg_temp as $$
  select since is null
      or exists (select from party.relying_party p where p.changed_xid >= since)
      or exists (select from app.api_key k where k.changed_xid >= since)
      or exists (select from app.stage s where s.changed_xid >= since),
    pg_snapshot_xmin(pg_current_snapshot())::text
$$;

-- Notes uses that others have gathered; unknown serials and parties are left out. Twice is once.
create function party.record_uses(serials bytea[], parties uuid[], ats timestamptz[]) returns void
language sql security definer set search_path = pg_catalog, pg_temp as $$
  insert into party.use as u (serial, relying_party_id, first_at, last_at)
  select n.serial, n.party, min(n.at), max(n.at)
  from unnest(serials, parties, ats) as n (serial, party, at)
  where exists (select from ca.issued i where i.serial = n.serial) and exists (select from party.relying_party p where p.id = n.party)
  group by n.serial, n.party
  order by n.serial, n.party
  on conflict (serial, relying_party_id) do update set last_at = excluded.last_at
  where excluded.last_at >= u.last_at + interval '1 hour'
$$;

-- The same for those who would have been refused.
create function party.record_refusals(parties uuid[], reasons text[], serials bytea[], pharmacies uuid[], ats timestamptz[], counts bigint[]) returns void
language sql security definer set search_path = pg_catalog, pg_temp as $$
  insert into party.refusal as r (relying_party_id, reason, serial, pharmacy_id, first_at, last_at, count)
  select n.party, n.reason, i.serial, n.pharmacy, min(n.at), max(n.at), sum(n.count)
  from unnest(parties, reasons, serials, pharmacies, ats, counts) as n (party, reason, serial, pharmacy, at, count)
  left join ca.issued i on i.serial = n.serial
  where exists (select from party.relying_party p where p.id = n.party)
  group by n.party, n.reason, i.serial, n.pharmacy
  order by n.party, n.reason, i.serial, n.pharmacy
  on conflict (relying_party_id, reason, (coalesce(serial, '')), (coalesce(pharmacy_id, '00000000-0000-0000-0000-000000000000'))) do update
  set last_at = greatest(r.last_at, excluded.last_at), count = r.count + excluded.count
$$;

-- That these parties were heard of. By a minute at least, or each request would write.
create function party.record_seen(parties uuid[], ats timestamptz[]) returns void
language sql security definer set search_path = pg_catalog, pg_temp as $$
  update party.relying_party p set last_seen_at = n.at
  from (select s.party, max(s.at) as at from unnest(parties, ats) as s (party, at) group by s.party) n
  where p.id = n.party and (p.last_seen_at is null or n.at >= p.last_seen_at + interval '1 minute')
$$;

-- The parties that do not have this issuer in force yet, of those that are at work.
create function party.lacking_issuer(wanted text) returns table (id uuid, name text)
language sql stable security definer set search_path = pg_catalog, pg_temp as $$
  select p.id, p.name from party.relying_party p
  where p.retired_at is null
    and not exists (select from party.acknowledged_issuer a where a.relying_party_id = p.id and a.issuer_id = wanted)
  order by p.name
$$;

revoke all on all functions in schema party from public;
grant usage on schema party to suido_app, suido_va, suido_signer, suido_worker;
grant select on all tables in schema party to suido_app, suido_va, suido_worker;
grant insert, update on party.relying_party to suido_app;
grant insert, update, delete on party.acknowledged_list, party.acknowledged_issuer to suido_app;
grant delete on party.acknowledged_list, party.refusal to suido_worker;
grant update (relying_party_id) on app.api_key to suido_app;
grant select, insert, update on app.stage to suido_app;
grant execute on function party.proxy_keys(), party.stages(timestamptz), party.changed_since(xid8) to suido_va;
grant execute on function party.record_uses(bytea[], uuid[], timestamptz[]),
  party.record_refusals(uuid[], text[], bytea[], uuid[], timestamptz[], bigint[]),
  party.record_seen(uuid[], timestamptz[]) to suido_app, suido_va;
grant execute on function party.lacking_issuer(text) to suido_app, suido_signer, suido_worker;
