-- What `/v1/authorize` needs to know of every certificate, for processes that keep it in memory: who stands behind it.
-- They follow it by the transaction that wrote a row last, below the horizon: a number from a sequence is drawn at INSERT
-- and seen at COMMIT, so whoever polls by it misses one for ever. Rows from before this migration have none: they are in
-- what is read at the start.

-- Only one that has not begun is deleted. Whoever follows hears of it by its account, which stays.
create function app.note_ended_membership() returns trigger language plpgsql as $$
begin
  update app.account set changed_xid = pg_current_xact_id() where id = old.account_id;
  return null;
end $$;

do $$
declare
  t text;
begin
  foreach t in array array['binding', 'device', 'account', 'membership', 'pharmacy', 'corporation'] loop
    execute format('alter table app.%I add column changed_xid xid8', t);
    execute format('create index %I on app.%I (changed_xid) where changed_xid is not null', t || '_by_changed_xid', t);
  end loop;
end $$;

-- Only what matters here: another name for a corporation must not send all its certificates again.
create trigger note_change before insert or update on app.binding for each row execute function party.note_change();
create trigger note_change before update of pharmacy_id, use, retired_at on app.device for each row execute function party.note_change();
create trigger note_change before update of disabled_at on app.account for each row execute function party.note_change();
create trigger note_change before insert or update of account_id, pharmacy_id, valid_from, valid_to on app.membership for each row execute function party.note_change();
create trigger note_change before insert or update of corporation_id on app.pharmacy for each row execute function party.note_change();
create trigger note_change before update of epoch on app.corporation for each row execute function party.note_change();
create trigger note_ended_membership after delete on app.membership for each row execute function app.note_ended_membership();
create index membership_by_account on app.membership (account_id, pharmacy_id);

-- One row for each binding. Granted to nobody: the functions below read it.
create view app.authorization_fact as
select b.serial, b.bound_to is null as open, b.device_id, b.account_id, b.pharmacy_id, b.corporation_id, c.epoch,
  d.use = 'personal' as personal, d.retired_at is not null as retired, a.disabled_at is not null as disabled,
  -- Of a personal device: when its person works in its pharmacy, now or next; null is without end.
  extract(epoch from lower(w.period))::float8 * 1000 as member_from, extract(epoch from upper(w.period))::float8 * 1000 as member_to,
  w.period is not null as member, coalesce(w.more, false) as member_later
from app.binding b
join app.device d on d.id = b.device_id
join app.account a on a.id = b.account_id
join app.corporation c on c.id = b.corporation_id
left join lateral (
  select p.period, lead(p.period) over (order by p.period) is not null as more
  from (select unnest(range_agg(tstzrange(m.valid_from, m.valid_to))) as period from app.membership m
        where d.use = 'personal' and m.account_id = b.account_id and m.pharmacy_id = d.pharmacy_id) p
  where upper_inf(p.period) or upper(p.period) > now()
  order by p.period limit 1
) w on true;
revoke all on app.authorization_fact from public;

-- All that are open. Called in the list of what is selected, it gives row after row, and keeps none.
create function app.authorization_facts() returns setof app.authorization_fact
language sql stable security definer set search_path = pg_catalog, pg_temp as $$
  select * from app.authorization_fact f where f.open
$$;

-- Those of these serials; of a closed one what was last.
create function app.authorization_facts_of(serials bytea[]) returns setof app.authorization_fact
language sql stable security definer set search_path = pg_catalog, pg_temp as $$
  select distinct on (f.serial) * from app.authorization_fact f where f.serial = any (serials) order by f.serial, f.open desc
$$;

-- Those that something was changed behind in a transaction that had not ended at `since`. Numbers of another cluster, left
-- by a restored dump, lie in the future.
create function app.authorization_changes(since xid8) returns setof app.authorization_fact
language sql stable security definer set search_path = pg_catalog, pg_temp as $$
  with touched as (
    select b.serial from app.binding b
    where b.changed_xid >= since and b.changed_xid < pg_snapshot_xmax(pg_current_snapshot())
    union
    select b.serial from app.device d join app.binding b on b.device_id = d.id and b.bound_to is null
    where d.changed_xid >= since and d.changed_xid < pg_snapshot_xmax(pg_current_snapshot())
    union
    select b.serial from app.account a join app.binding b on b.account_id = a.id and b.bound_to is null
    where a.changed_xid >= since and a.changed_xid < pg_snapshot_xmax(pg_current_snapshot())
    union
    select b.serial from app.membership m join app.binding b on b.account_id = m.account_id and b.bound_to is null
    where m.changed_xid >= since and m.changed_xid < pg_snapshot_xmax(pg_current_snapshot())
    union
    select b.serial from app.corporation c join app.binding b on b.corporation_id = c.id and b.bound_to is null
    where c.changed_xid >= since and c.changed_xid < pg_snapshot_xmax(pg_current_snapshot())
  )
  select distinct on (f.serial) f.* from touched t join app.authorization_fact f on f.serial = t.serial
  order by f.serial, f.open desc
$$;

-- Whose a pharmacy is, for those that a product names without a certificate: all, or those that were changed since.
create function app.authorization_pharmacies(since xid8) returns table (pharmacy_id uuid, corporation_id uuid)
language sql stable security definer set search_path = pg_catalog, pg_temp as $$
  select p.id, p.corporation_id from app.pharmacy p
  where since is null or p.changed_xid >= since and p.changed_xid < pg_snapshot_xmax(pg_current_snapshot())
$$;

-- What the index in memory computes of itself: for each combination of flags the count, and the XOR of the last eight
-- octets of serial, device, account and pharmacy.
create function app.authorization_digests() returns table (personal boolean, retired boolean, disabled boolean, count bigint, xor text)
language sql stable security definer set search_path = pg_catalog, pg_temp as $$
  select d.use = 'personal', d.retired_at is not null, a.disabled_at is not null, count(*),
    bit_xor(('x' || encode(substr(b.serial, 9, 8), 'hex'))::bit(64) # ('x' || encode(substr(uuid_send(b.device_id), 9, 8), 'hex'))::bit(64)
      # ('x' || encode(substr(uuid_send(b.account_id), 9, 8), 'hex'))::bit(64) # ('x' || encode(substr(uuid_send(b.pharmacy_id), 9, 8), 'hex'))::bit(64))::text
  from app.binding b join app.device d on d.id = b.device_id join app.account a on a.id = b.account_id
  where b.bound_to is null and length(b.serial) = 16
  group by 1, 2, 3
$$;

revoke all on function app.note_ended_membership(), app.authorization_facts(), app.authorization_facts_of(bytea[]),
  app.authorization_changes(xid8), app.authorization_pharmacies(xid8), app.authorization_digests() from public;
grant usage on schema app to suido_va;
grant execute on function app.authorization_facts(), app.authorization_facts_of(bytea[]), app.authorization_changes(xid8),
  app.authorization_pharmacies(xid8), app.authorization_digests() to suido_va;
