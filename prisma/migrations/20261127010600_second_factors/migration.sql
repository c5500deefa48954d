-- What a person has beside what they know: an authenticator app's codes, or passkeys. Enrolled in advance, for the night on
-- which there is no certificate left to show.
create table app.second_factor (
  id             uuid primary key,
  corporation_id uuid not null,
  account_id     uuid not null,
  kind           text not null check (kind in ('authenticator', 'passkey')),
  -- How the person was known who added it, and who says so.
  added_how      text not null check (added_how in ('telephone', 'video-call', 'in-person', 'sign-in', 'manager')),
  added_by       text not null,
  created_at     timestamptz not null,
  last_used_at   timestamptz,
  -- Of an authenticator: its secret under the site's key, and the last of its time steps that was accepted, which with all
  -- before it is accepted no more (RFC 6238 §5.2).
  sealed         bytea,
  last_step      bigint,
  wrong          integer not null default 0 check (wrong >= 0),
  locks          integer not null default 0 check (locks >= 0),
  locked_until   timestamptz,
  -- Of a passkey (Web Authentication §4, credential record).
  credential_id  text check (length(credential_id) between 1 and 1400),
  public_key     bytea,
  sign_count     bigint,
  transports     text[],
  foreign key (corporation_id, account_id) references app.account (corporation_id, id) on delete cascade deferrable initially immediate,
  constraint kind_whole check (case kind when 'authenticator' then sealed is not null and last_step is not null and credential_id is null
    else sealed is null and credential_id is not null and public_key is not null and sign_count is not null and transports is not null end),
  constraint second_factor_credential unique (corporation_id, credential_id)
);
create unique index second_factor_one_authenticator on app.second_factor (account_id) where kind = 'authenticator';
create index second_factor_by_account on app.second_factor (account_id, id);

-- Somebody who was identified is sent a link to add one. A row of app.factor_link for each attempt to send it.
create table app.factor_invitation (
  id             uuid primary key,
  corporation_id uuid not null,
  account_id     uuid not null,
  how            text not null check (how in ('telephone', 'video-call', 'in-person')),
  asked_by       text not null,
  created_at     timestamptz not null,
  expires_at     timestamptz not null check (expires_at > created_at),
  -- When a browser has begun with it: it opens no other.
  used_at        timestamptz,
  unique (corporation_id, id),
  foreign key (corporation_id, account_id) references app.account (corporation_id, id) on delete cascade deferrable initially immediate
);
create table app.factor_link (
  sha256         bytea primary key check (length(sha256) = 32),
  corporation_id uuid not null,
  invitation_id  uuid not null,
  foreign key (corporation_id, invitation_id) references app.factor_invitation (corporation_id, id) on delete cascade
);

-- A browser whose person may change their factors, for half an hour.
create table app.factor_session (
  session_sha256 bytea primary key check (length(session_sha256) = 32),
  corporation_id uuid not null,
  account_id     uuid not null,
  how            text not null check (how in ('telephone', 'video-call', 'in-person', 'sign-in', 'manager')),
  by             text not null,
  created_at     timestamptz not null,
  expires_at     timestamptz not null check (expires_at > created_at),
  -- What is being added: a secret that no code has confirmed yet, or a challenge that no passkey has signed yet.
  sealed         bytea,
  challenge      text,
  foreign key (corporation_id, account_id) references app.account (corporation_id, id) on delete cascade deferrable initially immediate
);
create index factor_session_by_expiry on app.factor_session (expires_at);
create index factor_invitation_by_expiry on app.factor_invitation (expires_at);

do $$
declare
  t text;
begin
  foreach t in array array['second_factor', 'factor_invitation', 'factor_link', 'factor_session'] loop
    execute format('alter table app.%I enable row level security', t);
    execute format('alter table app.%I force row level security', t);
    execute format('create policy tenant on app.%I to suido_app using (corporation_id = app.current_corporation()) with check (corporation_id = app.current_corporation())', t);
    execute format('create policy owner on app.%I to suido_owner using (true) with check (true)', t);
  end loop;
end $$;
grant select, insert, delete on app.second_factor to suido_app;
grant update (last_used_at, last_step, wrong, locks, locked_until, sign_count) on app.second_factor to suido_app;
grant select, insert on app.factor_invitation, app.factor_link, app.factor_session to suido_app;
grant update (used_at) on app.factor_invitation to suido_app;
grant update (sealed, challenge) on app.factor_session to suido_app;

create function app.tenant_of_factor_link(wanted bytea) returns uuid language sql stable security definer set search_path = pg_catalog, pg_temp as $$
  select l.corporation_id from app.factor_link l where l.sha256 = wanted
$$;
create function app.tenant_of_factor_session(wanted bytea) returns uuid language sql stable security definer set search_path = pg_catalog, pg_temp as $$
  select s.corporation_id from app.factor_session s where s.session_sha256 = wanted
$$;

-- Plans a mail to an account of the caller's tenant about its factors. False where it has no address.
create function app.plan_factor_mail(mail_key text, mail_kind text, wanted uuid, what jsonb, at timestamptz) returns boolean
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  if mail_kind not in ('factor-link', 'factor-change') then
    raise exception 'no such mail' using errcode = 'check_violation';
  end if;
  insert into app.mail (key, corporation_id, kind, subject, recipient, locale, facts, due_at, next_attempt_at, created_at)
  select mail_kind || ':' || mail_key, a.corporation_id, mail_kind, 'account/' || a.id, a.email, a.locale,
    jsonb_strip_nulls(jsonb_build_object('corporationId', a.corporation_id, 'name', case when a.email_shared then null else a.name end)) || what,
    at, at, at
  from app.account a
  where a.id = wanted and a.corporation_id = app.current_corporation() and a.email is not null
    -- A link goes to nobody but the person.
    and (mail_kind = 'factor-change' or not a.email_shared)
  on conflict (key) do nothing;
  return found;
end $$;

-- Drops links that wait while nobody can use them any more.
create function app.drop_factor_links(at timestamptz) returns integer language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  dropped integer;
begin
  update app.mail m set state = 'dropped', leased_until = null, last_error = 'no longer needed'
  where m.state = 'due' and m.kind = 'factor-link' and (m.leased_until is null or m.leased_until <= at)
    and not exists (select from app.factor_invitation i
      where i.id = (m.facts ->> 'invitationId')::uuid and i.used_at is null and i.expires_at > at);
  get diagnostics dropped = row_count;
  return dropped;
end $$;

create function app.forget_factor_visits(before timestamptz) returns integer language sql security definer set search_path = pg_catalog, pg_temp as $$
  with sessions as (delete from app.factor_session s where s.expires_at < before returning 1),
    invitations as (delete from app.factor_invitation i where i.expires_at < before returning 1)
  select ((select count(*) from sessions) + (select count(*) from invitations))::integer
$$;

revoke all on function app.tenant_of_factor_link(bytea), app.tenant_of_factor_session(bytea), app.plan_factor_mail(text, text, uuid, jsonb, timestamptz),
  app.drop_factor_links(timestamptz), app.forget_factor_visits(timestamptz) from public;
grant execute on function app.tenant_of_factor_link(bytea), app.tenant_of_factor_session(bytea), app.plan_factor_mail(text, text, uuid, jsonb, timestamptz) to suido_app;
grant execute on function app.drop_factor_links(timestamptz), app.forget_factor_visits(timestamptz) to suido_worker;
