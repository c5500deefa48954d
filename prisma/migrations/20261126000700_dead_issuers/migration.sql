-- Nothing of a CA that was revoked is good any more: the search by status says so too, as OCSP does (RFC 6960 §2.7).
create or replace function app.staff_bindings(after bytea, size integer, wanted_state text) returns setof app.binding language sql stable security definer set search_path = pg_catalog, pg_temp as $$
  -- OFFSET 0 keeps the planner at the index: whatever it thinks of wanted_state, one page never reads a whole table.
  select b.* from app.binding b
  cross join lateral (
    select issued.not_after, case when issued.state in ('good', 'hold') and issued.issuer_id = any (array(
        select above.id from ca.issuer above join ca.issued own on own.serial = above.serial where own.state = 'revoked'
      )) then 'revoked' else issued.state end as state
    from ca.issued where issued.serial = b.serial offset 0
  ) i
  where b.bound_to is null and b.serial > coalesce(after, '')
    and (wanted_state is null or case when i.state <> 'revoked' and i.not_after < now() then 'expired' else i.state end = wanted_state)
  order by b.serial limit size
$$;
