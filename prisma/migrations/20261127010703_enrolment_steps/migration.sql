-- How far people come, and where they stop. What a page or a check has seen of an enrolment, once for each step: no person,
-- no address, no browser.
create table app.enrolment_step (
  corporation_id uuid not null,
  enrolment_id   uuid not null,
  step           text not null check (step ~ '^[a-z]+(-[a-z]+)*$' and length(step) <= 30),
  first_at       timestamptz not null,
  last_at        timestamptz not null check (last_at >= first_at),
  times          integer not null check (times > 0),
  primary key (enrolment_id, step),
  foreign key (corporation_id, enrolment_id) references app.enrolment (corporation_id, id) on delete cascade
);
alter table app.enrolment_step enable row level security;
alter table app.enrolment_step force row level security;
create policy tenant on app.enrolment_step to suido_app using (corporation_id = app.current_corporation()) with check (corporation_id = app.current_corporation());
create policy owner on app.enrolment_step to suido_owner using (true) with check (true);
grant select, insert on app.enrolment_step to suido_app;
grant update (last_at, times) on app.enrolment_step to suido_app;

alter table app.enrolment
  -- When the worker has taken its end, and its first use, into the metrics: each counts once, whoever looks.
  add column measured_at     timestamptz,
  add column use_measured_at timestamptz;
update app.enrolment set measured_at = ended_at, use_measured_at = ended_at where ended_at is not null;
create index enrolment_by_start on app.enrolment (started_at) where started_at is not null;
create index enrolment_unmeasured on app.enrolment (ended_at) where ended_at is not null and measured_at is null;
create index enrolment_use_unmeasured on app.enrolment (ended_at) where state = 'proven' and use_measured_at is null;

-- What became of an enrolment that somebody has begun. Runs with the caller's rights.
create function app.enrolment_outcome(e app.enrolment) returns table (platform text, outcome text, to_proof double precision, to_use double precision,
  made integer, is_other_style boolean, failed text[], last_step text) language sql stable set search_path = pg_catalog, pg_temp as $$
  select coalesce((select d.platform from app.device d where d.id = e.device_id), e.device_platform, 'other'),
    case when e.state = 'proven' then 'proven' when e.replaced_by is not null then 'replaced'
      when e.state in ('expired', 'withdrawn') then 'dropped' else 'open' end,
    case when e.state = 'proven' then extract(epoch from e.ended_at - e.started_at)::double precision end,
    (select extract(epoch from min(u.first_at) - e.ended_at)::double precision
     from app.binding b join ca.issued i on i.serial = b.serial and i.proven_at is not null
     join party.use u on u.serial = b.serial where b.enrolment_id = e.id and e.state = 'proven'),
    (select count(*)::integer from app.binding b where b.enrolment_id = e.id),
    exists (select from app.enrolment_step s where s.enrolment_id = e.id and s.step = 'other-style'),
    array(select substr(s.step, 7) from app.enrolment_step s where s.enrolment_id = e.id and s.step like 'check-%' and s.step <> 'check-asked'),
    -- The last page that was seen; where no script has told, how far the enrolment itself came.
    coalesce((select s.step from app.enrolment_step s where s.enrolment_id = e.id and s.step not like 'check-%' and s.step <> 'other-style'
        and e.issued_at is not null order by s.last_at desc, s.first_at desc limit 1),
      case when e.identified_at is not null then 'make' else 'identify' end)
$$;

-- By platform, of the enrolments that were begun in a time. With the caller's rights: of one tenant for those who see one.
create function app.platform_figures(from_at timestamptz, to_at timestamptz) returns table (platform text, begun bigint, proven bigint, first_try bigint,
  dropped bigint, certificates bigint, other_style bigint, proof_p50 double precision, proof_p90 double precision, use_p50 double precision,
  use_p90 double precision, failed jsonb, dropped_at jsonb, steps jsonb) language sql stable set search_path = pg_catalog, pg_temp as $$
  with fact as materialized (
    select e.id, o.* from app.enrolment e cross join lateral app.enrolment_outcome(e) o
    where e.started_at >= from_at and e.started_at < to_at
  )
  select f.platform, count(*), count(*) filter (where f.outcome = 'proven'),
    count(*) filter (where f.outcome = 'proven' and f.made = 1 and not f.is_other_style and cardinality(f.failed) = 0),
    count(*) filter (where f.outcome = 'dropped'), coalesce(sum(f.made), 0)::bigint, count(*) filter (where f.is_other_style),
    percentile_cont(0.5) within group (order by f.to_proof), percentile_cont(0.9) within group (order by f.to_proof),
    percentile_cont(0.5) within group (order by f.to_use), percentile_cont(0.9) within group (order by f.to_use),
    coalesce((select jsonb_object_agg(g.reason, g.n) from (select reason, count(*) as n from fact a cross join unnest(a.failed) as reason
      where a.platform = f.platform group by reason) g), '{}'),
    coalesce((select jsonb_object_agg(g.last_step, g.n) from (select a.last_step, count(*) as n from fact a
      where a.platform = f.platform and a.outcome = 'dropped' group by a.last_step) g), '{}'),
    coalesce((select jsonb_object_agg(g.step, g.n) from (select s.step, sum(s.times) as n from fact a join app.enrolment_step s on s.enrolment_id = a.id
      where a.platform = f.platform group by s.step) g), '{}')
  from fact f group by f.platform order by f.platform
$$;

-- The same of all tenants, for staff.
create function app.staff_platform_figures(from_at timestamptz, to_at timestamptz) returns setof jsonb language sql stable security definer
  set search_path = pg_catalog, pg_temp as $$ select to_jsonb(f) from app.platform_figures(from_at, to_at) f $$;

-- Ends that no metric has counted yet, so many at most, which are counted from then on.
create function app.measure_enrolments(at timestamptz, size integer) returns table (platform text, outcome text, to_proof double precision, made integer,
  is_other_style boolean, failed text[], last_step text) language sql security definer set search_path = pg_catalog, pg_temp as $$
  with due as (
    select e.id from app.enrolment e where e.ended_at is not null and e.measured_at is null order by e.ended_at limit size for update skip locked
  ), done as (
    update app.enrolment e set measured_at = at from due where e.id = due.id returning e as enrolment
  )
  select o.platform, o.outcome, o.to_proof, o.made, o.is_other_style, o.failed, o.last_step
  from done cross join lateral app.enrolment_outcome(done.enrolment) o where (done.enrolment).started_at is not null
$$;

-- First uses of what was proven in the last two days, each once: in seconds since the proof.
create function app.measure_first_uses(at timestamptz) returns table (platform text, to_use double precision) language sql security definer
  set search_path = pg_catalog, pg_temp as $$
  with due as (
    select e.id from app.enrolment e cross join lateral app.enrolment_outcome(e) o
    where e.state = 'proven' and e.use_measured_at is null and e.ended_at > at - interval '2 days' and o.to_use is not null
    for update of e skip locked
  ), done as (
    update app.enrolment e set use_measured_at = at from due where e.id = due.id returning e as enrolment
  )
  select o.platform, greatest(o.to_use, 0) from done cross join lateral app.enrolment_outcome(done.enrolment) o
$$;

revoke all on function app.enrolment_outcome(app.enrolment), app.platform_figures(timestamptz, timestamptz), app.staff_platform_figures(timestamptz, timestamptz),
  app.measure_enrolments(timestamptz, integer), app.measure_first_uses(timestamptz) from public;
grant execute on function app.enrolment_outcome(app.enrolment), app.platform_figures(timestamptz, timestamptz),
  app.staff_platform_figures(timestamptz, timestamptz) to suido_app;
grant execute on function app.measure_enrolments(timestamptz, integer), app.measure_first_uses(timestamptz) to suido_worker;
