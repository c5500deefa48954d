import { record } from "../audit/record.ts";
import { serialOf } from "../ca/certificate-record.ts";
import { InvalidStateError } from "../ca/errors.ts";
import type { Issuance, IssuedCertificate, KeyRequest } from "../ca/issuance.ts";
import type { Revocation } from "../ca/revocation.ts";
import type { Digest } from "../pki/crypto.ts";
import { EMERGENCY_PROFILE } from "../pki/profile.ts";
import type { Serial } from "../pki/serial.ts";
import type { NewId } from "../pki/uuid.ts";
import { ConflictError } from "../registry/errors.ts";
import type { Principal } from "../registry/principal.ts";
import type { Database } from "../storage/database.ts";
import { uniqueViolation } from "../storage/errors.ts";
import type { Sql } from "../storage/sql.ts";
import type { Check, Checks } from "./checks.ts";
import { type Session, type Tenanted, tenantOfSession } from "./enrolment-session.ts";
import { standingOf } from "./enrolment-standing.ts";
import { judgeCode, planCode } from "./mailed-code.ts";
import { claimDevice } from "./naming.ts";
import { NoSessionError, NotIdentifiedError, TooManyBundlesError } from "./errors.ts";
import {
  certificateOf,
  FIND_WAY,
  isPlaceOpen,
  type Way,
  wayOf,
  type WayRow,
  type WaySite,
} from "./way-row.ts";
import type { WrongGuesses } from "./wrong-guesses.ts";

/**
 * What a browser does that has begun an enrolment, and a script that goes on from there. `session` is its secret. All of it
 * throws NoSessionError.
 */
export interface Ways {
  look(session: string): Promise<Way>;
  /**
   * Makes a provisional certificate: of the request, or with a key of ours where there is none. Those that were made for
   * this enrolment before are revoked: of two at once the newer stays. Throws NotIdentifiedError, TooManyBundlesError, and
   * what `Issuance.issue` does.
   */
  issue(session: Session, request: KeyRequest): Promise<IssuedCertificate>;
  /**
   * Mails a code to the person's own address. Throws ConflictError where there is none or too many were sent, and
   * NotIdentifiedError unless somebody waits to be identified.
   */
  mailCode(session: string): Promise<void>;
  /** Whether the code is right: then the person is identified. */
  enterCode(session: string, code: string): Promise<boolean>;
  /** A check of the certificate of this enrolment. Throws InvalidStateError where there is none. */
  check(session: Session): Promise<Check>;
}

export interface WaysDeps extends WaySite {
  /** As suido_app. */
  readonly database: Database;
  readonly newId: NewId;
  readonly digest: Digest;
  readonly issuance: Pick<Issuance, "issue" | "renew">;
  readonly revocation: Pick<Revocation, "revoke">;
  readonly checks: Pick<Checks, "create">;
  readonly guesses: Pick<WrongGuesses, "note">;
  /** So many more machines a person may ask for in a day. */
  readonly moreDevices: number;
}

/** More than anybody needs who does it alone: five, and then support is on the telephone. */
const MOST_BUNDLES = 20;

/**
 * Made for this enrolment, or for an earlier renewal of the same certificate that gave way to it, and put aside by a newer one
 * before anybody has proven them. One of an earlier renewal that a product has let in stays: somebody works with it.
 */
const OLDER = `select i.serial from (
    select $1::uuid as id, false as is_other
    union all
    select e.id, true from app.enrolment own join app.enrolment e on e.replaces = own.replaces
    where own.id = $1 and own.place is null and e.place is null and e.id <> own.id and e.state in ('withdrawn', 'expired')
  ) e join app.binding b on b.enrolment_id = e.id join ca.issued i on i.serial = b.serial
  where i.state = 'good' and i.proven_at is null and not (e.is_other and exists (select from party.use u where u.serial = i.serial))
  order by e.is_other, i.issued_at desc, i.serial desc offset 1`;

/** Whoever was identified may have left meanwhile. Throws what keeps a certificate from them. */
async function checkAllowed(
  sql: Sql,
  row: WayRow,
  { at, most }: { readonly at: Date; readonly most: number },
): Promise<void> {
  const { told_state: state } = row;
  if (state !== "identified" && state !== "issued") throw new NotIdentifiedError(state);
  if (row.made >= MOST_BUNDLES) throw new TooManyBundlesError();
  if (isPlaceOpen(row, most))
    throw new ConflictError("the device has a certificate: in its place, or beside it", "place");
  const { account_id: accountId, device_id: deviceId, pharmacy_id: pharmacyId } = row;
  await standingOf(sql, { deviceId, pharmacyId, accountId }, at);
}

/** An enrolment acts for itself: what it may do is decided here and nowhere else. */
function principalOf({ id }: WayRow, corporationId: string): Principal {
  return { id, actor: `enrolment:${id}`, role: "product", corporationId };
}

interface Reading {
  readonly sha256: Uint8Array;
  readonly at: Date;
  readonly moreDevices: number;
}

/** The enrolment, if it is this browser's still. */
async function read(sql: Sql, { sha256, at, moreDevices }: Reading, lock = ""): Promise<WayRow> {
  const [row] = await sql.query<WayRow>(`${FIND_WAY}${lock}`, [sha256, at, moreDevices]);
  if (row === undefined) throw new NoSessionError();
  return row;
}

/** The enrolment of a session, which `check` may refuse in the same transaction. */
async function find(
  deps: Pick<
    WaysDeps,
    "database" | "digest" | "clock" | "guesses" | "moreDevices" | "placesPerDevice"
  >,
  session: Session,
  check: typeof checkAllowed = async () => undefined,
): Promise<Tenanted & { readonly row: WayRow }> {
  const tenanted = await tenantOfSession(deps, session);
  const row = await deps.database.tenant(tenanted.corporationId, async (sql) => {
    const at = deps.clock();
    const found = await read(sql, { ...tenanted, at, moreDevices: deps.moreDevices });
    await check(sql, found, { at, most: deps.placesPerDevice });
    return found;
  });
  return { ...tenanted, row };
}

interface Noting extends Reading {
  readonly corporationId: string;
  readonly serialNumber: Serial;
}

/** Notes that there is a certificate. Returns those that it takes the place of. */
async function note(sql: Sql, noting: Noting, newId: NewId): Promise<readonly Serial[]> {
  const { at, corporationId, serialNumber } = noting;
  const row = await read(sql, noting, " for update of e");
  if (row.told_state === "identified")
    await sql.query(
      "update app.enrolment set state = 'issued', issued_at = $2 where id = $1",
      [row.id, at],
      "way-issued",
    );
  const [actor, action] = [`enrolment:${row.id}`, "enrolment.issued"] as const;
  const subject = `enrolment/${row.id}`;
  await record(sql, { at, actor, action, subject, corporationId, detail: { serialNumber } }, newId);
  const older = await sql.query<{ serial: Uint8Array }>(OLDER, [row.id], "way-older");
  return older.map(({ serial }) => serialOf(serial));
}

interface Certifying {
  readonly row: WayRow;
  readonly order: KeyRequest;
  readonly corporationId: string;
}

/** For the device of the enrolment: one that there is, or one that comes into being in this moment. */
async function certify(
  { clock, issuance, newId, placesPerDevice: most }: WaysDeps,
  principal: Principal,
  { row, order, corporationId }: Certifying,
): Promise<IssuedCertificate> {
  const { id: enrolmentId, device_id: deviceId, account_id: accountId, replaces } = row;
  if (deviceId !== null && !row.is_claimed)
    return replaces === null
      ? issuance.issue(principal, {
          ...order,
          deviceId,
          accountId,
          ...(row.is_emergency && { profile: EMERGENCY_PROFILE }),
        })
      : issuance.renew(principal, serialOf(replaces), order);
  const claim = (sql: Sql): ReturnType<typeof claimDevice> =>
    claimDevice(sql, { enrolmentId, corporationId, at: clock(), most }, newId);
  try {
    return await issuance.issue(principal, { ...order, deviceId: claim, accountId });
  } catch (error) {
    if (uniqueViolation(error) !== "device_name_in_pharmacy") throw error;
    throw new ConflictError("another device has taken this name in this moment", "name");
  }
}

/** What browsers do that have begun an enrolment. */
export function createWays(deps: WaysDeps): Ways {
  const { database, clock, newId, revocation, checks, identifyByMail, moreDevices } = deps;
  /** Work on an enrolment that waits for somebody to be identified, and stays as it is meanwhile. */
  const waiting = async <T>(
    session: string,
    work: (sql: Sql, row: WayRow, tenanted: Tenanted) => Promise<T>,
  ): Promise<T> => {
    const tenanted = await tenantOfSession(deps, session);
    return database.tenant(tenanted.corporationId, async (sql) => {
      const row = await read(sql, { ...tenanted, at: clock(), moreDevices }, " for update of e");
      if (row.told_state !== "started") throw new NotIdentifiedError(row.told_state);
      return work(sql, row, tenanted);
    });
  };
  return {
    look: async (session) => wayOf((await find(deps, session)).row, deps),

    async mailCode(session) {
      if (!identifyByMail) throw new ConflictError("this site does not identify people by mail");
      await waiting(session, (sql, { id: enrolmentId }, { corporationId }) =>
        planCode(sql, { enrolmentId, corporationId, at: clock() }, newId),
      );
    },

    enterCode: (session, text) =>
      waiting(session, (sql, { id: enrolmentId }, { corporationId }) =>
        judgeCode(sql, { enrolmentId, corporationId, at: clock(), text }, deps),
      ),

    async issue(session, request) {
      const { row, ...tenanted } = await find(deps, session, checkAllowed);
      const { corporationId } = tenanted;
      const principal = principalOf(row, corporationId);
      const order = { ...request, enrolmentId: row.id };
      const certificate = await certify(deps, principal, { row, order, corporationId });
      const { serialNumber } = certificate;
      // A crash in between leaves two good ones: the next turn of this very enrolment finds the older.
      const older = await database.tenant(corporationId, (sql) =>
        note(sql, { ...tenanted, serialNumber, at: clock(), moreDevices }, newId),
      );
      for (const serial of older) await revocation.revoke(principal, serial, "superseded");
      return certificate;
    },

    async check(session) {
      const { row, corporationId } = await find(deps, session);
      const certificate = certificateOf(row);
      if (certificate === undefined)
        throw new InvalidStateError("there is no certificate to be checked yet");
      return checks.create(principalOf(row, corporationId), certificate.serialNumber);
    },
  };
}
