-- Whether one enrolment of a device gives way to a later one, which follows `replaces` and is for `place`. A renewal takes the
-- place of one of the same certificate only: the old machine renews itself, by its script without anybody, while a person stands
-- before the new one. One for a further place takes that of another such one. What is for the device as a whole takes the place of
-- all, and gives way to no renewal.
create or replace function app.gives_way(e app.enrolment, replaces bytea, place text) returns boolean language sql immutable as $$
  select case
    when gives_way.place = 'further' then e.replaces is null or e.place is not null
    when gives_way.replaces is not null and gives_way.place is null then e.place is null and e.replaces is not distinct from gives_way.replaces
    else true end
$$;

-- What is to come in the place of a certificate, and what renews it, are open at once.
drop index app.enrolment_one_open;
create unique index enrolment_one_open on app.enrolment (device_id, coalesce(replaces, '\x'), coalesce(place, ''))
  where state in ('invited', 'started', 'identified', 'issued');

-- Whether the person at the machine has said what `place` says, and not whoever has invited them: then another browser that begins is
-- asked again.
alter table app.enrolment add column place_said boolean not null default false;
grant update (place_said) on app.enrolment to suido_app;
