-- Another corporation that has the same address, or calls it shared, must not keep a person from an emergency. Each says for itself
-- whose address it is; of several accounts the one with a second factor goes on, which nobody adds without the mailbox.
create or replace function app.account_of_address(address text) returns table (corporation_id uuid, account_id uuid)
language sql stable security definer set search_path = pg_catalog, pg_temp as $$
  select own.corporation_id, own.account_id from (
    select a.corporation_id, (array_agg(a.id))[1] as account_id, min(a.created_at) as since from app.account a
    where lower(a.email) = lower(address) and a.disabled_at is null
    group by a.corporation_id having count(*) = 1 and not bool_or(a.email_shared)
  ) own
  order by exists (select from app.second_factor f where f.account_id = own.account_id) desc, own.since, own.account_id limit 1
$$;
