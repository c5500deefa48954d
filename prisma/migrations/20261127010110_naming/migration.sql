-- The device whose name, and place, the machine of an enrolment takes. While it has no certificate yet the enrolment is not the
-- device's: whoever thinks better of it leaves that one as it was.
alter table app.enrolment
  add column takes_over uuid,
  -- The first of those that followed each other because their time was over; null of that one itself.
  add column first_id   uuid,
  add constraint takes_over_by_name check (takes_over is null or device_name is not null);
create index enrolment_by_first on app.enrolment (first_id) where first_id is not null;
grant update (takes_over, first_id) on app.enrolment to suido_app;

-- Whether an enrolment whose time is over offers a new one to the same address: for three months, while the person may have
-- it, and while nobody has gone on with a later one.
create function app.enrolment_offers_anew(e app.enrolment, at timestamptz) returns boolean language sql stable as $$
  select app.enrolment_state(e, at) = 'expired' and e.expires_at > at - interval '90 days'
    and exists (select from app.account a where a.id = e.account_id and a.disabled_at is null and a.email is not null)
    and exists (select from app.membership m where m.account_id = e.account_id and m.pharmacy_id = e.pharmacy_id
      and m.valid_from <= at and (m.valid_to is null or m.valid_to > at))
    and (e.device_id is null or exists (select from app.device d where d.id = e.device_id and d.retired_at is null))
    and not exists (select from app.enrolment o where o.first_id = coalesce(e.first_id, e.id) and o.id <> e.id
      and app.enrolment_state(o, at) in ('started', 'identified', 'issued', 'proven'))
    and not exists (select from app.enrolment o where o.device_id = e.device_id and o.created_at > e.created_at
      and o.first_id is distinct from coalesce(e.first_id, e.id))
$$;
revoke all on function app.enrolment_offers_anew(app.enrolment, timestamptz) from public;
grant execute on function app.enrolment_offers_anew(app.enrolment, timestamptz) to suido_app;
