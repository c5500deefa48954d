import { system, type TestCa } from "../../support/signer.ts";

/** An enrolment with everything that opens it, and all whereby people were known, as a restored database has it. */
export async function openedBefore({ superuser, tenant }: TestCa): Promise<void> {
  const { corporationId, pharmacyId, deviceId, accountId } = tenant;
  const id = system.newId();
  await superuser.query(
    `insert into app.enrolment (id, corporation_id, pharmacy_id, device_id, account_id, state, reason, during_call, support_number,
       asked_by, mailed, created_at, expires_at, started_at, identified_at, identified_by, identified_how, session_sha256, begun,
       code_sha256, code_until)
     values ($1, $2, $3, $4, $5, 'identified', 'first', false, '123456', 'cli:test', true, now() - interval '1 hour', now() + interval '1 day',
       now(), now(), 'cli:test', 'telephone', sha256('session'), 1, sha256('code'), now() + interval '1 hour')`,
    [id, corporationId, pharmacyId, deviceId, accountId],
  );
  await superuser.query(
    `insert into app.enrolment_link (sha256, kind, corporation_id, enrolment_id, created_at)
     select sha256(kind::bytea), kind, $2, $1, now() - interval '1 hour' from unnest(array['link', 'code', 'renewal', 'script']) as kind`,
    [id, corporationId],
  );
  await superuser.query(
    `insert into app.certificate_check (id, corporation_id, serial, nonce_sha256, asked_by, created_at, expires_at)
     select $1, $2, min(serial), sha256('nonce'), 'cli:test', now() - interval '1 minute', now() + interval '9 minutes' from app.binding`,
    [system.newId(), corporationId],
  );
  const person = [system.newId(), corporationId, accountId];
  const times = "now() - interval '1 minute', now() + interval '9 minutes'";
  await superuser.query(
    `insert into app.factor_invitation (id, corporation_id, account_id, how, asked_by, created_at, expires_at)
     values ($1, $2, $3, 'telephone', 'cli:test', ${times})`,
    person,
  );
  await superuser.query(
    `insert into app.factor_link (sha256, corporation_id, invitation_id) values (sha256('factor'), $2, $1)`,
    person.slice(0, 2),
  );
  await superuser.query(
    `insert into app.factor_session (session_sha256, corporation_id, account_id, how, by, created_at, expires_at)
     values (sha256('adding'), $1, $2, 'telephone', 'cli:test', ${times})`,
    person.slice(1),
  );
  await superuser.query(
    `insert into app.emergency_visit (id, session_sha256, corporation_id, account_id, created_at, expires_at)
     values ($1, sha256('night'), $2, $3, ${times})`,
    person,
  );
  await superuser.query(
    `insert into app.person_session (sha256, corporation_id, account_id, issuer, subject, epoch, authenticated_at, created_at, seen_at)
     values (sha256('person'), $1, $2, 'https://id.example', 'x', 1, now(), now() - interval '1 minute', now())`,
    person.slice(1),
  );
}

/** What of it still opens something. */
export const stillOpen = ({ superuser }: TestCa): Promise<readonly object[]> =>
  superuser.query(
    `select state, (select count(*)::int from app.enrolment_link) as links, (select count(*)::int from app.certificate_check) as checks,
       (select count(*)::int from app.factor_link) + (select count(*)::int from app.factor_invitation)
         + (select count(*)::int from app.factor_session) as adding,
       (select count(*)::int from app.emergency_visit) + (select count(*)::int from app.person_session) as visits,
       session_sha256 is not null or code_sha256 is not null or code_until is not null as is_open from app.enrolment`,
  );
