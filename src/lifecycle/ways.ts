import { record } from "../audit/record.ts";
import { serialOf } from "../ca/certificate-record.ts";
import { InvalidStateError } from "../ca/errors.ts";
import type { Issuance, IssuedCertificate, KeyRequest } from "../ca/issuance.ts";
import type { Revocation } from "../ca/revocation.ts";
import type { Clock } from "../pki/clock.ts";
import type { Digest } from "../pki/crypto.ts";
import { EMERGENCY_PROFILE } from "../pki/profile.ts";
import type { Serial } from "../pki/serial.ts";
import type { NewId } from "../pki/uuid.ts";
import { ConflictError } from "../registry/errors.ts";
import type { Principal } from "../registry/principal.ts";
import type { Platform } from "../registry/vocabulary.ts";
import type { Database } from "../storage/database.ts";
import { uniqueViolation } from "../storage/errors.ts";
import type { Sql } from "../storage/sql.ts";
import type { Check, Checks } from "./checks.ts";
import type { EnrolmentState, IdentifiedHow, PlaceChoice } from "./enrolment-row.ts";
import { type Session, type Tenanted, tenantOfSession } from "./enrolment-session.ts";
import { checkNotHeld, heldOf, standingOf } from "./enrolment-standing.ts";
import { hiddenAddress } from "./hidden-address.ts";
import { judgeCode, planCode } from "./mailed-code.ts";
import { claimDevice } from "./naming.ts";
import { MAY_ASK } from "./new-machines.ts";
import { placesOf } from "./places.ts";
import { NoSessionError, NotIdentifiedError, TooManyBundlesError } from "./errors.ts";
import { notRenewableWhy } from "./renewable.ts";
import type { WrongGuesses } from "./wrong-guesses.ts";

/** The certificate that an enrolment has led to: the newest of those that were made for it. */
export interface WayCertificate {
  readonly serialNumber: Serial;
  readonly commonName: string;
  readonly notAfter: Date;
  readonly keyOrigin: "subject" | "server";
  readonly isGood: boolean;
  readonly provenAt?: Date;
  /** When a product has let it in first. */
  readonly usedAt?: Date;
}

/** How far a browser is that has begun an enrolment. */
export interface Way {
  readonly enrolmentId: string;
  readonly state: EnrolmentState;
  /** Whether a newer one of the same device has taken its place. */
  readonly isReplaced: boolean;
  /** Whether it is known what the device is called: if not, the person names it before there is a certificate. */
  readonly isNamed: boolean;
  /** Whether the device has a certificate in use, and nobody has said what becomes of it. */
  readonly isPlaceOpen: boolean;
  /** Whether somebody of its pharmacy has stopped the device: it gets no certificate while that lasts. */
  readonly isHeld: boolean;
  /** Both absent while nobody has named it. */
  readonly deviceName?: string;
  readonly platform?: Platform;
  readonly pharmacyName: string;
  readonly supportNumber: string;
  readonly expiresAt: Date;
  readonly identifiedHow?: IdentifiedHow;
  /** Where a code can be mailed to, with its name hidden but for the first letter, and how many were. */
  readonly mail?: { readonly address: string; readonly sent: number };
  /** Of a renewal whose old certificate expired too long ago, or was stopped: it comes to nothing. */
  readonly notRenewable?: "late" | "barred";
  /** Whether its machine stands in for another one for a night. */
  readonly isEmergency: boolean;
  /** How many certificates were made for it so far. */
  readonly made: number;
  readonly certificate?: WayCertificate;
  /** Whether one more machine may be asked for here. */
  readonly mayAskForAnother: boolean;
}

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

export interface WaysDeps {
  /** As suido_app. */
  readonly database: Database;
  readonly clock: Clock;
  readonly newId: NewId;
  readonly digest: Digest;
  readonly issuance: Pick<Issuance, "issue" | "renew">;
  readonly revocation: Pick<Revocation, "revoke">;
  readonly checks: Pick<Checks, "create">;
  /** Whether a code to their own address says who somebody is: the site decides. */
  readonly identifyByMail: boolean;
  readonly guesses: Pick<WrongGuesses, "note">;
  /** So many more machines a person may ask for in a day. */
  readonly moreDevices: number;
  /** In so many places a device may have a certificate. */
  readonly placesPerDevice: number;
}

/** More than anybody needs who does it alone: five, and then support is on the telephone. */
const MOST_BUNDLES = 20;

interface Row {
  readonly id: string;
  readonly device_id: string | null;
  readonly pharmacy_id: string;
  readonly account_id: string;
  readonly told_state: EnrolmentState;
  readonly replaced_by: string | null;
  readonly support_number: string;
  readonly expires_at: Date;
  readonly identified_how: IdentifiedHow | null;
  /** The person's own. */
  readonly email: string | null;
  readonly codes_mailed: number;
  readonly device_name: string | null;
  readonly platform: Platform | null;
  readonly pharmacy_name: string;
  /** Whether the device is named, or comes into being, by its person. */
  readonly is_claimed: boolean;
  readonly is_named: boolean;
  readonly place: PlaceChoice | null;
  /** Where it is still to be said which place it is for, in how many the device has a certificate. */
  readonly places: number;
  readonly may_ask: boolean;
  readonly made: number;
  /** The certificate that is renewed. */
  readonly replaces: Uint8Array | null;
  readonly old_state: string | null;
  readonly old_not_after: Date | null;
  readonly serial: Uint8Array | null;
  readonly common_name: string;
  readonly not_after: Date;
  readonly key_origin: "subject" | "server";
  readonly issued_state: string;
  readonly proven_at: Date | null;
  readonly used_at: Date | null;
  readonly is_emergency: boolean;
  readonly is_held: boolean;
}

const FIND = `select e.id, e.device_id, e.pharmacy_id, e.account_id, app.enrolment_state(e, $2) as told_state, e.replaced_by, e.support_number,
    e.expires_at, e.replaces, old.state as old_state, old.not_after as old_not_after, e.identified_how, case when a.email_shared then null else a.email end as email, e.codes_mailed,
    coalesce(d.name, e.device_name) as device_name, coalesce(d.platform, e.device_platform) as platform, p.name as pharmacy_name,
    (e.device_id is null or e.device_name is not null or e.place is not null) as is_claimed, e.place,
    case when e.state = 'identified' and e.replaces is null then ${placesOf("coalesce(e.device_id, e.takes_over)", "$2")} else 0 end as places,
    e.device_id is not null or (e.device_name is not null and e.takes_over is not distinct from (select t.id from app.device t
      where t.pharmacy_id = e.pharmacy_id and t.name = e.device_name and t.retired_at is null)) as is_named,
    ${MAY_ASK} as may_ask,
    (select count(*)::integer from app.binding b where b.enrolment_id = e.id) as made,
    c.serial, c.common_name, c.not_after, c.key_origin, c.state as issued_state, c.proven_at,
    exists (select from app.emergency x where x.enrolment_id = e.id) as is_emergency,
    ${heldOf("coalesce(e.device_id, e.takes_over)", "$2")} as is_held,
    (select min(u.first_at) from party.use u where u.serial = c.serial) as used_at
  from app.enrolment e
  left join app.device d on d.id = e.device_id
  join app.pharmacy p on p.id = e.pharmacy_id
  join app.account a on a.id = e.account_id
  left join ca.issued old on old.serial = e.replaces
  left join lateral (
    select i.serial, i.common_name, i.not_after, i.key_origin, i.state, i.proven_at
    from app.binding b join ca.issued i on i.serial = b.serial
    where b.enrolment_id = e.id and i.der is not null order by i.issued_at desc, i.serial desc limit 1) c on true
  where e.session_sha256 = $1`;

/** Made for this enrolment, and put aside by a newer one before anybody has proven them. */
const OLDER = `select i.serial from app.binding b join ca.issued i on i.serial = b.serial
  where b.enrolment_id = $1 and i.state = 'good' and i.proven_at is null
  order by i.issued_at desc, i.serial desc offset 1`;

function certificateOf(row: Row): WayCertificate | undefined {
  if (row.serial === null) return undefined;
  return {
    serialNumber: serialOf(row.serial),
    commonName: row.common_name,
    notAfter: row.not_after,
    keyOrigin: row.key_origin,
    isGood: row.issued_state === "good",
    ...(row.proven_at !== null && { provenAt: row.proven_at }),
    ...(row.used_at !== null && { usedAt: row.used_at }),
  };
}

/** Whether it has to be said yet what becomes of the device's certificates, or cannot be as it was said. */
function isPlaceOpen(row: Row, most: number): boolean {
  if (row.is_emergency || row.made > 0 || row.replaces !== null) return false;
  if (row.place === "further") return row.places >= most;
  return row.place === null && row.device_id !== null && row.places > 0;
}

type Site = Pick<WaysDeps, "clock" | "identifyByMail" | "placesPerDevice">;

function wayOf(row: Row, { clock, identifyByMail, placesPerDevice }: Site): Way {
  const { email } = row;
  const isOpen = isPlaceOpen(row, placesPerDevice);
  const certificate = certificateOf(row);
  const notRenewable = row.is_claimed ? undefined : notRenewableWhy(row, clock());
  return {
    enrolmentId: row.id,
    state: row.told_state,
    isReplaced: row.replaced_by !== null,
    ...(row.device_name !== null && { deviceName: row.device_name }),
    ...(row.platform !== null && { platform: row.platform }),
    pharmacyName: row.pharmacy_name,
    supportNumber: row.support_number,
    expiresAt: row.expires_at,
    ...(notRenewable !== undefined && { notRenewable }),
    isEmergency: row.is_emergency,
    // Who has named a device that has no room any more names it anew.
    isNamed: row.is_named && !(isOpen && row.device_id === null),
    isPlaceOpen: isOpen,
    isHeld: row.is_held,
    mayAskForAnother: row.may_ask,
    made: row.made,
    ...(row.identified_how !== null && { identifiedHow: row.identified_how }),
    ...(identifyByMail &&
      email !== null && { mail: { address: hiddenAddress(email), sent: row.codes_mailed } }),
    ...(certificate !== undefined && { certificate }),
  };
}

/** Whoever was identified may have left meanwhile. Throws what keeps a certificate from them. */
async function checkAllowed(
  sql: Sql,
  row: Row,
  { at, most }: { readonly at: Date; readonly most: number },
): Promise<void> {
  const { told_state: state } = row;
  if (state !== "identified" && state !== "issued") throw new NotIdentifiedError(state);
  checkNotHeld(row.is_held);
  if (row.made >= MOST_BUNDLES) throw new TooManyBundlesError();
  if (isPlaceOpen(row, most))
    throw new ConflictError("the device has a certificate: in its place, or beside it", "place");
  const { account_id: accountId, device_id: deviceId, pharmacy_id: pharmacyId } = row;
  await standingOf(sql, { deviceId, pharmacyId, accountId }, at);
}

/** An enrolment acts for itself: what it may do is decided here and nowhere else. */
function principalOf({ id }: Row, corporationId: string): Principal {
  return { id, actor: `enrolment:${id}`, role: "product", corporationId };
}

interface Reading {
  readonly sha256: Uint8Array;
  readonly at: Date;
  readonly moreDevices: number;
}

/** The enrolment, if it is this browser's still. */
async function read(sql: Sql, { sha256, at, moreDevices }: Reading, lock = ""): Promise<Row> {
  const [row] = await sql.query<Row>(`${FIND}${lock}`, [sha256, at, moreDevices]);
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
): Promise<Tenanted & { readonly row: Row }> {
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
  readonly row: Row;
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
    work: (sql: Sql, row: Row, tenanted: Tenanted) => Promise<T>,
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
