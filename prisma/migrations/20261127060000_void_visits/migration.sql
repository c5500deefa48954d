-- Whoever was signed in, was adding a second factor or had shown one by the restored database signs in or shows it again, and a
-- link to add one opens nothing: it may have been used since.
create or replace function app.void_openings(before timestamptz) returns integer language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  voided integer;
  sessions integer;
begin
  delete from app.enrolment_link l where l.created_at < before;
  get diagnostics voided = row_count;
  update app.enrolment e set session_sha256 = null, code_sha256 = null, code_until = null
  where e.session_sha256 is not null or e.code_sha256 is not null;
  get diagnostics sessions = row_count;
  delete from app.certificate_check c where c.created_at < before;
  delete from app.factor_invitation i where i.created_at < before;
  delete from app.factor_session s where s.created_at < before;
  delete from app.emergency_visit v where v.created_at < before;
  delete from app.person_session s where s.created_at < before;
  return voided + sessions;
end $$;
