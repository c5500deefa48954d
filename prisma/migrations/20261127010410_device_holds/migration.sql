-- A device that somebody of its pharmacy has stopped, and which of its certificates that was: what staff hold is not theirs
-- to release.
create table app.device_hold (
  id             uuid primary key,
  corporation_id uuid not null,
  device_id      uuid not null,
  reason         text not null check (reason in ('lost', 'suspicious', 'other')),
  serials        bytea[] not null,
  held_by        uuid not null,
  held_at        timestamptz not null,
  released_by    uuid,
  released_at    timestamptz,
  foreign key (corporation_id, device_id) references app.device (corporation_id, id) deferrable initially immediate,
  foreign key (corporation_id, held_by) references app.account (corporation_id, id) deferrable initially immediate,
  foreign key (corporation_id, released_by) references app.account (corporation_id, id) deferrable initially immediate,
  constraint released_whole check ((released_at is null) = (released_by is null))
);
create unique index device_hold_one_open on app.device_hold (device_id) where released_at is null;
create index device_hold_by_person on app.device_hold (held_by);
create index device_hold_by_releaser on app.device_hold (released_by) where released_by is not null;

alter table app.device_hold enable row level security;
alter table app.device_hold force row level security;
create policy tenant on app.device_hold to suido_app using (corporation_id = app.current_corporation()) with check (corporation_id = app.current_corporation());
create policy owner on app.device_hold to suido_owner using (true) with check (true);
grant select, insert on app.device_hold to suido_app;
grant update (serials, released_by, released_at) on app.device_hold to suido_app;
