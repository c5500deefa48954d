-- Certificates that somebody wants renewed at once, before their own time.
create table app.renewal_order (
  corporation_id uuid not null references app.corporation (id),
  serial         bytea not null references ca.issued (serial),
  reason         text not null check (reason in ('incident', 'key-at-risk', 'ca-change', 'data-change', 'support')),
  asked_by       text not null,
  asked_at       timestamptz not null,
  primary key (corporation_id, serial)
);
create index renewal_order_by_serial on app.renewal_order (serial);

alter table app.renewal_order enable row level security;
alter table app.renewal_order force row level security;
create policy tenant on app.renewal_order to suido_app using (corporation_id = app.current_corporation()) with check (corporation_id = app.current_corporation());
create policy owner on app.renewal_order to suido_owner using (true) with check (true);
grant select, insert on app.renewal_order to suido_app;
