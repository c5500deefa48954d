-- A file's row is of use as long as one of its invitations is there; it names who asked and the file's size, and the audit log
-- keeps that it was made. Forgets those that are older than any of their invitations may be, so many at most. Returns how many.
create index enrolment_batch_by_end on app.enrolment_batch (expires_at);
create function app.forget_enrolment_batches(before timestamptz, size integer) returns integer language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  forgotten integer;
begin
  with due as (
    select b.id from app.enrolment_batch b
    where b.expires_at < before and not exists (select from app.enrolment e where e.batch_id = b.id)
    order by b.expires_at limit size for update skip locked
  )
  delete from app.enrolment_batch b using due where b.id = due.id;
  get diagnostics forgotten = row_count;
  return forgotten;
end $$;
revoke all on function app.forget_enrolment_batches(timestamptz, integer) from public;
grant execute on function app.forget_enrolment_batches(timestamptz, integer) to suido_worker;
