-- The life of an issuing CA: announced → active → retiring → ended, and what operators order of the signer about it.

alter table ca.issuer add column state_since timestamptz not null default now();
update ca.issuer set state_since = created_at;
comment on column ca.issuer.state_since is 'When it came into this state';

-- The order of states, whoever writes. An announced CA that is revoked goes to retiring: it never was active.
create function ca.check_issuer_transition() returns trigger language plpgsql as $$
begin
  if (new.id, new.kind, new.generation, new.parent_id, new.serial, new.certificate, new.subject, new.key_identifier, new.va_url)
     is distinct from
     (old.id, old.kind, old.generation, old.parent_id, old.serial, old.certificate, old.subject, old.key_identifier, old.va_url) then
    raise exception 'an issuer does not change' using errcode = 'check_violation';
  end if;
  if old.state <> new.state and not ((old.state, new.state) in (('announced', 'active'), ('announced', 'retiring'), ('active', 'retiring'), ('retiring', 'ended'))) then
    raise exception 'no way from % to %', old.state, new.state using errcode = 'check_violation';
  end if;
  return new;
end $$;
create trigger check_transition before update on ca.issuer for each row execute function ca.check_issuer_transition();

-- Signer, VA and mTLS listener take up a new CA, and a new state, without a restart.
create function ca.announce_issuer() returns trigger language plpgsql as $$
begin
  perform pg_notify('suido_issuer', new.id::text);
  return null;
end $$;
create trigger announce_issuer after insert or update of state on ca.issuer for each row execute function ca.announce_issuer();

-- What operators want of the signer. It alone carries out orders, at work or in a command of its own.
create table ca.issuer_order (
  id         uuid primary key,
  kind       text not null check (kind in ('rotate', 'activate', 'revoke')),
  issuer_id  text references ca.issuer (id),
  reason     smallint check (reason in (1, 2, 4, 5)),
  -- The people who have decided it, where one does not suffice.
  by         text[] not null default '{}',
  actor      text not null,
  ordered_at timestamptz not null,
  done_at    timestamptz,
  -- Which CA it was about, or has made; or why it was not carried out.
  outcome    text references ca.issuer (id),
  refused    text,
  constraint all_but_rotate_have_issuer check ((kind = 'rotate') = (issuer_id is null)),
  constraint only_revoke_has_reason check ((kind = 'revoke') = (reason is not null)),
  constraint done_one_way check (num_nonnulls(outcome, refused) = num_nonnulls(done_at))
);
comment on table ca.issuer_order is 'What an operator has ordered of the signer about the generations of issuing CAs.';
create index issuer_order_open on ca.issuer_order (ordered_at) where done_at is null;
create trigger announce_order after insert on ca.issuer_order for each row execute function ca.announce_issuer();

-- Each relying party that is at work, and since when it has this CA in force.
create function ca.acknowledgements(wanted text) returns table (relying_party_id uuid, name text, acknowledged_at timestamptz)
language sql stable security definer set search_path = pg_catalog, pg_temp as $$
  select p.id, p.name, a.at from party.relying_party p
  left join party.acknowledged_issuer a on a.relying_party_id = p.id and a.issuer_id = wanted
  where p.retired_at is null order by p.name
$$;

revoke all on function ca.check_issuer_transition(), ca.announce_issuer(), ca.acknowledgements(text) from public;
grant execute on function ca.acknowledgements(text) to suido_signer, suido_worker;
grant select, insert on ca.issuer_order to suido_signer;
grant update (done_at, outcome, refused) on ca.issuer_order to suido_signer;
