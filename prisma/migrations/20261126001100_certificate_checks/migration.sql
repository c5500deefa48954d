-- Whether a certificate works on its device: a check is a host name of the mTLS listener that nobody has visited before, and
-- the handshake there with that very certificate proves it.

-- When it was first shown with its key at a check. Of the certificate, not of a tenant: it goes along when a device does.
alter table ca.issued add column proven_at timestamptz;
alter table ca.issued add constraint proven_after_issue check (proven_at is null or proven_at >= issued_at);
grant update (proven_at) on ca.issued to suido_app;

-- Once proven, always so, and at that time.
create function ca.keep_proof() returns trigger language plpgsql as $$
begin
  raise exception 'a proof keeps its time' using errcode = 'check_violation';
end $$;
create trigger keep_proof before update of proven_at on ca.issued for each row
  when (old.proven_at is not null and new.proven_at is distinct from old.proven_at) execute function ca.keep_proof();
revoke all on function ca.keep_proof() from public;

create table app.certificate_check (
  id             uuid primary key,
  corporation_id uuid not null references app.corporation (id),
  serial         bytea not null references ca.issued (serial),
  -- Of the label in the host name. Whoever reads the table cannot visit it.
  nonce_sha256   bytea not null unique check (length(nonce_sha256) = 32),
  asked_by       text not null,
  created_at     timestamptz not null,
  expires_at     timestamptz not null check (expires_at > created_at)
);
create index certificate_check_by_expiry on app.certificate_check (expires_at);

alter table app.certificate_check enable row level security;
alter table app.certificate_check force row level security;
create policy tenant on app.certificate_check to suido_app using (corporation_id = app.current_corporation()) with check (corporation_id = app.current_corporation());
create policy owner on app.certificate_check to suido_owner using (true) with check (true);
grant select, insert on app.certificate_check to suido_app;
grant update (nonce_sha256) on app.certificate_check to suido_app;

-- Who visits a check says nothing of a tenant.
create function app.tenant_of_check(wanted bytea) returns uuid language sql stable security definer set search_path = pg_catalog, pg_temp as $$
  select c.corporation_id from app.certificate_check c where c.nonce_sha256 = wanted
$$;

create function app.forget_checks(before timestamptz) returns integer language sql security definer set search_path = pg_catalog, pg_temp as $$
  with old as (delete from app.certificate_check c where c.expires_at < before returning c.id) select count(*)::integer from old
$$;

revoke all on function app.tenant_of_check(bytea), app.forget_checks(timestamptz) from public;
grant execute on function app.tenant_of_check(bytea) to suido_app;
grant execute on function app.forget_checks(timestamptz) to suido_worker;
