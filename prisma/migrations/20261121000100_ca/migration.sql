-- Schema ca: serials, certificates, status changes, lists and the journal's mark.
-- No tenant and no personal data, hence no row-level security; each role gets the columns that it needs.
-- The runner has made the roles suido_owner, suido_app, suido_va, suido_signer, suido_worker, and runs this as suido_owner.

create schema ca;

create table ca.issuer (
  id             text primary key check (id ~ '^[a-z][a-z0-9-]*-g[0-9]+$'),
  kind           text not null check (kind in ('root', 'issuing')),
  generation     integer not null check (generation > 0),
  state          text not null check (state in ('announced', 'active', 'retiring', 'ended')),
  parent_id      text not null references ca.issuer (id),
  serial         bytea not null unique,
  certificate    bytea not null,
  subject        bytea not null unique,
  key_identifier bytea not null unique,
  -- The address that is written into everything this issuer signs; frozen at its ceremony.
  va_url         text not null,
  not_after      timestamptz not null,
  created_at     timestamptz not null
);
comment on table ca.issuer is 'A certification authority of one generation: one DN, one key.';
create unique index issuer_one_active on ca.issuer (kind) where state = 'active';

create table ca.issued (
  serial       bytea primary key check (length(serial) between 1 and 20),
  issuer_id    text not null references ca.issuer (id),
  profile      text not null,
  profile_hash bytea not null check (length(profile_hash) = 32),
  shard        smallint not null check (shard between 0 and 15),
  state        text not null check (state in ('reserved', 'good', 'hold', 'revoked', 'refused', 'abandoned')),
  -- What the signer builds the certificate from. It takes nothing else.
  common_name  text not null,
  device_uri   text,
  dns_names    text[],
  spki         bytea not null,
  spki_sha256  bytea not null check (length(spki_sha256) = 32),
  not_before   timestamptz not null,
  not_after    timestamptz not null check (not_after > not_before),
  key_origin   text not null check (key_origin in ('subject', 'server')),
  request_hash bytea,
  replaces     bytea references ca.issued (serial),
  reserved_at  timestamptz not null,
  -- What signing gave.
  findings     text[],
  der          bytea,
  der_sha256   bytea check (length(der_sha256) = 32),
  issued_at    timestamptz,
  good_xid     xid8,
  delivered_at timestamptz,
  -- What has become of it. revoked_at is the true time; the published one is backdated.
  reason       smallint check (reason between 0 and 10 and reason not in (7, 8)),
  revoked_at   timestamptz,
  constraint signed_has_der check ((state in ('good', 'hold', 'revoked')) = (der is not null and der_sha256 is not null and issued_at is not null)),
  constraint stopped_has_reason check ((state in ('hold', 'revoked')) = (reason is not null and revoked_at is not null)),
  constraint hold_is_hold check ((state = 'hold') = (reason is not distinct from 6 and state <> 'revoked'))
);
comment on column ca.issued.reason is 'CRLReason, RFC 5280 §5.3.1';
create index issued_by_shard on ca.issued (issuer_id, shard, not_after) where state in ('hold', 'revoked');
create index issued_by_spki on ca.issued (spki_sha256);
create unique index issued_by_fingerprint on ca.issued (der_sha256) where der_sha256 is not null;
create index issued_by_good_xid on ca.issued (good_xid) where good_xid is not null;
create index issued_reserved on ca.issued (reserved_at) where state = 'reserved';
create index issued_by_not_after on ca.issued (not_after) where state = 'good';
create index issued_undelivered on ca.issued (issued_at) where state in ('good', 'hold') and key_origin = 'server' and delivered_at is null;
create index issued_by_replaces on ca.issued (replaces) where replaces is not null;

-- Every change of status after issue, and every deny, numbered in commit order: who polls by number misses none.
create sequence ca.change_seq;
create table ca.change (
  seq     bigint primary key,
  kind    text not null check (kind in ('revoke', 'hold', 'unhold', 'deny')),
  serial  bytea references ca.issued (serial),
  reason  smallint,
  at      timestamptz not null,
  subject text,
  constraint deny_has_subject check ((kind = 'deny') = (serial is null) and (kind = 'deny') = (subject is not null))
);
create index change_by_serial on ca.change (serial) where serial is not null;

create table ca.list (
  issuer_id   text not null references ca.issuer (id),
  scope       text not null check (scope ~ '^(full|0[0-9a-f])$'),
  number      bigint not null check (number > 0),
  watermark   bigint not null,
  this_update timestamptz not null,
  next_update timestamptz not null check (next_update > this_update),
  entries     integer not null check (entries >= 0),
  sha256      bytea not null check (length(sha256) = 32),
  der         bytea,
  current     boolean not null,
  signed_at   timestamptz not null,
  primary key (issuer_id, scope, number),
  constraint current_has_der check (not current or der is not null)
);
create unique index list_one_current on ca.list (issuer_id, scope) where current;

-- How far the journal file had come when the database last heard of it.
create table ca.journal_mark (
  only_row       boolean primary key default true check (only_row),
  journal_id     uuid not null,
  seq            bigint not null,
  hash           bytea not null check (length(hash) = 32),
  change_seq     bigint not null,
  epoch          integer not null,
  quarantined_at timestamptz
);

-- The order of states, whoever writes: reserved → {good, refused, abandoned}; good ↔ hold; {good, hold} → revoked;
-- revoked → only to keyCompromise, with its date kept.
create function ca.check_transition() returns trigger language plpgsql as $$
begin
  if new.serial <> old.serial or new.issuer_id <> old.issuer_id or new.shard <> old.shard or new.spki <> old.spki
     or (old.der is not null and new.der is distinct from old.der) then
    raise exception 'an issued serial does not change' using errcode = 'check_violation';
  end if;
  if old.state = new.state then
    if old.reason is distinct from new.reason and not (old.state = 'revoked' and new.reason = 1) then
      raise exception 'a revocation keeps its reason, except for keyCompromise' using errcode = 'check_violation';
    end if;
    if old.revoked_at is distinct from new.revoked_at then
      raise exception 'a revocation keeps its date' using errcode = 'check_violation';
    end if;
  elsif not ((old.state, new.state) in (('reserved', 'good'), ('reserved', 'refused'), ('reserved', 'abandoned'),
             ('good', 'hold'), ('hold', 'good'), ('good', 'revoked'), ('hold', 'revoked'))) then
    raise exception 'no way from % to %', old.state, new.state using errcode = 'check_violation';
  end if;
  return new;
end $$;
create trigger check_transition before update on ca.issued for each row execute function ca.check_transition();

-- Taken before any row is locked, and held to the commit: change numbers appear in the order of their commits.
create function ca.lock_changes() returns trigger language plpgsql as $$
begin
  perform pg_advisory_xact_lock(727077, 1);
  return null;
end $$;
create trigger lock_changes before update of reason on ca.issued for each statement execute function ca.lock_changes();

create function ca.record_change() returns trigger language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  drawn bigint;
begin
  if old.state is not distinct from new.state and old.reason is not distinct from new.reason then
    return null;
  end if;
  drawn := nextval('ca.change_seq');
  insert into ca.change (seq, kind, serial, reason, at)
  values (drawn, case when new.state = 'good' then 'unhold' when new.state = 'hold' then 'hold' else 'revoke' end,
          new.serial, new.reason, coalesce(new.revoked_at, now()));
  perform pg_notify('suido_change', drawn::text);
  return null;
end $$;
create trigger record_change after update of reason on ca.issued for each row
  when (old.state in ('good', 'hold', 'revoked')) execute function ca.record_change();

-- A deny (API key revoked, account disabled, membership ended, tenant's epoch raised): journaled, so that a restored
-- database does not bring it back. Returns its number.
create function ca.record_deny(what text, denied_at timestamptz) returns bigint language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  drawn bigint;
begin
  perform pg_advisory_xact_lock(727077, 1);
  drawn := nextval('ca.change_seq');
  insert into ca.change (seq, kind, at, subject) values (drawn, 'deny', denied_at, what);
  perform pg_notify('suido_change', drawn::text);
  return drawn;
end $$;

create function ca.announce_list() returns trigger language plpgsql as $$
begin
  perform pg_notify('suido_list', new.issuer_id);
  return null;
end $$;
create trigger announce_list after insert on ca.list for each row when (new.current and new.scope = 'full') execute function ca.announce_list();

create function ca.append_only() returns trigger language plpgsql as $$
begin
  raise exception '% is append-only', tg_table_name using errcode = 'insufficient_privilege';
end $$;
create trigger append_only before update or delete or truncate on ca.change for each statement execute function ca.append_only();

revoke all on all functions in schema ca from public;
grant usage on schema ca to suido_app, suido_va, suido_signer, suido_worker;
grant execute on function ca.record_deny(text, timestamptz) to suido_app, suido_signer, suido_worker;

grant select on ca.issuer, ca.issued, ca.change, ca.list, ca.journal_mark to suido_app, suido_signer, suido_worker;
grant insert (serial, issuer_id, profile, profile_hash, shard, state, common_name, device_uri, dns_names, spki, spki_sha256, not_before, not_after,
              key_origin, request_hash, replaces, reserved_at) on ca.issued to suido_app;
grant update (state, reason, revoked_at, delivered_at) on ca.issued to suido_app;

grant select on ca.issuer, ca.list, ca.change, ca.journal_mark to suido_va;
grant select (serial, issuer_id, profile, shard, state, reason, revoked_at, not_after, good_xid, issued_at, der_sha256) on ca.issued to suido_va;

grant insert, update on ca.issuer, ca.issued, ca.list, ca.journal_mark to suido_signer;
grant insert on ca.change to suido_signer;
grant usage on sequence ca.change_seq to suido_signer;
