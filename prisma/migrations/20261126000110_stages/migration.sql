-- Stages are found by their id alone, and read across tenants by staff, like everything else of the registry.

create or replace function app.tenant_of(kind text, id uuid) returns uuid language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
  return case kind
    when 'corporation' then (select c.id from app.corporation c where c.id = tenant_of.id)
    when 'pharmacy' then (select p.corporation_id from app.pharmacy p where p.id = tenant_of.id)
    when 'account' then (select a.corporation_id from app.account a where a.id = tenant_of.id)
    when 'membership' then (select m.corporation_id from app.membership m where m.id = tenant_of.id)
    when 'device' then (select d.corporation_id from app.device d where d.id = tenant_of.id)
    when 'stage' then (select s.corporation_id from app.stage s where s.id = tenant_of.id)
  end;
end $$;

create function app.staff_stages(after uuid, size integer, wanted_product text) returns setof app.stage language sql stable security definer set search_path = pg_catalog, pg_temp as $$
  select * from app.stage s where (after is null or s.id > after) and (wanted_product is null or s.product = wanted_product) order by s.id limit size
$$;

-- Whether a later word about the same pharmacies has come into force since: `party.stages` leaves such rows out.
create function app.stage_is_over(s app.stage, at timestamptz) returns boolean language sql stable security definer set search_path = pg_catalog, pg_temp as $$
  select exists (
    select from app.stage n
    where n.state = 'in-force' and n.product = s.product and n.corporation_id = s.corporation_id
      and n.pharmacy_id is not distinct from s.pharmacy_id and n.effective_from <= at
      and (n.effective_from, n.created_at, n.id) > (s.effective_from, s.created_at, s.id))
$$;

revoke all on function app.staff_stages(uuid, integer, text), app.stage_is_over(app.stage, timestamptz) from public;
grant execute on function app.staff_stages(uuid, integer, text), app.stage_is_over(app.stage, timestamptz) to suido_app;
