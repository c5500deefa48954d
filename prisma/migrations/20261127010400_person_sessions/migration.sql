-- Somebody who has signed in with the site's own provider: one browser, one account of one corporation. Its secret is in the
-- browser's cookie, and here only as a hash.
create table app.person_session (
  sha256           bytea primary key check (length(sha256) = 32),
  corporation_id   uuid not null,
  account_id       uuid not null,
  -- What the provider called the person. Once that is not the account's any more, neither is the session.
  issuer           text not null,
  subject          text not null,
  -- The corporation's, at the time: a raised one ends what was before.
  epoch            integer not null,
  authenticated_at timestamptz not null,
  -- How the provider says that it knew the person (RFC 8176), and how far that goes.
  amr              text[] not null default '{}',
  acr              text,
  created_at       timestamptz not null,
  seen_at          timestamptz not null,
  foreign key (corporation_id, account_id) references app.account (corporation_id, id) on delete cascade deferrable initially immediate
);
create index person_session_by_account on app.person_session (account_id);
-- Signing in knows the name that a provider uses and no tenant.
create index identity_by_name on app.identity (issuer, subject);

alter table app.person_session enable row level security;
alter table app.person_session force row level security;
create policy tenant on app.person_session to suido_app using (corporation_id = app.current_corporation()) with check (corporation_id = app.current_corporation());
create policy owner on app.person_session to suido_owner using (true) with check (true);
grant select, insert, delete on app.person_session to suido_app;

-- The accounts of all tenants that a provider's name for a person leads to, and whether they may sign in.
create function app.accounts_of_identity(wanted_issuer text, wanted_subject text, at timestamptz)
returns table (account_id uuid, corporation_id uuid, may_sign_in boolean) language sql stable security definer set search_path = pg_catalog, pg_temp as $$
  select a.id, a.corporation_id, a.disabled_at is null and exists (
      select from app.membership m where m.account_id = a.id and m.valid_from <= at and (m.valid_to is null or m.valid_to > at))
  from app.identity i join app.account a on a.id = i.account_id
  where i.issuer = wanted_issuer and i.subject = wanted_subject
  order by a.created_at, a.id
$$;

-- Who a session is of: nobody after 30 minutes without use or 8 hours, or once the person may not sign in any more. Notes
-- that it was used, once a minute at most.
create function app.person_of_session(wanted bytea, at timestamptz)
returns table (account_id uuid, corporation_id uuid, name text, corporation_name text, issuer text, subject text, authenticated_at timestamptz, amr text[], acr text)
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $$
begin
  return query
  select s.account_id, s.corporation_id, a.name, c.name, s.issuer, s.subject, s.authenticated_at, s.amr, s.acr
  from app.person_session s
  join app.account a on a.id = s.account_id
  join app.corporation c on c.id = s.corporation_id
  where s.sha256 = wanted and s.created_at > at - interval '8 hours' and s.seen_at > at - interval '30 minutes'
    and a.disabled_at is null and c.epoch = s.epoch
    and exists (select from app.identity i where i.account_id = s.account_id and i.issuer = s.issuer and i.subject = s.subject)
    and exists (select from app.membership m where m.account_id = s.account_id and m.valid_from <= at and (m.valid_to is null or m.valid_to > at));
  if found then
    update app.person_session s set seen_at = at where s.sha256 = wanted and s.seen_at < at - interval '1 minute';
  end if;
end $$;

-- A session that a restored database revives may be of somebody who has signed out, or was shut out, since.
create function app.end_person_sessions() returns trigger language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  delete from app.person_session;
  return null;
end $$;
create trigger end_person_sessions after update of quarantined_at on ca.journal_mark for each row
  when (old.quarantined_at is null and new.quarantined_at is not null) execute function app.end_person_sessions();

revoke all on function app.accounts_of_identity(text, text, timestamptz), app.person_of_session(bytea, timestamptz), app.end_person_sessions() from public;
grant execute on function app.accounts_of_identity(text, text, timestamptz), app.person_of_session(bytea, timestamptz) to suido_app;
