-- All certificates of a roll-out end on one day. Reminders of several hundred thousand take longer than a statement may: they are
-- planned in parts, each with its own corporations, so that a mailbox still has one digest.
drop function app.plan_expiry_mails(timestamptz, text, smallint[]);

-- Plans the reminders of expiry that are due, each certificate's newest stage only: after an outage nobody gets five mails.
-- A day's reminders begin at nine in the zone, and what waits since an earlier day is told by that day's. A stage that had
-- passed when the certificate was issued was never due. The first stage is a notice; none of the others goes out before the
-- certificate's own time to renew. What lives for less than a week is asked for anew, and not renewed.
-- A mailbox has one digest a day: what comes later joins it while it waits, and the next day's otherwise.
-- One planner at a time; planned twice, the second finds nothing. Tells how many, and of how many certificates nobody could be told.
create function app.plan_expiry_mails(at timestamptz, zone text, stages smallint[], part integer default 0, parts integer default 1)
returns table (planned bigint, untold bigint) language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  today date := (at at time zone zone - interval '9 hours')::date;
  nine timestamptz := (today + time '09:00') at time zone zone;
  first_stage smallint := (select max(s) from unnest(stages) s);
begin
  perform pg_advisory_xact_lock(727077, 3);
  with late as (
    update app.mail m set state = 'dropped', leased_until = null, last_error = 'a later one says it'
    where m.state = 'due' and m.kind = 'expiry' and m.due_at < nine and (m.leased_until is null or m.leased_until <= at)
    returning m.id
  )
  update app.mail_item t set void = true from late where t.mail_id = late.id;
  return query
  with span as (
    -- The ends for which each stage is the newest: after those of the next smaller one, up to its own.
    select s as stage, (today + 1 + coalesce(lead(s) over (order by s desc), -1))::timestamp at time zone zone as first,
      (today + 1 + s)::timestamp at time zone zone as beyond
    from unnest(stages) s
  ), wanted as materialized (
    select i.serial, i.not_after, i.issued_at, p.stage, a.audience
    from span p join ca.issued i on i.not_after >= p.first and i.not_after < p.beyond
    cross join (values ('decides'), ('device')) a (audience)
    where i.state = 'good' and i.not_after > at and i.not_after >= i.not_before + interval '7 days' and i.profile <> 'emergency'
      and not exists (select from app.mail_item t where t.serial = i.serial and t.stage = p.stage and t.audience = a.audience and not t.void)
      and (p.stage = first_stage
        or exists (select from ca.renewal_window w where w.serial = i.serial and w.renew_from <= nine)
        or exists (select from app.renewal_order o where o.serial = i.serial))
      -- Most successors are direct ones, found for all at once; has_successor below finds the others.
      and not exists (select from ca.issued n where n.replaces = i.serial and n.state = 'good' and n.not_after >= at and n.proven_at is not null)
      and (parts = 1 or exists (select from app.binding b where b.serial = i.serial and b.bound_to is null
        and abs(hashtext(b.corporation_id::text)::bigint) % parts = part))
  ), due as materialized (
    -- Those of one place and person have the same number: they are told to the same.
    select d.serial, d.stage, d.audience, d.not_after, b.corporation_id, b.pharmacy_id, b.account_id, p.name as pharmacy, v.name as device, v.use,
      dense_rank() over (order by b.corporation_id, b.pharmacy_id, b.account_id, v.use) as place
    from wanted d
    join app.binding b on b.serial = d.serial and b.bound_to is null
    join app.device v on v.id = b.device_id and v.retired_at is null
    join app.pharmacy p on p.id = b.pharmacy_id
    where ((d.not_after at time zone zone)::date - d.stage + time '09:00') at time zone zone > d.issued_at
      and (d.audience = 'decides' or v.use = 'shared' and exists (select from app.account a where a.id = b.account_id and a.email is not null))
      and not app.has_successor(d.serial, at)
  ), who as materialized (
    select k.place, r.audience, r.account_id as told_id, r.address, r.locale, r.name
    from (select distinct d.place, d.corporation_id, d.pharmacy_id, d.account_id, d.use from due d) k
    cross join lateral app.reminder_recipients(k.corporation_id, k.pharmacy_id, k.account_id, k.use, at) r
  ), everybody as materialized (
    select d.*, w.told_id, w.address, w.locale, w.name, format('expiry:%s:%s:%s', today, d.corporation_id, md5(lower(w.address))) as key
    from due d left join who w on w.place = d.place and w.audience = d.audience
  ), told as materialized (
    select * from everybody e where e.address is not null
  ), made as (
    insert into app.mail (key, corporation_id, kind, subject, recipient, locale, facts, due_at, next_attempt_at, created_at)
    select t.key, (array_agg(t.corporation_id))[1], 'expiry', 'reminder/' || today, (array_agg(t.address order by t.told_id))[1],
      (array_agg(t.locale order by t.told_id))[1],
      jsonb_strip_nulls(jsonb_build_object('name', case when count(distinct t.told_id) = 1 and bool_and(t.name is not null) then min(t.name) end)),
      nine, at, at
    from told t group by t.key
    on conflict (key) do nothing
    returning id, key
  ), open as (
    select m.id, m.key from made m
    union all
    -- Taken by nobody, and by nobody while this transaction lasts.
    select * from (select m.id, m.key from app.mail m where m.key in (select t.key from told t)
      and m.state = 'due' and (m.leased_until is null or m.leased_until <= at) for update) waiting
  ), item as (
    insert into app.mail_item (mail_id, corporation_id, serial, stage, audience)
    select distinct o.id, t.corporation_id, t.serial, t.stage, t.audience from told t join open o on o.key = t.key
    on conflict (mail_id, serial, audience) do update set stage = excluded.stage, void = false
    returning 1
  ), settled as (
    update app.task k set closed_at = at, closed_by = 'worker'
    where k.kind = 'untold' and k.closed_at is null
      and k.subject in (select 'certificate/' || encode(t.serial, 'hex') from told t where t.audience = 'decides')
  ), nobody as (
    insert into app.task (corporation_id, kind, subject, stage, facts, opened_at)
    select d.corporation_id, 'untold', 'certificate/' || encode(d.serial, 'hex'), d.stage,
      jsonb_build_object('pharmacy', d.pharmacy, 'device', d.device, 'notAfter', d.not_after), at
    from everybody d
    where d.audience = 'decides' and d.address is null
      and not exists (select from app.task c where c.subject = 'certificate/' || encode(d.serial, 'hex') and c.kind = 'untold'
        and c.closed_at is not null and c.stage <= d.stage)
    on conflict (subject) where kind = 'untold' and closed_at is null
      do update set stage = excluded.stage, facts = excluded.facts, told_at = null where app.task.stage > excluded.stage
    returning 1
  )
  select (select count(*) from made), (select count(*) from nobody) from (select count(*) from item) counted;
end $$;
revoke all on function app.plan_expiry_mails(timestamptz, text, smallint[], integer, integer) from public;
grant execute on function app.plan_expiry_mails(timestamptz, text, smallint[], integer, integer) to suido_worker;
