-- The other accounts, of whichever tenant, that may sign in with the identity of a session, and when that session began: whoever goes
-- on with one of them is not signed in for longer by it.
create function app.other_accounts_of_session(wanted bytea, at timestamptz)
returns table (account_id uuid, corporation_id uuid, corporation_name text, began_at timestamptz) language sql stable security definer set search_path = pg_catalog, pg_temp as $$
  select a.id, a.corporation_id, c.name, s.created_at
  from app.person_session s
  join app.identity i on i.issuer = s.issuer and i.subject = s.subject
  join app.account a on a.id = i.account_id and a.id <> s.account_id and a.disabled_at is null
  join app.corporation c on c.id = a.corporation_id
  where s.sha256 = wanted and exists (
    select from app.membership m where m.account_id = a.id and m.valid_from <= at and (m.valid_to is null or m.valid_to > at))
  order by c.name, a.id
$$;
revoke all on function app.other_accounts_of_session(bytea, timestamptz) from public;
grant execute on function app.other_accounts_of_session(bytea, timestamptz) to suido_app;
