-- What an enrolment leaves behind. A while after its end, what opened it and what names a person is cleared; one that came to
-- nothing goes; one that a certificate was made for is evidence as long as the certificate lives, and years more. The audit
-- log keeps its rows, and the certificate says itself how its person was identified.
alter table app.enrolment alter column support_number drop not null,
  add constraint open_has_number check (support_number is not null or state in ('proven', 'expired', 'withdrawn'));
create index enrolment_uncleared on app.enrolment (ended_at) where ended_at is not null and support_number is not null;
create index enrolment_by_end on app.enrolment (ended_at) where ended_at is not null;

-- Clears those that ended before a time, so many at most. Returns how many.
create function app.clear_enrolments(before timestamptz, size integer) returns integer language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  cleared uuid[];
begin
  with due as (
    select e.id from app.enrolment e where e.ended_at < before and e.support_number is not null
    order by e.ended_at limit size for update skip locked
  ), done as (
    update app.enrolment e set support_number = null, requested_by = null, session_sha256 = null, code_sha256 = null, code_until = null
    from due where e.id = due.id returning e.id
  )
  select coalesce(array_agg(done.id), '{}') into cleared from done;
  delete from app.enrolment_link l where l.enrolment_id = any(cleared);
  return cardinality(cleared);
end $$;

-- Forgets those without a certificate that ended before `before`, and those whose certificates all ended before `evidence`.
create function app.forget_enrolments(before timestamptz, evidence timestamptz, size integer) returns integer language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  forgotten uuid[];
begin
  select coalesce(array_agg(due.id), '{}') into forgotten from (
    select e.id from app.enrolment e
    where e.ended_at < before and e.support_number is null
      and case when exists (select from app.binding b where b.enrolment_id = e.id)
        then e.ended_at < evidence and not exists (
          select from app.binding b join ca.issued i on i.serial = b.serial where b.enrolment_id = e.id and i.not_after >= evidence)
        else true end
    order by e.ended_at limit size for update skip locked) due;
  update app.binding b set enrolment_id = null where b.enrolment_id = any(forgotten);
  delete from app.enrolment e where e.id = any(forgotten);
  return cardinality(forgotten);
end $$;
revoke all on function app.clear_enrolments(timestamptz, integer), app.forget_enrolments(timestamptz, timestamptz, integer) from public;
grant execute on function app.clear_enrolments(timestamptz, integer), app.forget_enrolments(timestamptz, timestamptz, integer) to suido_worker;
