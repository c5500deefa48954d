-- Of how many certificates nobody has been told at their newest stage: into so many parts a round is divided. On most rounds that is
-- few, and dividing them by all that end soon had each part look at all of these.
create function app.count_untold_expiries(at timestamptz, zone text, stages smallint[]) returns bigint
language sql stable security definer set search_path = pg_catalog, pg_temp as $$
  with today as (select (at at time zone zone - interval '9 hours')::date as day), span as (
    select s as stage, (day + 1 + coalesce(lead(s) over (order by s desc), -1))::timestamp at time zone zone as first,
      (day + 1 + s)::timestamp at time zone zone as beyond
    from today, unnest(stages) s
  )
  select count(*) from span p join ca.issued i on i.not_after >= p.first and i.not_after < p.beyond
  where i.state = 'good' and i.not_after > at and not exists (
    select from app.mail_item t where t.serial = i.serial and t.stage = p.stage and t.audience = 'decides' and not t.void)
$$;
revoke all on function app.count_untold_expiries(timestamptz, text, smallint[]) from public;
grant execute on function app.count_untold_expiries(timestamptz, text, smallint[]) to suido_worker;
