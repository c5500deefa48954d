-- Mails that come back after a server has taken them, and what became of each mail.
alter table app.mail
  add column returned_at timestamptz,
  drop constraint sent_has_time,
  add constraint sent_has_time check (state <> 'sent' or sent_at is not null);
-- A mail's Message-ID begins with the digest of its key (delivery/mail-message.ts).
create index mail_by_message on app.mail (substr(encode(sha256(key::bytea), 'hex'), 1, 32));

-- Somebody has pressed 「はじめる」 behind this very link or code.
alter table app.enrolment_link add column began_at timestamptz;
grant update (began_at) on app.enrolment_link to suido_app;

create function app.mail_of_message(digest text) returns table (id uuid, corporation_id uuid) language sql stable security definer set search_path = pg_catalog, pg_temp as $$
  select m.id, m.corporation_id from app.mail m where substr(encode(sha256(m.key::bytea), 'hex'), 1, 32) = digest
$$;

-- Says that a mail of the caller's tenant, or one to the operators, came back: what stands in it was told to nobody, and its
-- mailbox is passed over until somebody has looked after it. Returns its state; said twice, nothing changes.
create function app.return_mail(wanted uuid, at timestamptz, why text) returns text language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  returned app.mail;
begin
  update app.mail m set state = 'returned', returned_at = at, last_error = why
  where m.id = wanted and m.state = 'sent' and m.corporation_id is not distinct from app.current_corporation()
  returning m.* into returned;
  if not found then return (select m.state from app.mail m where m.id = wanted); end if;
  update app.mail_item t set void = true where t.mail_id = wanted;
  insert into app.task (corporation_id, kind, subject, address, facts, opened_at)
  values (returned.corporation_id, 'returned', 'mail/' || wanted, returned.recipient,
    jsonb_build_object('about', returned.subject, 'diagnostic', why), at)
  on conflict (lower(address), corporation_id) where kind = 'returned' and closed_at is null do nothing;
  return 'returned now';
end $$;

create function app.tenant_of_task(wanted uuid) returns table (corporation_id uuid) language sql stable security definer set search_path = pg_catalog, pg_temp as $$
  select k.corporation_id from app.task k where k.id = wanted
$$;

create function app.staff_tasks(after uuid, size integer, wanted_kind text, is_open boolean)
returns setof app.task language sql stable security definer set search_path = pg_catalog, pg_temp as $$
  select * from app.task k
  where (after is null or k.id > after) and (wanted_kind is null or k.kind = wanted_kind) and (is_open is null or (k.closed_at is null) = is_open)
  order by k.id limit size
$$;

-- Ends a task of the caller's tenant, or one about a mail to the operators. False when it was ended before.
create function app.close_task(wanted uuid, at timestamptz, by text) returns boolean language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  update app.task k set closed_at = at, closed_by = by
  where k.id = wanted and k.closed_at is null and k.corporation_id is not distinct from app.current_corporation();
  return found;
end $$;

create function app.task_of(wanted uuid) returns setof app.task language sql stable security definer set search_path = pg_catalog, pg_temp as $$
  select * from app.task k where k.id = wanted and k.corporation_id is not distinct from app.current_corporation()
$$;

revoke all on function app.mail_of_message(text), app.return_mail(uuid, timestamptz, text), app.tenant_of_task(uuid),
  app.staff_tasks(uuid, integer, text, boolean), app.close_task(uuid, timestamptz, text), app.task_of(uuid) from public;
grant execute on function app.mail_of_message(text), app.return_mail(uuid, timestamptz, text), app.tenant_of_task(uuid),
  app.staff_tasks(uuid, integer, text, boolean), app.close_task(uuid, timestamptz, text), app.task_of(uuid) to suido_app;
