-- Certificates for many devices at once: what was asked for, and what became of each. Public keys only. An item without one
-- waits until somebody collects it: its key is made then, goes out with the answer, and is kept by nobody.
create table app.bulk_issue (
  id             uuid primary key,
  corporation_id uuid not null references app.corporation (id),
  profile        text not null,
  asked_by       text not null,
  total          integer not null check (total between 1 and 10000),
  issued         integer not null default 0,
  failed         integer not null default 0,
  uncollected    integer not null check (uncollected between 0 and total),
  created_at     timestamptz not null,
  started_at     timestamptz,
  ended_at       timestamptz,
  -- The code of what holds it up, while something does.
  held_up_by     text,
  unique (corporation_id, id),
  constraint counted check (issued >= 0 and failed >= 0 and issued + failed <= total),
  constraint ended_when_all_are check (ended_at is null or issued + failed = total)
);
create index bulk_issue_open on app.bulk_issue (id) where ended_at is null;
create index bulk_issue_by_end on app.bulk_issue (ended_at) where ended_at is not null;

create table app.bulk_issue_item (
  bulk_issue_id  uuid not null,
  corporation_id uuid not null,
  -- From 0, in the order of the request.
  place          integer not null,
  device_id      uuid not null,
  account_id     uuid not null,
  spki           bytea,
  spki_sha256    bytea,
  request_hash   bytea,
  -- Since when somebody makes its key.
  claimed_at     timestamptz,
  state          text not null check (state in ('waiting', 'reserved', 'issued', 'failed')),
  serial         bytea references ca.issued (serial),
  problem        text,
  detail         text,
  primary key (bulk_issue_id, place),
  foreign key (corporation_id, bulk_issue_id) references app.bulk_issue (corporation_id, id) on delete cascade,
  constraint key_whole check ((spki is null) = (spki_sha256 is null) and (spki is null) = (request_hash is null)),
  constraint serial_when_there_is_one check ((serial is not null) = (state in ('reserved', 'issued'))),
  constraint problem_when_failed check ((problem is not null) = (state = 'failed'))
);
create index bulk_issue_item_waiting on app.bulk_issue_item (bulk_issue_id, place) where state = 'waiting' and spki is not null;
create index bulk_issue_item_uncollected on app.bulk_issue_item (bulk_issue_id, place) where state = 'waiting' and spki is null;
create index bulk_issue_item_reserved on app.bulk_issue_item (bulk_issue_id, place) where state = 'reserved';

alter table app.bulk_issue enable row level security;
alter table app.bulk_issue force row level security;
create policy tenant on app.bulk_issue to suido_app using (corporation_id = app.current_corporation()) with check (corporation_id = app.current_corporation());
create policy owner on app.bulk_issue to suido_owner using (true) with check (true);
alter table app.bulk_issue_item enable row level security;
alter table app.bulk_issue_item force row level security;
create policy tenant on app.bulk_issue_item to suido_app using (corporation_id = app.current_corporation()) with check (corporation_id = app.current_corporation());
create policy owner on app.bulk_issue_item to suido_owner using (true) with check (true);
grant select, insert on app.bulk_issue, app.bulk_issue_item to suido_app;
grant update (issued, failed, uncollected, started_at, ended_at, held_up_by) on app.bulk_issue to suido_app;
grant update (state, serial, problem, detail, claimed_at) on app.bulk_issue_item to suido_app;

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
    else return null;
  end case;
end $$;

create function app.staff_bulk_issues(after uuid, size integer) returns setof app.bulk_issue language sql stable security definer set search_path = pg_catalog, pg_temp as $$
  select * from app.bulk_issue b where after is null or b.id > after order by b.id limit size
$$;

-- Those that are not at their end, for who works on them.
create function app.open_bulk_issues() returns table (id uuid, corporation_id uuid) language sql stable security definer set search_path = pg_catalog, pg_temp as $$
  select b.id, b.corporation_id from app.bulk_issue b where b.ended_at is null order by b.id
$$;

create function app.forget_bulk_issues(before timestamptz) returns integer language sql security definer set search_path = pg_catalog, pg_temp as $$
  with old as (delete from app.bulk_issue b where b.ended_at < before returning b.id) select count(*)::integer from old
$$;

revoke all on function app.staff_bulk_issues(uuid, integer), app.open_bulk_issues(), app.forget_bulk_issues(timestamptz) from public;
grant execute on function app.staff_bulk_issues(uuid, integer) to suido_app;
grant execute on function app.open_bulk_issues(), app.forget_bulk_issues(timestamptz) to suido_worker;
