-- Sessions that nobody can use any more (app.person_of_session).
create function app.forget_person_sessions(at timestamptz) returns integer language sql security definer set search_path = pg_catalog, pg_temp as $$
  with ended as (delete from app.person_session s
    where s.created_at <= at - interval '8 hours' or s.seen_at <= at - interval '30 minutes' returning 1)
  select count(*)::integer from ended
$$;
revoke all on function app.forget_person_sessions(timestamptz) from public;
grant execute on function app.forget_person_sessions(timestamptz) to suido_worker;
