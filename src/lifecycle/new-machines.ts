import { record } from "../audit/record.ts";
import type { Clock } from "../pki/clock.ts";
import type { Digest, Random } from "../pki/crypto.ts";
import type { NewId } from "../pki/uuid.ts";
import { ConflictError } from "../registry/errors.ts";
import type { Database } from "../storage/database.ts";
import type { Sql } from "../storage/sql.ts";
import { giveLink, linkUrl, startUrl } from "./enrolment-links.ts";
import type { EnrolmentState, PlaceChoice } from "./enrolment-row.ts";
import { tenantOfSession } from "./enrolment-session.ts";
import { standingOf } from "./enrolment-standing.ts";
import { NoSessionError, NotIdentifiedError } from "./errors.ts";
import {
  holderById,
  nameDevice,
  type Named,
  type NameHolder,
  namesInUse,
  type Naming,
  type Unnamed,
} from "./naming.ts";
import { lifeOf, openEnrolments } from "./open-enrolment.ts";
import { choosePlace } from "./places.ts";
import type { WrongGuesses } from "./wrong-guesses.ts";

/** What opens an invitation for one more machine, shown to whoever stands before a finished one. */
export interface AnotherMachine {
  /** The short address, and what is typed there. */
  readonly start: string;
  readonly code: string;
  /** For a camera. */
  readonly link: string;
}

/** What people say of the machine before them, where it is not known what it is to be. `session` is the browser's secret; all throw NoSessionError. */
export interface NewMachines {
  /** The names that are in use in the pharmacy. */
  names(session: string): Promise<readonly string[]>;
  /** Names the machine. Throws InvalidValueError, and NotIdentifiedError before the person was identified and once it is a device. */
  name(session: string, naming: Naming): Promise<Named>;
  /** The device that the enrolment is for; undefined while it has none. */
  device(session: string): Promise<NameHolder | undefined>;
  /**
   * Says what becomes of the certificates that the device has. Throws NotIdentifiedError before the person was identified
   * and once there is a certificate, and ConflictError where the device has no room for a further place.
   */
  choosePlace(session: string, place: PlaceChoice): Promise<void>;
  /**
   * Invites the same person to put a certificate on one more machine of the pharmacy, where they are identified anew. Asked
   * again before somebody has begun it, it is the same one with a fresh code. Throws ConflictError where it may not be.
   */
  another(session: string): Promise<AnotherMachine>;
}

export interface NewMachinesDeps {
  /** As suido_app. */
  readonly database: Database;
  readonly clock: Clock;
  readonly newId: NewId;
  readonly random: Random;
  readonly digest: Digest;
  readonly appUrl: string;
  readonly guesses: Pick<WrongGuesses, "note">;
  /** So many more a person may ask for in a day. */
  readonly moreDevices: number;
  /** In so many places a device may have a certificate. */
  readonly placesPerDevice: number;
}

/**
 * Whether whoever has just finished may ask for one more, of enrolment `e` at the time `$2`, with at most `$3` a day: the
 * person themselves was identified, within the hour, and not in an emergency. One that was asked for here and that nobody has begun is shown again.
 */
export const MAY_ASK = `e.state = 'proven' and e.identified_how <> 'certificate' and e.identified_at > $2::timestamptz - interval '1 hour'
  and not exists (select from app.emergency x where x.enrolment_id = e.id)
  and (exists (select from app.enrolment o where o.asked_by = 'enrolment:' || e.id and o.account_id = e.account_id
      and app.enrolment_state(o, $2) = 'invited')
    or (select count(*) from app.enrolment o where o.account_id = e.account_id and o.asked_by like 'enrolment:%' and o.first_id is null
      and o.created_at > $2::timestamptz - interval '1 day') < $3::integer)`;

interface Row {
  readonly id: string;
  readonly pharmacy_id: string;
  readonly device_id: string | null;
  readonly account_id: string;
  readonly told_state: EnrolmentState;
  /** A renewal is of the place of its certificate. */
  readonly is_renewal: boolean;
}

const FIND = `select e.id, e.pharmacy_id, e.device_id, e.account_id, app.enrolment_state(e, $2) as told_state,
    e.replaces is not null and e.place is null as is_renewal
  from app.enrolment e where e.session_sha256 = $1 for update of e`;

/** Asked for here, and not begun yet. */
const ASKED = `select id from app.enrolment o where o.asked_by = $1 and o.account_id = $2 and app.enrolment_state(o, $3) = 'invited'
  order by o.created_at desc limit 1`;

interface Asking extends Unnamed {
  readonly sql: Sql;
}

async function invite(
  { sql, enrolmentId, corporationId, pharmacyId, accountId, at }: Asking,
  deps: NewMachinesDeps,
): Promise<string> {
  const actor = `enrolment:${enrolmentId}`;
  const [asked] = await sql.query<{ id: string }>(ASKED, [actor, accountId, at], "another-asked");
  if (asked !== undefined) return asked.id;
  await standingOf(sql, { deviceId: null, pharmacyId, accountId }, at);
  const { newId } = deps;
  const id = newId();
  const reason = "first";
  const expiresAt = new Date(at.getTime() + lifeOf(true));
  const opening = { id, pharmacyId, accountId, reason, expiresAt, requestId: newId() } as const;
  await openEnrolments(sql, { corporationId, actor, at, openings: [opening] }, deps);
  const detail = { accountId, pharmacyId, reason, duringCall: false, mailed: false };
  const made = { action: "enrolment.created", subject: `enrolment/${id}` };
  await record(sql, { at, actor, corporationId, ...made, detail }, newId);
  return id;
}

const MAY = `select ${MAY_ASK} as may_ask from app.enrolment e where e.id = $1`;

async function open(asking: Asking, deps: NewMachinesDeps): Promise<AnotherMachine> {
  const { sql, enrolmentId: from, corporationId, at } = asking;
  // Of one account one after the other: each counts those before.
  await sql.query("select from app.account where id = $1 for no key update", [asking.accountId]);
  const values = [from, at, deps.moreDevices];
  const [asker] = await sql.query<{ may_ask: boolean }>(MAY, values, "another-may");
  if (asker?.may_ask !== true) throw new ConflictError("no more machines from here today");
  const enrolmentId = await invite(asking, deps);
  const token = await giveLink(sql, { enrolmentId, kind: "link", at }, deps);
  const code = await giveLink(sql, { enrolmentId, kind: "code", at }, deps);
  if (token === undefined || code === undefined) throw new ConflictError("it is over by now");
  const actor = `enrolment:${from}`;
  const given = { action: "enrolment.handed-over", subject: `enrolment/${enrolmentId}` };
  const detail = { link: true, code: true };
  await record(sql, { at, actor, corporationId, ...given, detail }, deps.newId);
  return { start: startUrl(deps.appUrl), code, link: linkUrl(deps.appUrl, token) };
}

export function createNewMachines(deps: NewMachinesDeps): NewMachines {
  const { database, clock, newId, placesPerDevice: most } = deps;
  const within = async <T>(
    session: string,
    work: (asking: Asking, row: Row) => Promise<T>,
  ): Promise<T> => {
    const { sha256, corporationId } = await tenantOfSession(deps, session);
    return database.tenant(corporationId, async (sql) => {
      const at = clock();
      const [row] = await sql.query<Row>(FIND, [sha256, at], "machine-find");
      if (row === undefined) throw new NoSessionError();
      const { id: enrolmentId, pharmacy_id: pharmacyId, account_id: accountId } = row;
      return work({ sql, enrolmentId, corporationId, pharmacyId, accountId, at }, row);
    });
  };
  return {
    names: (session) => within(session, ({ sql, ...of }) => namesInUse(sql, of)),

    name: (session, naming) =>
      within(session, async ({ sql, ...of }, { device_id: deviceId, told_state: state }) => {
        if (state !== "identified" || deviceId !== null) throw new NotIdentifiedError(state);
        return nameDevice(sql, { ...of, naming, most }, newId);
      }),

    device: (session) =>
      within(session, async ({ sql, accountId, at }, { device_id: deviceId }) =>
        deviceId === null ? undefined : holderById(sql, { deviceId, accountId, at, most }),
      ),

    choosePlace: (session, place) =>
      within(session, async ({ sql, ...of }, row) => {
        const { device_id: deviceId, told_state: state } = row;
        if (state !== "identified" || deviceId === null || row.is_renewal)
          throw new NotIdentifiedError(state);
        await choosePlace(sql, { ...of, deviceId, place, most }, newId);
      }),

    another: (session) => within(session, (asking) => open(asking, deps)),
  };
}
