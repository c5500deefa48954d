import type { Clock } from "../pki/clock.ts";
import type { Digest } from "../pki/crypto.ts";
import type { NewId } from "../pki/uuid.ts";
import { canonicalId } from "../registry/principal.ts";
import { NotFoundError } from "../registry/errors.ts";
import type { Platform } from "../registry/vocabulary.ts";
import type { Database } from "../storage/database.ts";
import type { Sql } from "../storage/sql.ts";
import { type Colleague, colleaguesOf } from "./deputies.ts";
import { type DeskPerson, type DeskPharmacy, pharmaciesOf, pharmacyOf } from "./desk-rights.ts";
import type { EnrolmentState } from "./enrolment-row.ts";
import { sessionHash } from "./enrolment-session.ts";
import { identify, MAY_HAVE_ONE } from "./identifying.ts";
import { placesOf } from "./places.ts";

/** Why somebody stops a device. */
export const HOLD_REASONS = ["lost", "suspicious", "other"] as const;
export type HoldReason = (typeof HOLD_REASONS)[number];

/** A device as its pharmacy's people see it. */
export interface DeskDevice {
  readonly id: string;
  readonly name: string;
  readonly platform: Platform;
  /** Until when its best certificate is good; absent where it has none that is good or on hold. */
  readonly notAfter?: Date;
  /** In how many places (Windows users, browsers) a certificate of it is in use. */
  readonly places: number;
  /** Whether it has a good certificate, and so can be stopped. */
  readonly isGood: boolean;
  /** Who of the pharmacy has stopped it, when and why, while that lasts. */
  readonly hold?: { readonly by: string; readonly at: Date; readonly reason: HoldReason };
}

/** Somebody who waits at another screen until they are known. */
export interface DeskWaiting {
  readonly enrolmentId: string;
  readonly supportNumber: string;
  readonly personName: string;
  /** Absent where the machine has no name yet. */
  readonly deviceName?: string;
  readonly startedAt: Date;
  /** Whether it is whoever looks: nobody says of themselves who they are. */
  readonly isOwn: boolean;
}

/** A pharmacy with its devices, and who waits there. */
export interface DeskView extends DeskPharmacy {
  readonly devices: readonly DeskDevice[];
  readonly people: readonly DeskWaiting[];
  /** Who works there: for the manager to choose deputies from. */
  readonly colleagues: readonly Colleague[];
}

/** What a colleague's page is told by, as the manager saw it. */
export interface Confirming {
  readonly enrolmentId: string;
  readonly supportNumber: string;
  /** The secret of the way that this very browser is on, if it is on one. */
  readonly ownWay: string;
}

/** What came of it: `changed` where the number on the colleague's page is another by now, `over` where nobody waits. */
export type Confirmed = "confirmed" | "own" | "own-screen" | "changed" | "over" | "ended";

/** The screen of a pharmacy's people for its devices. Whatever is not theirs is not there: NotFoundError. */
export interface Desk {
  pharmacies(person: DeskPerson): Promise<readonly DeskPharmacy[]>;
  look(person: DeskPerson, pharmacyId: string): Promise<DeskView>;
  /** 「本人を確認しました」, by the pharmacy's manager of somebody else, at another screen. */
  confirm(
    person: DeskPerson,
    confirming: Confirming,
  ): Promise<{ readonly pharmacyId: string; readonly came: Confirmed }>;
}

export interface DeskDeps {
  /** As suido_app. */
  readonly database: Database;
  readonly clock: Clock;
  readonly newId: NewId;
  readonly digest: Digest;
}

interface DeviceRow {
  readonly id: string;
  readonly name: string;
  readonly platform: Platform;
  readonly not_after: Date | null;
  readonly places: number;
  readonly is_good: boolean;
  readonly held_by: string | null;
  readonly held_at: Date | null;
  readonly reason: HoldReason | null;
}

const DEVICES = `select d.id, d.name, d.platform, c.not_after, coalesce(c.state = 'good', false) as is_good,
    a.name as held_by, h.held_at, h.reason, ${placesOf("d.id", "$2")} as places
  from app.device d
  left join lateral (
    select i.state, i.not_after from app.binding b join ca.issued i on i.serial = b.serial
    where b.device_id = d.id and b.bound_to is null and i.state in ('good', 'hold') and i.not_after > $2
    order by i.state = 'good' desc, i.not_after desc limit 1) c on true
  left join app.device_hold h on h.device_id = d.id and h.released_at is null
  left join app.account a on a.id = h.held_by
  where d.pharmacy_id = $1 and d.retired_at is null order by d.name, d.id`;

const PEOPLE = `select e.id as "enrolmentId", e.support_number as "supportNumber", a.name as "personName",
    coalesce(d.name, e.device_name) as "deviceName", e.started_at as "startedAt", e.account_id = $3 as "isOwn"
  from app.enrolment e
  join app.account a on a.id = e.account_id
  left join app.device d on d.id = e.device_id
  where e.pharmacy_id = $1 and e.state = 'started' and e.expires_at > $2 order by e.started_at desc, e.id limit 100`;

function deviceOf({ id, name, places, platform, ...row }: DeviceRow): DeskDevice {
  const { held_by: by, held_at: at, is_good: isGood, not_after: notAfter, reason } = row;
  return {
    id,
    name,
    platform,
    places,
    isGood,
    ...(notAfter !== null && { notAfter }),
    ...(by !== null && at !== null && reason !== null && { hold: { by, at, reason } }),
  };
}

type WaitingRow = Omit<DeskWaiting, "deviceName"> & { readonly deviceName: string | null };

const waitingOf = ({ deviceName, ...row }: WaitingRow): DeskWaiting => ({
  ...row,
  ...(deviceName !== null && { deviceName }),
});

interface EnrolmentRow {
  readonly id: string;
  readonly pharmacy_id: string;
  readonly account_id: string;
  readonly told_state: EnrolmentState;
  readonly support_number: string;
  readonly session_sha256: Uint8Array | null;
  readonly may_have_one: boolean;
}

const ENROLMENT = `select e.id, e.pharmacy_id, e.account_id, app.enrolment_state(e, $2) as told_state, e.support_number, e.session_sha256,
    ${MAY_HAVE_ONE} as may_have_one
  from app.enrolment e join app.account a on a.id = e.account_id where e.id = $1 for update of e`;

/** Why the manager's word does not count here; undefined where it does. */
function refusalOf(
  row: EnrolmentRow,
  { accountId }: DeskPerson,
  { supportNumber, own }: { readonly supportNumber: string; readonly own: Uint8Array | undefined },
): Confirmed | undefined {
  if (row.account_id === accountId) return "own";
  if (row.told_state !== "started") return "over";
  // Begun anew elsewhere since the page was shown: what was compared is not this number.
  if (row.support_number !== supportNumber) return "changed";
  const [at, mine] = [row.session_sha256, own];
  if (at !== null && mine !== undefined && Buffer.compare(at, mine) === 0) return "own-screen";
  return row.may_have_one ? undefined : "ended";
}

export function createDesk({ database, clock, newId, digest }: DeskDeps): Desk {
  const confirm = async (
    sql: Sql,
    person: DeskPerson,
    { enrolmentId, supportNumber, ownWay }: Confirming,
  ) => {
    const at = clock();
    const id = canonicalId({ kind: "enrolment", id: enrolmentId });
    const [row] = await sql.query<EnrolmentRow>(ENROLMENT, [id, at]);
    if (row === undefined) throw new NotFoundError("enrolment");
    const pharmacyId = row.pharmacy_id;
    const { isManager } = await pharmacyOf(sql, person, { pharmacyId, at });
    if (!isManager) throw new NotFoundError("enrolment");
    const own = sessionHash(ownWay, digest);
    const came = refusalOf(row, person, { supportNumber, own });
    if (came !== undefined) return { pharmacyId, came };
    const { accountId, corporationId } = person;
    const [by, how] = [`account:${accountId}`, "manager"] as const;
    await identify(sql, { enrolmentId: id, corporationId, at, by, how }, newId);
    return { pharmacyId, came: "confirmed" as const };
  };

  return {
    pharmacies: (person) =>
      database.tenant(person.corporationId, (sql) => pharmaciesOf(sql, person, clock())),
    look: (person, pharmacyId) =>
      database.tenant(person.corporationId, async (sql) => {
        const at = clock();
        const id = canonicalId({ kind: "pharmacy", id: pharmacyId });
        const pharmacy = await pharmacyOf(sql, person, { pharmacyId: id, at });
        const devices = await sql.query<DeviceRow>(DEVICES, [id, at], "desk-devices");
        const people = pharmacy.isManager
          ? await sql.query<WaitingRow>(PEOPLE, [id, at, person.accountId], "desk-people")
          : [];
        const colleagues = pharmacy.isManager
          ? await colleaguesOf(sql, person, { pharmacyId: id, at })
          : [];
        const shown = { devices: devices.map(deviceOf), people: people.map(waitingOf) };
        return { ...pharmacy, ...shown, colleagues };
      }),
    confirm: (person, confirming) =>
      database.tenant(person.corporationId, (sql) => confirm(sql, person, confirming)),
  };
}
