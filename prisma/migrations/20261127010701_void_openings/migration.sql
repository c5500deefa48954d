-- A restored database would open again what was spent, withdrawn or begun anew since: links and codes in mails and hands,
-- renewal tokens, browsers' sessions, mailed codes and the addresses of checks. Where somebody waits, staff invite again.
create function app.void_openings(before timestamptz) returns integer language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
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
  return voided + sessions;
end $$;
revoke all on function app.void_openings(timestamptz) from public;
grant execute on function app.void_openings(timestamptz) to suido_signer;
