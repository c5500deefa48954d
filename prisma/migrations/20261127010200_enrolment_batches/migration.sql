-- Invitations that were made together, of one file. What became of each stands in its enrolment.
create table app.enrolment_batch (
  id             uuid primary key,
  corporation_id uuid not null references app.corporation (id),
  asked_by       text not null,
  requested_by   text check (length(requested_by) between 1 and 100),
  lines          integer not null check (lines > 0),
  enrolments     integer not null check (enrolments >= lines),
  replaced       integer not null check (replaced >= 0),
  created_at     timestamptz not null,
  expires_at     timestamptz not null check (expires_at > created_at),
  unique (corporation_id, id)
);
alter table app.enrolment_batch enable row level security;
alter table app.enrolment_batch force row level security;
create policy tenant on app.enrolment_batch to suido_app using (corporation_id = app.current_corporation()) with check (corporation_id = app.current_corporation());
create policy owner on app.enrolment_batch to suido_owner using (true) with check (true);
grant select, insert on app.enrolment_batch to suido_app;

alter table app.enrolment
  add column batch_id uuid,
  -- In the file, from 1.
  add column batch_line integer check (batch_line > 0),
  add constraint batch_whole check ((batch_id is null) = (batch_line is null)),
  add constraint enrolment_of_batch foreign key (corporation_id, batch_id) references app.enrolment_batch (corporation_id, id) deferrable initially immediate;
grant update (batch_id, batch_line) on app.enrolment to suido_app;
create index enrolment_by_batch on app.enrolment (batch_id, batch_line, id) where batch_id is not null;

create or replace function app.tenant_of(kind text, id uuid) returns uuid language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
  case kind
    when 'corporation' then return (select c.id from app.corporation c where c.id = tenant_of.id);
    when 'pharmacy' then return (select p.corporation_id from app.pharmacy p where p.id = tenant_of.id);
    when 'account' then return (select a.corporation_id from app.account a where a.id = tenant_of.id);
    when 'membership' then return (select m.corporation_id from app.membership m where m.id = tenant_of.id);
    when 'device' then return (select d.corporation_id from app.device d where d.id = tenant_of.id);
    when 'stage' then return (select s.corporation_id from app.stage s where s.id = tenant_of.id);
    when 'bulk-issue' then return (select b.corporation_id from app.bulk_issue b where b.id = tenant_of.id);
    when 'enrolment' then return (select e.corporation_id from app.enrolment e where e.id = tenant_of.id);
    when 'enrolment-batch' then return (select b.corporation_id from app.enrolment_batch b where b.id = tenant_of.id);
    else return null;
  end case;
end $$;

create function app.staff_enrolment_batches(after uuid, size integer) returns setof app.enrolment_batch language sql stable security definer set search_path = pg_catalog, pg_temp as $$
  select * from app.enrolment_batch b where after is null or b.id > after order by b.id limit size
$$;

-- Plans the mails of many enrolments of the caller's tenant, to their accounts' addresses. Returns those whose account has one.
create function app.plan_enrolment_mails(wanted uuid[], at timestamptz) returns setof uuid language sql security definer set search_path = pg_catalog, pg_temp as $$
  with told as (
    select e.id, e.corporation_id, a.email, a.locale, 'enrolment:' || e.id as key,
      jsonb_strip_nulls(jsonb_build_object('enrolmentId', e.id, 'corporationId', e.corporation_id, 'pharmacy', p.name, 'device', d.name,
        'name', case when a.email_shared then null else a.name end, 'requestedBy', e.requested_by, 'reason', e.reason, 'expiresAt', e.expires_at)) as facts
    from app.enrolment e
    join app.account a on a.id = e.account_id
    join app.device d on d.id = e.device_id
    join app.pharmacy p on p.id = e.pharmacy_id
    where e.id = any (wanted) and e.corporation_id = app.current_corporation() and a.email is not null
  ), planned as (
    insert into app.mail (key, corporation_id, kind, subject, recipient, locale, facts, due_at, next_attempt_at, created_at)
    select t.key, t.corporation_id, 'enrolment', 'enrolment/' || t.id, t.email, t.locale, t.facts, at, at, at from told t
    on conflict (key) do nothing
  )
  select t.id from told t
$$;

revoke all on function app.staff_enrolment_batches(uuid, integer), app.plan_enrolment_mails(uuid[], timestamptz) from public;
grant execute on function app.staff_enrolment_batches(uuid, integer), app.plan_enrolment_mails(uuid[], timestamptz) to suido_app;
