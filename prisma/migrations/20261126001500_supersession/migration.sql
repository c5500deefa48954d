-- Old certificates that a proven one has followed, until they are out of use. What waits is what was proven lately: nobody
-- has to look through all certificates for it.

create table ca.supersession (
  -- The old one.
  serial    bytea not null references ca.issued (serial),
  successor bytea not null references ca.issued (serial),
  proven_at timestamptz not null,
  primary key (serial, successor)
);
create index supersession_by_proof on ca.supersession (proven_at, serial);
create index supersession_by_successor on ca.supersession (successor);

-- All of the line before one that is proven, of its device: between them may be one that was never proven.
create function ca.line_before(wanted bytea) returns table (serial bytea) language sql stable security definer set search_path = pg_catalog, pg_temp as $$
  with recursive line as (
    select i.replaces as serial, i.device_uri from ca.issued i where i.serial = wanted
    union
    select i.replaces, line.device_uri from line join ca.issued i on i.serial = line.serial
  )
  select i.serial from line join ca.issued i on i.serial = line.serial and i.device_uri = line.device_uri
  where i.state in ('good', 'hold')
$$;

create function ca.await_supersession() returns trigger language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  insert into ca.supersession (serial, successor, proven_at)
  select l.serial, new.serial, new.proven_at from ca.line_before(new.serial) l
  on conflict do nothing;
  return null;
end $$;
create trigger await_supersession after update of proven_at on ca.issued for each row
  when (old.proven_at is null and new.proven_at is not null and new.replaces is not null) execute function ca.await_supersession();

insert into ca.supersession (serial, successor, proven_at)
select l.serial, i.serial, i.proven_at from ca.issued i cross join lateral ca.line_before(i.serial) l where i.proven_at is not null;

-- What is due: the successor is good, and the overlap is over since its proof, or a day since its first use at a product,
-- without any use of the old one in between. One that is on hold stays so: whoever put it there decides.
create function ca.supersessions_due(at timestamptz, overlap interval, size integer)
returns table (serial bytea, successor bytea) language sql stable security definer set search_path = pg_catalog, pg_temp as $$
  select s.serial, s.successor
  from ca.supersession s
  join ca.issued old on old.serial = s.serial and old.state = 'good' and old.not_after >= at
  join ca.issued new on new.serial = s.successor and new.state = 'good' and new.not_after >= at
  left join lateral (select min(u.first_at) as first_at from party.use u where u.serial = s.successor) used on true
  where s.proven_at <= at - overlap
    or (used.first_at <= at - interval '24 hours'
        and not exists (select from party.use u where u.serial = s.serial and u.last_at > used.first_at))
  order by s.proven_at, s.serial limit size
$$;

-- Forgets what nobody waits for any more: the old one is out of use by itself, or the new one for good.
create function ca.forget_supersessions(at timestamptz) returns integer language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  forgotten integer;
begin
  delete from ca.supersession s using ca.issued old, ca.issued new
  where old.serial = s.serial and new.serial = s.successor
    and (old.state = 'revoked' or old.not_after < at or new.state = 'revoked' or new.not_after < at);
  get diagnostics forgotten = row_count;
  return forgotten;
end $$;

revoke all on function ca.line_before(bytea), ca.await_supersession(), ca.supersessions_due(timestamptz, interval, integer),
  ca.forget_supersessions(timestamptz) from public;
grant select on ca.supersession to suido_worker;
grant execute on function ca.supersessions_due(timestamptz, interval, integer), ca.forget_supersessions(timestamptz) to suido_worker;
