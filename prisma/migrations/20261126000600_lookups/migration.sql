-- Each signed batch asks whether one of its keys was reported as compromised. Without this a planner that has no figures
-- yet, as on a new database, reads every certificate for the answer.
create index issued_compromised on ca.issued (spki_sha256) where reason = 1;

-- The same answers as before by one statement each: as one expression, each call prepared the executors of all of them.
create or replace function app.tenant_of(kind text, id uuid) returns uuid language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
  case kind
    when 'corporation' then return (select c.id from app.corporation c where c.id = tenant_of.id);
    when 'pharmacy' then return (select p.corporation_id from app.pharmacy p where p.id = tenant_of.id);
    when 'account' then return (select a.corporation_id from app.account a where a.id = tenant_of.id);
    when 'membership' then return (select m.corporation_id from app.membership m where m.id = tenant_of.id);
    when 'device' then return (select d.corporation_id from app.device d where d.id = tenant_of.id);
    when 'stage' then return (select s.corporation_id from app.stage s where s.id = tenant_of.id);
    else return null;
  end case;
end $$;
