-- Whether a certificate has been followed, directly or not, by one that is good, and with which a device was seen: one that
-- was only made may never have reached it. What a proven one of another place is to end has been followed too: a machine that
-- took the place of the whole device.
create or replace function app.has_successor(wanted bytea, at timestamptz) returns boolean language sql stable security definer set search_path = pg_catalog, pg_temp as $$
  with recursive later as (
    select s.serial, s.state, s.not_after, s.proven_at from ca.issued s where s.replaces = wanted
    union all
    select s.serial, s.state, s.not_after, s.proven_at from later join ca.issued s on s.replaces = later.serial
  )
  select exists (select from later l where l.state = 'good' and l.not_after >= at
      and (l.proven_at is not null or exists (select from party.use u where u.serial = l.serial)))
    or exists (select from ca.supersession s join ca.issued n on n.serial = s.successor
      where s.serial = wanted and n.state = 'good' and n.not_after >= at)
$$;
