-- A place of a device is where one of its certificates lies: with a Windows user, in a browser's own store. Certificates that
-- follow each other are of one place, and one that follows none opens another: so nobody has to number them.
alter table app.enrolment
  -- What becomes of the certificates that the device has: `further` leaves them as they are, `instead` ends all of them after
  -- the proof. Null of renewals, of a device that has none, and until somebody has said.
  add column place text check (place in ('further', 'instead'));
update app.enrolment set place = 'instead' where takes_over is not null;
grant update (place) on app.enrolment to suido_app;

-- A place is renewed beside what goes on in another.
drop index app.enrolment_one_open;
create unique index enrolment_one_open on app.enrolment (device_id, coalesce(replaces, '\x'))
  where state in ('invited', 'started', 'identified', 'issued');

-- The newest certificate of each place of a device of the caller's tenant, of the places that are in use: one that an enrolment
-- has made is in use once it was seen, and one that waits to be superseded is so no longer.
create function app.places_in_use(wanted uuid, at timestamptz) returns table (serial bytea) language sql stable security definer rows 2 set search_path = pg_catalog, pg_temp as $$
  with recursive used as (
    select i.serial, i.replaces from app.binding b join ca.issued i on i.serial = b.serial
    where b.device_id = wanted and b.corporation_id = app.current_corporation() and b.bound_to is null
      and i.state in ('good', 'hold') and i.not_after > at and i.profile <> 'emergency'
      and (b.enrolment_id is null or i.proven_at is not null or exists (select from party.use u where u.serial = i.serial))
      and not exists (select from ca.supersession s where s.serial = i.serial)
      and not exists (select from ca.issuer above join ca.issued own on own.serial = above.serial
        where above.id = i.issuer_id and own.state = 'revoked')
  ), before as (
    select u.replaces as serial from used u where u.replaces is not null
    union
    select i.replaces from before join ca.issued i on i.serial = before.serial where i.replaces is not null
  )
  select u.serial from used u where not exists (select from before b where b.serial = u.serial)
$$;

-- All of the line before one, of its device: between them may be one that was never proven. One that was made for a machine
-- in the place of the device's old one comes after all that the old one had, in whatever places.
create or replace function ca.line_before(wanted bytea) returns table (serial bytea) language sql stable security definer set search_path = pg_catalog, pg_temp as $$
  with recursive line as (
    select i.serial, i.device_uri from ca.issued i where i.serial = wanted
    union
    select earlier.serial, line.device_uri from line cross join lateral (
      select i.replaces as serial from ca.issued i where i.serial = line.serial and i.replaces is not null
      union all
      select i.serial from ca.issued taken join app.binding b on b.serial = taken.serial
      join app.enrolment e on e.id = b.enrolment_id and e.place = 'instead'
      join app.binding o on o.device_id = b.device_id and o.bound_to is null and o.enrolment_id is distinct from b.enrolment_id
      join ca.issued i on i.serial = o.serial and i.issued_at <= taken.issued_at
      where taken.serial = line.serial
    ) earlier
  )
  select i.serial from line join ca.issued i on i.serial = line.serial and i.device_uri = line.device_uri
  where i.state in ('good', 'hold') and i.serial <> wanted
$$;

revoke all on function app.places_in_use(uuid, timestamptz) from public;
grant execute on function app.places_in_use(uuid, timestamptz), ca.line_before(bytea) to suido_app;
