-- Mails that are due. What is due is a row with a unique key; whoever sends only looks. A tenant sees its own; suido_worker
-- works across tenants through the functions below and sees no table.

create table app.mail (
  id              uuid primary key default gen_random_uuid(),
  -- The same key is the same mail: `expiry:<serial>:<stage>:<account>`.
  key             text not null unique check (length(key) between 1 and 200),
  -- Null for what goes to the operators of Suido.
  corporation_id  uuid,
  kind            text not null check (kind ~ '^[a-z][a-z-]{0,39}$'),
  -- What it is about, as in the log: `certificate/<serial>`; and which of the reminders it is: days before the end.
  subject         text not null,
  stage           smallint,
  -- Null when there was nobody to tell.
  recipient       text check (length(recipient) between 3 and 254),
  locale          text not null check (locale in ('ja', 'en')),
  facts           jsonb not null,
  due_at          timestamptz not null,
  state           text not null default 'due' check (state in ('due', 'sent', 'failed', 'dropped')),
  attempts        integer not null default 0,
  next_attempt_at timestamptz not null,
  leased_until    timestamptz,
  sent_at         timestamptz,
  last_error      text,
  created_at      timestamptz not null,
  constraint sent_has_time check ((state = 'sent') = (sent_at is not null)),
  constraint nobody_is_dropped check (recipient is not null or state = 'dropped')
);
create index mail_due on app.mail (next_attempt_at, id) where state = 'due';
create index mail_by_subject on app.mail (subject, stage);
create index mail_by_age on app.mail (created_at) where state <> 'due';

alter table app.mail enable row level security;
alter table app.mail force row level security;
create policy tenant on app.mail for select to suido_app using (corporation_id = app.current_corporation());
create policy owner on app.mail to suido_owner using (true) with check (true);
grant select on app.mail to suido_app;

-- Whether a certificate that is good now has been followed, directly or not, by one that is good too.
create function app.has_successor(wanted bytea, at timestamptz) returns boolean language sql stable security definer set search_path = pg_catalog, pg_temp as $$
  with recursive later as (
    select s.serial, s.state, s.not_after from ca.issued s where s.replaces = wanted
    union all
    select s.serial, s.state, s.not_after from later join ca.issued s on s.replaces = later.serial
  )
  select exists (select from later l where l.state = 'good' and l.not_after >= at)
$$;

-- Who is told that a device's certificate ends: the responsible person of a personal one, else the managers of the
-- pharmacy, else its head office. A mailbox that several of them share is told once, without a name.
create function app.expiry_recipients(pharmacy uuid, responsible uuid, device_use text, at timestamptz)
returns table (account_id uuid, address text, locale text, name text) language sql stable security definer set search_path = pg_catalog, pg_temp as $$
  with candidate as (
    select a.*, 0 as preference from app.account a where device_use = 'personal' and a.id = responsible
    union all
    select a.*, case m.role when 'manager' then 1 else 2 end
    from app.membership m join app.account a on a.id = m.account_id
    where m.pharmacy_id = pharmacy and m.role in ('manager', 'headOffice') and m.valid_from <= at and (m.valid_to is null or m.valid_to > at)
  ), reachable as (
    select c.*, rank() over (order by c.preference) as place,
      row_number() over (partition by lower(c.email) order by c.preference, c.id) as copy,
      bool_or(c.email_shared) over (partition by lower(c.email)) or count(*) over (partition by c.preference, lower(c.email)) > 1 as is_shared
    from candidate c where c.disabled_at is null and c.email is not null
  )
  select r.id, r.email, r.locale, case when r.is_shared then null else r.name end from reachable r where r.place = 1 and r.copy = 1
$$;

-- Plans the reminders of expiry that are due, each certificate's newest stage only: after an outage nobody gets five mails.
-- A day's reminders begin at nine in the zone; a stage that had passed when the certificate was issued was never due.
-- One planner at a time; planned twice, the second finds nothing. Tells how many, and where there was nobody to tell.
create function app.plan_expiry_mails(at timestamptz, zone text, stages smallint[])
returns table (planned bigint, untold bigint, examples jsonb) language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  today date := (at at time zone zone - interval '9 hours')::date;
begin
  perform pg_advisory_xact_lock(727077, 3);
  return query
  with span as (
    -- The ends for which each stage is the newest: after those of the next smaller one, up to its own.
    select s as stage, (today + 1 + coalesce(lead(s) over (order by s desc), -1))::timestamp at time zone zone as first,
      (today + 1 + s)::timestamp at time zone zone as beyond
    from unnest(stages) s
  ), due as materialized (
    select i.serial, encode(i.serial, 'hex') as hex, i.not_after, i.issued_at, p.stage,
      ((i.not_after at time zone zone)::date - p.stage + time '09:00') at time zone zone as due_at
    from span p join ca.issued i on i.not_after >= p.first and i.not_after < p.beyond
    where i.state = 'good' and i.not_after > at
      and not exists (select from app.mail m where m.subject = 'certificate/' || encode(i.serial, 'hex') and m.stage = p.stage and m.recipient is not null)
      -- Most successors are direct ones, found for all at once; has_successor below finds the others.
      and not exists (select from ca.issued n where n.replaces = i.serial and n.state = 'good' and n.not_after >= at)
  ), told as (
    select d.*, b.corporation_id, p.name as pharmacy, v.name as device, v.use, r.account_id, r.address, r.locale, r.name
    from due d
    join app.binding b on b.serial = d.serial and b.bound_to is null
    join app.device v on v.id = b.device_id and v.retired_at is null
    join app.pharmacy p on p.id = b.pharmacy_id
    left join lateral app.expiry_recipients(b.pharmacy_id, b.account_id, v.use, at) r on true
    where d.due_at > d.issued_at and not app.has_successor(d.serial, at)
  ), inserted as (
    insert into app.mail (key, corporation_id, kind, subject, stage, recipient, locale, facts, due_at, state, next_attempt_at, last_error, created_at)
    select format('expiry:%s:%s:%s', t.hex, t.stage, coalesce(t.account_id::text, 'nobody')), t.corporation_id, 'expiry',
      'certificate/' || t.hex, t.stage, t.address, coalesce(t.locale, 'ja'),
      jsonb_strip_nulls(jsonb_build_object('pharmacy', t.pharmacy, 'device', t.device, 'use', t.use, 'notAfter', t.not_after, 'name', t.name)),
      t.due_at, case when t.address is null then 'dropped' else 'due' end, at, case when t.address is null then 'nobody to tell' end, at
    from told t
    on conflict (key) do nothing
    returning recipient, key, facts
  )
  select count(*) filter (where i.recipient is not null), count(*) filter (where i.recipient is null),
    coalesce((select jsonb_agg(n.facts) from (select * from inserted x where x.recipient is null order by x.facts ->> 'notAfter', x.key limit 20) n), '[]')
  from inserted i;
end $$;

-- Drops reminders that wait while what they say is no longer so: replaced, revoked, over, or a later reminder is planned.
create function app.drop_expiry_mails(at timestamptz) returns integer language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  dropped integer;
begin
  update app.mail m set state = 'dropped', leased_until = null, last_error = 'no longer needed'
  where m.state = 'due' and m.kind = 'expiry' and (m.leased_until is null or m.leased_until <= at)
    and (exists (select from app.mail n where n.subject = m.subject and n.kind = 'expiry' and n.stage < m.stage)
      or not exists (select from ca.issued i where i.serial = decode(split_part(m.subject, '/', 2), 'hex')
                     and i.state = 'good' and i.not_after > at and not app.has_successor(i.serial, at)));
  get diagnostics dropped = row_count;
  return dropped;
end $$;

-- Plans a mail to the operators. False when it was planned before.
create function app.plan_operator_mail(new_key text, about text, address text, language text, what jsonb, at timestamptz)
returns boolean language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  insert into app.mail (key, kind, subject, recipient, locale, facts, due_at, next_attempt_at, created_at)
  values (new_key, 'operator', about, address, language, what, at, at, at) on conflict (key) do nothing;
  return found;
end $$;

-- Takes mails that are due, for so long that nobody else takes them meanwhile.
create function app.claim_mails(at timestamptz, until timestamptz, size integer)
returns setof app.mail language sql security definer set search_path = pg_catalog, pg_temp as $$
  update app.mail m set attempts = m.attempts + 1, leased_until = until
  from (select d.id from app.mail d where d.state = 'due' and d.next_attempt_at <= at and (d.leased_until is null or d.leased_until <= at)
        order by d.next_attempt_at, d.id limit size for update skip locked) taken
  where m.id = taken.id
  returning m.*
$$;

-- Says what became of a claimed mail: `due` is to be tried again. False when somebody else has claimed it since.
create function app.finish_mail(wanted uuid, attempt integer, outcome text, at timestamptz, retry_at timestamptz, error text)
returns boolean language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  update app.mail m
  set state = outcome, leased_until = null, sent_at = case when outcome = 'sent' then at end,
    next_attempt_at = coalesce(retry_at, m.next_attempt_at), last_error = error
  where m.id = wanted and m.attempts = attempt and m.state = 'due';
  return found;
end $$;

-- Figures: how many wait and since when the first of them, how many were given up, and for how many nobody could be told.
create function app.mail_figures() returns table (due bigint, oldest timestamptz, failed bigint, untold bigint)
language sql stable security definer set search_path = pg_catalog, pg_temp as $$
  select count(*) filter (where m.state = 'due'), min(m.due_at) filter (where m.state = 'due'),
    count(*) filter (where m.state = 'failed'), count(*) filter (where m.recipient is null)
  from app.mail m where m.state in ('due', 'failed') or m.recipient is null
$$;

-- Addresses and names are kept no longer than somebody may ask whether a mail was sent.
create function app.forget_mails(before timestamptz) returns integer language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  forgotten integer;
begin
  delete from app.mail m where m.state <> 'due' and m.created_at < before;
  get diagnostics forgotten = row_count;
  return forgotten;
end $$;

revoke all on function app.has_successor(bytea, timestamptz), app.expiry_recipients(uuid, uuid, text, timestamptz),
  app.plan_expiry_mails(timestamptz, text, smallint[]), app.drop_expiry_mails(timestamptz),
  app.plan_operator_mail(text, text, text, text, jsonb, timestamptz), app.claim_mails(timestamptz, timestamptz, integer),
  app.finish_mail(uuid, integer, text, timestamptz, timestamptz, text), app.mail_figures(), app.forget_mails(timestamptz) from public;
grant execute on function app.plan_expiry_mails(timestamptz, text, smallint[]), app.drop_expiry_mails(timestamptz),
  app.plan_operator_mail(text, text, text, text, jsonb, timestamptz), app.claim_mails(timestamptz, timestamptz, integer),
  app.finish_mail(uuid, integer, text, timestamptz, timestamptz, text), app.mail_figures(), app.forget_mails(timestamptz) to suido_worker;
