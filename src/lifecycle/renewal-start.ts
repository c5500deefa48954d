import { record } from "../audit/record.ts";
import { CertificateStateError, NotRenewableError } from "../ca/errors.ts";
import type { Identified } from "../ca/identification.ts";
import { toHex } from "../pki/bytes.ts";
import { serialBytes } from "../pki/serial.ts";
import type { Clock } from "../pki/clock.ts";
import type { Digest, Random } from "../pki/crypto.ts";
import type { NewId } from "../pki/uuid.ts";
import { NotFoundError } from "../registry/errors.ts";
import type { Database } from "../storage/database.ts";
import type { Sql } from "../storage/sql.ts";
import { findLink, linkHash } from "./enrolment-links.ts";
import { beginSession } from "./enrolment-session.ts";
import { standingOf } from "./enrolment-standing.ts";
import { openEnrolments } from "./open-enrolment.ts";
import type { WrongGuesses } from "./wrong-guesses.ts";

export interface RenewalStartDeps {
  /** As suido_app. */
  readonly database: Database;
  readonly clock: Clock;
  readonly newId: NewId;
  readonly random: Random;
  readonly digest: Digest;
  readonly guesses: Pick<WrongGuesses, "note">;
}

/** Renewal on the device itself: its old certificate is the sign-in. */
export interface RenewalStart {
  /**
   * Makes an enrolment for the device that has shown this certificate, in place of what is open for this place of it. Returns a token with
   * which its browser goes on, within a minute and once. Throws InvalidStateError and NotAMemberError, and
   * NotRenewableError of an emergency's certificate.
   */
  begin(identified: Identified): Promise<string>;
  /** Whether a new machine has taken the place of the whole device since this certificate: then it is renewed no more. */
  isPutAside(identified: Identified): Promise<boolean>;
  /** What the token's browser goes on with: the secret of its session. Throws NotFoundError. */
  goOn(token: string): Promise<string>;
}

const TOKEN_OCTETS = 16;
/** A redirect takes a second. */
const TOKEN_LIFE_MS = 60_000;
/** The old certificate may be used as sign-in again at any time, so it need not live long. */
const LIFE_MS = 72 * 60 * 60_000;

/** By a certificate of the device ($2) that is proven, and for which it was said that it comes instead of all others. */
const PUT_ASIDE = `select from ca.issued own join app.enrolment e on e.device_id = $2 and e.place = 'instead'
  join app.binding b on b.enrolment_id = e.id join ca.issued taken on taken.serial = b.serial
  where own.serial = $1 and own.issued_at <= taken.issued_at and taken.proven_at is not null and taken.state in ('good', 'hold')
    and not exists (select from app.binding o where o.serial = own.serial and o.enrolment_id = e.id) limit 1`;

async function isPutAside(sql: Sql, { device, serialNumber }: Identified): Promise<boolean> {
  const values = [serialBytes(serialNumber), device.id];
  return (await sql.query(PUT_ASIDE, values, "renewal-put-aside")).length > 0;
}

interface Renewing {
  readonly identified: Identified;
  readonly token: string;
  readonly at: Date;
}

async function insert(
  sql: Sql,
  { identified, token, at }: Renewing,
  { newId, random, digest }: RenewalStartDeps,
): Promise<void> {
  const { account, corporation, device, pharmacy, serialNumber } = identified;
  await sql.query("select from app.device where id = $1 for update", [device.id], "renewal-lock");
  await standingOf(sql, { deviceId: device.id, accountId: account.id }, at);
  if (await isPutAside(sql, identified))
    throw new CertificateStateError("a new machine has taken the place of this one");
  const id = newId();
  const actor = `certificate:${serialNumber}`;
  const fact = { at, actor, corporationId: corporation.id };
  const opening = {
    id,
    pharmacyId: pharmacy.id,
    deviceId: device.id,
    accountId: account.id,
    reason: "renewal",
    expiresAt: new Date(at.getTime() + LIFE_MS),
    replaces: serialNumber,
  } as const;
  const openings = { corporationId: corporation.id, actor, at, openings: [opening] };
  await openEnrolments(sql, openings, { random, newId });
  await sql.query(
    "insert into app.enrolment_link (sha256, kind, corporation_id, enrolment_id, created_at) values ($1, 'renewal', $2, $3, $4)",
    [linkHash("renewal", { spelling: token, digest }), corporation.id, id, at],
    "renewal-link",
  );
  const detail = { deviceId: device.id, accountId: account.id, reason: "renewal", serialNumber };
  const made = { action: "enrolment.created", subject: `enrolment/${id}`, detail };
  await record(sql, { ...fact, ...made }, newId);
}

interface Opened {
  readonly id: string;
  readonly device_id: string;
  readonly pharmacy_id: string;
  readonly account_id: string;
  readonly begun: number;
  readonly asked_by: string;
}

/** Taken from where it lies: nobody opens it a second time. */
const TAKE = `with taken as (delete from app.enrolment_link where sha256 = $1 and kind = 'renewal' returning enrolment_id, created_at)
  select e.id, e.device_id, e.pharmacy_id, e.account_id, e.begun, e.asked_by from taken join app.enrolment e on e.id = taken.enrolment_id
  where taken.created_at > $2 and e.state = 'invited' and e.expires_at > $3 for update of e`;

const IDENTIFY = `update app.enrolment set state = 'identified', identified_at = $2, identified_by = $3, identified_how = 'certificate' where id = $1`;

export function createRenewalStart(deps: RenewalStartDeps): RenewalStart {
  const { database, clock, newId, random, guesses } = deps;
  const unknown = async (): Promise<Error> => {
    await guesses.note("renewal");
    return new NotFoundError("enrolment", "token");
  };
  return {
    async begin(identified) {
      if (identified.isEmergency) throw new NotRenewableError();
      const token = toHex(random(TOKEN_OCTETS));
      await database.tenant(identified.corporation.id, (sql) =>
        insert(sql, { identified, token, at: clock() }, deps),
      );
      return token;
    },

    isPutAside: (identified) =>
      database.tenant(identified.corporation.id, (sql) => isPutAside(sql, identified)),

    async goOn(token) {
      const found = await findLink(deps, "renewal", token);
      if (found === undefined) throw await unknown();
      const { sha256, corporationId } = found;
      return database.tenant(corporationId, async (sql) => {
        const at = clock();
        const [row] = await sql.query<Opened>(
          TAKE,
          [sha256, new Date(at.getTime() - TOKEN_LIFE_MS), at],
          "renewal-take",
        );
        if (row === undefined) throw new NotFoundError("enrolment", "token");
        const { id: enrolmentId, device_id: deviceId, account_id: accountId, begun } = row;
        const parties = { deviceId, pharmacyId: row.pharmacy_id, accountId };
        const beginning = { enrolmentId, corporationId, ...parties, begun, at };
        const session = await beginSession(sql, { ...beginning, kind: "renewal" }, deps);
        await sql.query(IDENTIFY, [enrolmentId, at, row.asked_by], "renewal-identify");
        const how = { action: "enrolment.identified", detail: { how: "certificate" } };
        const subject = `enrolment/${enrolmentId}`;
        await record(sql, { ...how, at, actor: row.asked_by, subject, corporationId }, newId);
        return session;
      });
    },
  };
}
