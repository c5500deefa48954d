-- An enrolment is one browser's at a time: who presses 「はじめる」 in another begins anew, and is identified anew.
alter table app.enrolment
  add column session_sha256 bytea unique check (length(session_sha256) = 32),
  -- How often it was begun.
  add column begun integer not null default 0 check (begun >= 0),
  add column issued_at timestamptz,
  drop constraint enrolment_identified_how_check,
  add constraint enrolment_identified_how_check
    check (identified_how in ('telephone', 'video-call', 'in-person', 'mailed-code', 'sign-in', 'manager'));
update app.enrolment set begun = 1 where started_at is not null;
grant update (session_sha256, begun, issued_at, support_number) on app.enrolment to suido_app;

create or replace function app.check_enrolment_transition() returns trigger language plpgsql as $$
begin
  if (old.state, new.state) in (('invited', 'started'), ('started', 'identified'), ('identified', 'issued'), ('issued', 'proven'),
      ('identified', 'started'), ('issued', 'started'))
    or (old.state in ('invited', 'started', 'identified', 'issued') and new.state in ('expired', 'withdrawn')) then
    return new;
  end if;
  raise exception 'an enrolment does not go from % to %', old.state, new.state using errcode = 'check_violation';
end $$;

create function app.tenant_of_enrolment_session(wanted bytea) returns uuid language sql stable security definer set search_path = pg_catalog, pg_temp as $$
  select e.corporation_id from app.enrolment e where e.session_sha256 = wanted
$$;
revoke all on function app.tenant_of_enrolment_session(bytea) from public;
grant execute on function app.tenant_of_enrolment_session(bytea) to suido_app;

-- Which enrolment a certificate was made for. Until one of them is proven, the newest is the one that counts.
alter table app.binding add column enrolment_id uuid,
  add constraint binding_of_enrolment foreign key (corporation_id, enrolment_id) references app.enrolment (corporation_id, id) deferrable initially immediate;
create index binding_by_enrolment on app.binding (enrolment_id) where enrolment_id is not null;
