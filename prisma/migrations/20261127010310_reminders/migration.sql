-- A reminder is a digest: a mailbox gets one a day, of all the devices that are due. What it is about are rows of their own,
-- by which a certificate is told of once a stage, and looked up without reading mails.
create table app.mail_item (
  mail_id        uuid not null references app.mail (id) on delete cascade,
  corporation_id uuid not null,
  serial         bytea not null references ca.issued (serial),
  -- Days before the end; null of what somebody wants renewed at once.
  stage          smallint,
  -- Who is told by it: those who decide, or the people at the machine itself.
  audience       text not null check (audience in ('decides', 'device')),
  -- Of a mail that did not reach anybody: it counts as not told.
  void           boolean not null default false,
  primary key (mail_id, serial, audience)
);
create index mail_item_by_serial on app.mail_item (serial, stage, audience) where not void;
create index mail_waiting_for on app.mail (lower(recipient), kind) where state = 'due';

alter table app.mail_item enable row level security;
alter table app.mail_item force row level security;
create policy tenant on app.mail_item for select to suido_app using (corporation_id = app.current_corporation());
create policy owner on app.mail_item to suido_owner using (true) with check (true);
grant select on app.mail_item to suido_app;

insert into app.mail_item (mail_id, corporation_id, serial, stage, audience)
select m.id, m.corporation_id, i.serial, m.stage, 'decides'
from app.mail m join ca.issued i on i.serial = decode(split_part(m.subject, '/', 2), 'hex')
where m.kind = 'expiry' and m.recipient is not null;

-- What somebody has to look after, because a mail cannot: a certificate of which nobody can be told, a mail that came back.
create table app.task (
  id             uuid primary key default gen_random_uuid(),
  -- Null for a mail to the operators themselves.
  corporation_id uuid,
  kind           text not null check (kind in ('untold', 'returned')),
  -- `certificate/<serial>`, `mail/<id>`.
  subject        text not null,
  -- Of `untold`: which reminder it was, as in app.mail_item.
  stage          smallint,
  -- Of `returned`: no mail is written to this mailbox while this is open.
  address        text check (length(address) between 3 and 254),
  facts          jsonb not null,
  opened_at      timestamptz not null,
  -- When the operators were written to.
  told_at        timestamptz,
  closed_at      timestamptz,
  closed_by      text,
  constraint closed_whole check ((closed_at is null) = (closed_by is null)),
  constraint returned_has_address check ((kind = 'returned') = (address is not null))
);
create unique index task_one_untold on app.task (subject) where kind = 'untold' and closed_at is null;
create unique index task_one_returned on app.task (lower(address), corporation_id) nulls not distinct where kind = 'returned' and closed_at is null;
create index task_by_subject on app.task (subject);
create index task_to_tell on app.task (opened_at) where told_at is null and closed_at is null;
create index task_by_corporation on app.task (corporation_id, id);

alter table app.task enable row level security;
alter table app.task force row level security;
create policy tenant on app.task to suido_app using (corporation_id = app.current_corporation()) with check (corporation_id = app.current_corporation());
create policy owner on app.task to suido_owner using (true) with check (true);
grant select, update (closed_at, closed_by) on app.task to suido_app;

-- From when a certificate is asked to renew, once its time comes near. The rule is a program's (lifecycle/renewal-windows.ts);
-- what it has told is kept, so that a day's round need not compute the pharmacy's calendar again.
create table ca.renewal_window (
  serial     bytea primary key references ca.issued (serial),
  renew_from timestamptz not null
);

-- Which reminder a code came with, and in which mail a link or a code: a later reminder's code takes the place of an older one's.
alter table app.enrolment_link
  add column mail_id uuid references app.mail (id) on delete set null,
  add column stage smallint;
create index enrolment_link_by_mail on app.enrolment_link (mail_id) where mail_id is not null;
grant update (expires_at) on app.enrolment to suido_app;

create index membership_of_head_office on app.membership (corporation_id) where role = 'headOffice';

-- Whether a certificate has been followed, directly or not, by one that is good, and with which a device was seen: one that
-- was only made may never have reached it.
create or replace function app.has_successor(wanted bytea, at timestamptz) returns boolean language sql stable security definer set search_path = pg_catalog, pg_temp as $$
  with recursive later as (
    select s.serial, s.state, s.not_after, s.proven_at from ca.issued s where s.replaces = wanted
    union all
    select s.serial, s.state, s.not_after, s.proven_at from later join ca.issued s on s.replaces = later.serial
  )
  select exists (select from later l where l.state = 'good' and l.not_after >= at
    and (l.proven_at is not null or exists (select from party.use u where u.serial = l.serial)))
$$;

-- Who is told of a device's certificate. `decides`: the person of a personal device, else the managers of the pharmacy, else
-- head office, of this pharmacy first; whoever has left, is disabled, or whose mailbox has returned a mail is passed over.
-- `device`: whoever a shared device's certificate names, where a mail to them reaches the people at the machine.
-- A mailbox that several of them share is told once, without a name.
create function app.reminder_recipients(corporation uuid, pharmacy uuid, responsible uuid, device_use text, at timestamptz)
returns table (audience text, account_id uuid, address text, locale text, name text) language sql stable security definer rows 3 set search_path = pg_catalog, pg_temp as $$
  with candidate as (
    select a.*, case when device_use = 'personal' then 'decides' else 'device' end as audience, 0 as preference from app.account a
    where a.id = responsible and exists (select from app.membership m where m.account_id = a.id and m.pharmacy_id = pharmacy
      and m.valid_from <= at and (m.valid_to is null or m.valid_to > at))
    union all
    select a.*, 'decides', case m.role when 'manager' then 1 else 2 end
    from app.membership m join app.account a on a.id = m.account_id
    where m.pharmacy_id = pharmacy and m.role in ('manager', 'headOffice') and m.valid_from <= at and (m.valid_to is null or m.valid_to > at)
    union all
    select a.*, 'decides', 3
    from app.membership m join app.account a on a.id = m.account_id
    where m.corporation_id = corporation and m.role = 'headOffice' and m.valid_from <= at and (m.valid_to is null or m.valid_to > at)
  ), reachable as (
    select c.*, rank() over (partition by c.audience order by c.preference) as place from candidate c
    where c.disabled_at is null and c.email is not null
      and not exists (select from app.task t where t.kind = 'returned' and t.closed_at is null and lower(t.address) = lower(c.email) and t.corporation_id = corporation)
  ), told as (
    select r.*, row_number() over (partition by r.audience, lower(r.email) order by r.id) as copy,
      bool_or(r.email_shared) over (partition by lower(r.email))
        or min(r.id::text) over (partition by lower(r.email)) <> max(r.id::text) over (partition by lower(r.email)) as is_shared
    from reachable r where r.place = 1
  )
  select t.audience, t.id, t.email, t.locale, case when t.is_shared then null else t.name end from told t where t.copy = 1
$$;

drop function app.plan_expiry_mails(timestamptz, text, smallint[]);

-- Plans the reminders of expiry that are due, each certificate's newest stage only: after an outage nobody gets five mails.
-- A day's reminders begin at nine in the zone, and what waits since an earlier day is told by that day's. A stage that had
-- passed when the certificate was issued was never due. The first stage is a notice; none of the others goes out before the
-- certificate's own time to renew. What lives for less than a week is asked for anew, and not renewed.
-- A mailbox has one digest a day: what comes later joins it while it waits, and the next day's otherwise.
-- One planner at a time; planned twice, the second finds nothing. Tells how many, and of how many certificates nobody could be told.
create function app.plan_expiry_mails(at timestamptz, zone text, stages smallint[])
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

-- Plans the mail that a certificate of the caller's tenant is to be renewed at once, to whom a reminder would go. It waits a
-- minute for others of the same incident, so that a mailbox gets one for all.
create function app.plan_order_mails(wanted bytea, at timestamptz) returns integer language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  bound record;
  told record;
  mail uuid;
  count integer := 0;
  has_decider boolean := false;
begin
  select b.corporation_id, b.pharmacy_id, b.account_id, p.name as pharmacy, v.name as device, v.use, i.not_after into bound
  from app.binding b join app.device v on v.id = b.device_id join app.pharmacy p on p.id = b.pharmacy_id join ca.issued i on i.serial = b.serial
  where b.serial = wanted and b.bound_to is null and b.corporation_id = app.current_corporation();
  if not found then return 0; end if;
  for told in select r.* from app.reminder_recipients(bound.corporation_id, bound.pharmacy_id, bound.account_id, bound.use, at) r order by r.audience, r.account_id loop
    select m.id into mail from app.mail m
    where lower(m.recipient) = lower(told.address) and m.kind = 'renew-now' and m.state = 'due' and m.corporation_id = bound.corporation_id
      and m.next_attempt_at > at and m.attempts = 0 limit 1 for update;
    if not found then
      insert into app.mail (key, corporation_id, kind, subject, recipient, locale, facts, due_at, next_attempt_at, created_at)
      values (format('renew-now:%s:%s', encode(wanted, 'hex'), md5(lower(told.address))), bound.corporation_id, 'renew-now', 'renewal-order/' || at::date,
        told.address, told.locale, jsonb_strip_nulls(jsonb_build_object('name', told.name)), at, at + interval '1 minute', at)
      returning id into mail;
    end if;
    insert into app.mail_item (mail_id, corporation_id, serial, audience) values (mail, bound.corporation_id, wanted, told.audience) on conflict do nothing;
    has_decider := has_decider or told.audience = 'decides';
    count := count + 1;
  end loop;
  if not has_decider then
    insert into app.task (corporation_id, kind, subject, stage, facts, opened_at)
    values (bound.corporation_id, 'untold', 'certificate/' || encode(wanted, 'hex'), 0,
      jsonb_build_object('pharmacy', bound.pharmacy, 'device', bound.device, 'notAfter', bound.not_after), at)
    on conflict (subject) where kind = 'untold' and closed_at is null do nothing;
  end if;
  return count;
end $$;

-- What a reminder is about at the time when it is written: only what is still to be renewed, the earliest end first.
create function app.reminder_items(wanted uuid, at timestamptz)
returns table (corporation_id uuid, serial bytea, stage smallint, pharmacy text, device_id uuid, device text, device_use text, account_id uuid,
  not_after timestamptz, reason text) language sql stable security definer set search_path = pg_catalog, pg_temp as $$
  select t.corporation_id, t.serial, min(t.stage), p.name, v.id, v.name, v.use, b.account_id, i.not_after,
    (select o.reason from app.renewal_order o where o.serial = t.serial)
  from app.mail_item t
  join ca.issued i on i.serial = t.serial and i.state = 'good' and i.not_after > at
  join app.binding b on b.serial = t.serial and b.bound_to is null and b.corporation_id = t.corporation_id
  join app.device v on v.id = b.device_id and v.retired_at is null
  join app.pharmacy p on p.id = b.pharmacy_id
  where t.mail_id = wanted and not t.void and not app.has_successor(t.serial, at)
  group by t.corporation_id, t.serial, p.name, v.id, v.name, v.use, b.account_id, i.not_after
  order by i.not_after, p.name, v.name, t.serial
$$;

-- Drops reminders that wait while nothing of what they say is so any more, and ends tasks that have settled themselves.
create or replace function app.drop_expiry_mails(at timestamptz) returns integer language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  dropped integer;
begin
  update app.mail m set state = 'dropped', leased_until = null, last_error = 'no longer needed'
  where m.state = 'due' and m.kind in ('expiry', 'renew-now') and (m.leased_until is null or m.leased_until <= at)
    and not exists (select from app.reminder_items(m.id, at));
  get diagnostics dropped = row_count;
  return dropped;
end $$;

create function app.settle_tasks(at timestamptz) returns integer language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  settled integer;
begin
  update app.task k set closed_at = at, closed_by = 'worker'
  where k.closed_at is null and (
    (k.kind = 'untold' and not exists (select from ca.issued i where i.serial = decode(split_part(k.subject, '/', 2), 'hex')
      and i.state = 'good' and i.not_after > at and not app.has_successor(i.serial, at)))
    or (k.kind = 'returned' and k.corporation_id is not null and not exists (select from app.account a
      where lower(a.email) = lower(k.address) and a.corporation_id = k.corporation_id and a.disabled_at is null)));
  get diagnostics settled = row_count;
  return settled;
end $$;

-- The open tasks of which the operators have not heard yet; they are told of them now.
create function app.tell_tasks(at timestamptz) returns table (kind text, facts jsonb) language sql security definer set search_path = pg_catalog, pg_temp as $$
  update app.task k set told_at = at where k.told_at is null and k.closed_at is null returning k.kind, k.facts || jsonb_strip_nulls(jsonb_build_object('address', k.address))
$$;

-- Certificates whose time comes near and whose day to renew nobody has told yet, with all that their pharmacies' devices have had.
create function app.windows_wanted(at timestamptz, beyond timestamptz, size integer)
returns table (pharmacy_id uuid, is_wanted boolean, serial bytea, device_id uuid, not_before timestamptz, not_after timestamptz)
language sql stable security definer set search_path = pg_catalog, pg_temp as $$
  with wanted as materialized (
    select i.serial, d.pharmacy_id
    from ca.issued i join app.binding b on b.serial = i.serial and b.bound_to is null join app.device d on d.id = b.device_id
    where i.state = 'good' and i.profile <> 'emergency' and i.not_after > at and i.not_after < beyond and not exists (select from ca.renewal_window w where w.serial = i.serial)
    -- A pharmacy's calendar is computed once for all of them.
    order by d.pharmacy_id limit size
  )
  select d.pharmacy_id, w.serial is not null, i.serial, b.device_id, i.not_before, i.not_after
  from (select distinct w.pharmacy_id from wanted w) here
  join app.device d on d.pharmacy_id = here.pharmacy_id
  join app.binding b on b.device_id = d.id and b.bound_to is null
  join ca.issued i on i.serial = b.serial and i.der is not null and i.profile <> 'emergency'
  left join wanted w on w.serial = i.serial
  order by d.pharmacy_id, i.issued_at, i.serial
$$;

create function app.keep_windows(serials bytea[], times timestamptz[]) returns void language sql security definer set search_path = pg_catalog, pg_temp as $$
  insert into ca.renewal_window (serial, renew_from) select s, t from unnest(serials, times) as kept (s, t) on conflict do nothing
$$;

-- Says what became of a claimed mail: `due` is to be tried again. False when somebody else has claimed it since. What stands in
-- a mail that the server will never take was told to nobody: somebody else hears of it, and operators of the mailbox.
alter table app.mail drop constraint mail_state_check, add constraint mail_state_check check (state in ('due', 'sent', 'failed', 'dropped', 'returned'));
create or replace function app.finish_mail(wanted uuid, attempt integer, outcome text, at timestamptz, retry_at timestamptz, error text)
returns boolean language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  update app.mail m
  set state = outcome, leased_until = null, sent_at = case when outcome = 'sent' then at end,
    next_attempt_at = coalesce(retry_at, m.next_attempt_at), last_error = error
  where m.id = wanted and m.attempts = attempt and m.state = 'due';
  if not found then return false; end if;
  if outcome = 'returned' then
    update app.mail_item t set void = true where t.mail_id = wanted;
    insert into app.task (corporation_id, kind, subject, address, facts, opened_at)
    select m.corporation_id, 'returned', 'mail/' || m.id, m.recipient, jsonb_strip_nulls(jsonb_build_object('about', m.subject, 'diagnostic', error)), at
    from app.mail m where m.id = wanted and m.recipient is not null
    on conflict (lower(address), corporation_id) where kind = 'returned' and closed_at is null do nothing;
  end if;
  return true;
end $$;

-- Figures: how many wait and since when the first of them, how many were given up, and how many tasks are open, by kind.
drop function app.mail_figures();
create function app.mail_figures() returns table (due bigint, oldest timestamptz, failed bigint, untold bigint, returned bigint)
language sql stable security definer set search_path = pg_catalog, pg_temp as $$
  select m.due, m.oldest, m.failed, k.untold, k.returned
  from (select count(*) filter (where m.state = 'due') as due, min(m.due_at) filter (where m.state = 'due') as oldest,
      count(*) filter (where m.state = 'failed') as failed from app.mail m where m.state in ('due', 'failed')) m,
    (select count(*) filter (where t.kind = 'untold') as untold, count(*) filter (where t.kind = 'returned') as returned
      from app.task t where t.closed_at is null) k
$$;

-- Addresses and names are kept no longer than somebody may ask whether a mail was sent.
create or replace function app.forget_mails(before timestamptz) returns integer language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  forgotten integer;
begin
  delete from app.task k where k.closed_at < before;
  delete from ca.renewal_window w using ca.issued i where i.serial = w.serial and i.not_after < before;
  delete from app.mail m where m.state <> 'due' and m.created_at < before;
  get diagnostics forgotten = row_count;
  return forgotten;
end $$;

drop function app.expiry_recipients(uuid, uuid, text, timestamptz);
revoke all on function app.reminder_recipients(uuid, uuid, uuid, text, timestamptz), app.plan_expiry_mails(timestamptz, text, smallint[]),
  app.plan_order_mails(bytea, timestamptz), app.reminder_items(uuid, timestamptz), app.settle_tasks(timestamptz), app.tell_tasks(timestamptz),
  app.windows_wanted(timestamptz, timestamptz, integer), app.keep_windows(bytea[], timestamptz[]), app.mail_figures() from public;
grant execute on function app.plan_expiry_mails(timestamptz, text, smallint[]), app.reminder_items(uuid, timestamptz), app.settle_tasks(timestamptz),
  app.tell_tasks(timestamptz), app.windows_wanted(timestamptz, timestamptz, integer), app.keep_windows(bytea[], timestamptz[]), app.mail_figures() to suido_worker;
grant execute on function app.plan_order_mails(bytea, timestamptz) to suido_app;
