-- What is new for authorize is a few certificates, however many there are, and is asked after each issue. A join let the
-- planner guess how many were touched, and a wrong guess read all bindings for one. Now each is looked for by an index:
-- subqueries with `offset 0` or `limit` are run for each row that they are asked for.
create or replace function app.authorization_changes(since xid8) returns setof app.authorization_fact
language sql stable security definer set search_path = pg_catalog, pg_temp set plan_cache_mode = force_custom_plan
set enable_seqscan = off set max_parallel_workers_per_gather = 0 set jit = off as $$
  with touched as (
    select b.serial from app.binding b
    where b.changed_xid >= since and b.changed_xid < pg_snapshot_xmax(pg_current_snapshot())
    union
    select b.serial from app.device d
    cross join lateral (select b.serial from app.binding b where b.device_id = d.id and b.bound_to is null offset 0) b
    where d.changed_xid >= since and d.changed_xid < pg_snapshot_xmax(pg_current_snapshot())
    union
    select b.serial from app.account a
    cross join lateral (select b.serial from app.binding b where b.account_id = a.id and b.bound_to is null offset 0) b
    where a.changed_xid >= since and a.changed_xid < pg_snapshot_xmax(pg_current_snapshot())
    union
    select b.serial from app.membership m
    cross join lateral (select b.serial from app.binding b where b.account_id = m.account_id and b.bound_to is null offset 0) b
    where m.changed_xid >= since and m.changed_xid < pg_snapshot_xmax(pg_current_snapshot())
    union
    select b.serial from app.corporation c
    cross join lateral (select b.serial from app.binding b where b.corporation_id = c.id and b.bound_to is null offset 0) b
    where c.changed_xid >= since and c.changed_xid < pg_snapshot_xmax(pg_current_snapshot())
  )
  select f.* from touched t
  cross join lateral (select * from app.authorization_fact f where f.serial = t.serial order by f.open desc limit 1) f
$$;
