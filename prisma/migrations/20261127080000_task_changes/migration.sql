-- The tasks that the running transaction has opened, or closed, at this time: whoever did so writes their audit rows.
create function app.task_changes(at timestamptz) returns table (id uuid, corporation_id uuid, kind text, subject text, is_open boolean)
language sql stable security definer set search_path = pg_catalog, pg_temp as $$
  select k.id, k.corporation_id, k.kind, k.subject, k.closed_at is null from app.task k
  where (k.opened_at = at and k.closed_at is null or k.closed_at = at) and k.xmin = pg_current_xact_id_if_assigned()::xid
  order by k.subject
$$;
revoke all on function app.task_changes(timestamptz) from public;
grant execute on function app.task_changes(timestamptz) to suido_app, suido_worker;
