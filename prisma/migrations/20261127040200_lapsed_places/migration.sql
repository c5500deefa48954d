-- Whether one enrolment of a device gives way to a later one, which follows `replaces` and is for `place`. A renewal takes the
-- place of one of the same certificate, one for a further place that of another such one: neither is in the way of what goes
-- on in another place. What is for the device as a whole takes the place of all, and gives way to any.
create function app.gives_way(e app.enrolment, replaces bytea, place text) returns boolean language sql immutable as $$
  select case
    when gives_way.place = 'further' then e.replaces is null or e.place is not null
    when gives_way.replaces is not null and gives_way.place is null then e.place is distinct from 'further'
      and (e.replaces is null or e.place is not null or e.replaces = gives_way.replaces)
    else true end
$$;
revoke all on function app.gives_way(app.enrolment, bytea, text) from public;
grant execute on function app.gives_way(app.enrolment, bytea, text) to suido_app;

-- Whether an enrolment whose time is over offers a new one to the same address: for three months, while the person may have
-- it, and while nobody has gone on with a later one, of the same place of the device.
create or replace function app.enrolment_offers_anew(e app.enrolment, at timestamptz) returns boolean language sql stable as $$
  select app.enrolment_state(e, at) = 'expired' and e.expires_at > at - interval '90 days'
    and exists (select from app.account a where a.id = e.account_id and a.disabled_at is null and a.email is not null)
    and exists (select from app.membership m where m.account_id = e.account_id and m.pharmacy_id = e.pharmacy_id
      and m.valid_from <= at and (m.valid_to is null or m.valid_to > at))
    and (e.device_id is null or exists (select from app.device d where d.id = e.device_id and d.retired_at is null))
    and not exists (select from app.enrolment o where o.first_id = coalesce(e.first_id, e.id) and o.id <> e.id
      and app.enrolment_state(o, at) in ('started', 'identified', 'issued', 'proven'))
    and not exists (select from app.enrolment o where o.device_id = e.device_id and o.created_at > e.created_at
      and o.first_id is distinct from coalesce(e.first_id, e.id) and app.gives_way(e, o.replaces, o.place))
$$;
