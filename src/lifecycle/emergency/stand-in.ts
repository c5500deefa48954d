import { record } from "../../audit/record.ts";
import { NotFoundError } from "../../registry/errors.ts";
import { canonicalUuid } from "../../registry/principal.ts";
import type { Platform } from "../../registry/vocabulary.ts";
import { beginSession } from "../enrolment-session.ts";
import { EmergenciesUsedUpError } from "../errors.ts";
import { openEnrolments } from "../open-enrolment.ts";
import type { EmergencyDeps, Visiting } from "./emergency-row.ts";

/** A pharmacy whose machines the person may replace for a night. */
export interface EmergencyPharmacy {
  readonly id: string;
  readonly name: string;
  /** How often it may this month still. */
  readonly left: number;
  readonly devices: readonly { readonly id: string; readonly name: string }[];
}

/** What the choice is made of: managers, and deputies whom they have named. */
const MAY = `m.account_id = $1 and m.valid_from <= $2 and (m.valid_to is null or m.valid_to > $2) and (m.role = 'manager' or m.deputy)`;

/** Those of this month there. */
const OF_MONTH = `x.pharmacy_id = p.id and x.created_at >= date_trunc('month', $2::timestamptz at time zone $3) at time zone $3`;

/** What was begun and left off counts for nothing: only what has led to a certificate does. */
const HAS_CERTIFICATE = `exists (select from app.binding b where b.enrolment_id = x.enrolment_id)`;

const USED = `(select count(*)::integer from app.emergency x where ${OF_MONTH} and ${HAS_CERTIFICATE})`;

const PHARMACIES = `select distinct p.id, p.name, ${USED} as used
  from app.membership m join app.pharmacy p on p.id = m.pharmacy_id where ${MAY} order by p.name, p.id`;

/** More than a pharmacy has; a page is not for more. */
const DEVICES = `select d.pharmacy_id, d.id, d.name from app.device d
  where d.pharmacy_id = any($1) and d.retired_at is null
    and not exists (select from app.emergency x where x.device_id = d.id)
  order by d.name, d.id limit 500`;

/** Where the person may, and instead of what. */
export async function readPharmacies(
  { at, row, sql }: Visiting,
  { perMonth, timeZone }: Pick<EmergencyDeps, "perMonth" | "timeZone">,
): Promise<readonly EmergencyPharmacy[]> {
  const pharmacies = await sql.query<{ id: string; name: string; used: number }>(
    PHARMACIES,
    [row.account_id, at, timeZone],
    "emergency-pharmacies",
  );
  const devices = await sql.query<{ pharmacy_id: string; id: string; name: string }>(
    DEVICES,
    [pharmacies.map(({ id }) => id)],
    "emergency-devices",
  );
  return pharmacies.map(({ id, name, used }) => ({
    id,
    name,
    left: Math.max(0, perMonth - used),
    devices: devices
      .filter(({ pharmacy_id: pharmacyId }) => pharmacyId === id)
      .map(({ id: deviceId, name: deviceName }) => ({ id: deviceId, name: deviceName })),
  }));
}

interface Broken {
  readonly id: string;
  readonly name: string;
  readonly pharmacy_id: string;
}

const LOCK_BROKEN = `select d.id, d.name, d.pharmacy_id from app.device d
  where d.id = $3 and d.retired_at is null and not exists (select from app.emergency x where x.device_id = d.id)
    and exists (select from app.membership m where m.pharmacy_id = d.pharmacy_id and ${MAY}) for share of d`;

/** The longest that a device's name may be. */
const MOST_CHARACTERS = 50;
const MOST_NAMES = 9;

/** What it is called: the other's name, so that everybody knows which it stands in for. */
function nameOf(broken: string, number: number): string {
  const mark = number === 1 ? "（臨時）" : `（臨時${number}）`;
  return Array.from(mark + broken)
    .slice(0, MOST_CHARACTERS)
    .join("");
}

interface Standing {
  readonly broken: Broken;
  readonly platform: Platform;
}

/** The device that stands in: the one that was begun with before, else a new one under a name that is free. */
async function standIn(
  { at, corporationId, sql }: Pick<Visiting, "at" | "corporationId" | "sql">,
  { broken, platform }: Standing,
  deps: EmergencyDeps,
): Promise<{ readonly id: string; readonly isNew: boolean }> {
  const [before] = await sql.query<{ id: string }>(
    `select d.id from app.emergency x join app.device d on d.id = x.device_id and d.retired_at is null
     where x.stands_in_for = $1 and not exists (select from app.binding b where b.device_id = d.id) limit 1`,
    [broken.id],
    "emergency-before",
  );
  if (before !== undefined) {
    await sql.query("select from app.device where id = $1 for update", [before.id]);
    return { id: before.id, isNew: false };
  }
  for (let number = 1; number <= MOST_NAMES; number += 1) {
    const id = deps.newId();
    const [made] = await sql.query(
      `insert into app.device (id, corporation_id, pharmacy_id, name, platform, use, created_at, updated_at)
       values ($1, $2, $3, $4, $5, 'shared', $6, $6)
       on conflict (pharmacy_id, name) where retired_at is null do nothing returning id`,
      [id, corporationId, broken.pharmacy_id, nameOf(broken.name, number), platform, at],
      "emergency-device",
    );
    if (made !== undefined) return { id, isNew: true };
  }
  throw new EmergenciesUsedUpError();
}

/** With those that others have begun and may still end. One of the same machine ($4) is replaced by the one that is wanted. */
const COUNT = `select (select count(*)::integer from app.emergency x join app.enrolment e on e.id = x.enrolment_id
    where ${OF_MONTH} and (${HAS_CERTIFICATE} or x.stands_in_for <> $4
      and e.state in ('invited', 'started', 'identified', 'issued') and e.expires_at > $2)) as used
  from app.pharmacy p where p.id = $1`;

/** A statement of its own: one that waits itself does not see what it has waited for. */
const LOCK_PHARMACY = "select from app.pharmacy where id = $1 for update";

/** Long enough for an interruption, and over before anybody forgets that it was begun. */
const LIFE_MS = 2 * 60 * 60_000;

const IDENTIFY = `update app.enrolment set state = 'identified', identified_at = $2, identified_by = $3, identified_how = 'two-factors' where id = $1`;

const INSERT = `insert into app.emergency (enrolment_id, corporation_id, pharmacy_id, account_id, device_id, stands_in_for, first_how, second_how, created_at)
  values ($1, $2, $3, $4, $5, $6, $7, $8, $9)`;

interface Begun {
  readonly enrolmentId: string;
  readonly device: { readonly id: string; readonly isNew: boolean };
  readonly broken: Broken;
}

/** The log and the people who have to know it. */
async function tell(
  { at, corporationId, row, sql }: Visiting,
  { broken, device, enrolmentId }: Begun,
  { newId, operator }: EmergencyDeps,
): Promise<void> {
  const { account_id: accountId, first_how: firstHow, second_how: secondHow } = row;
  const { pharmacy_id: pharmacyId } = broken;
  const fact = { at, actor: `account:${accountId}`, corporationId };
  const of = { pharmacyId, accountId, deviceId: device.id };
  if (device.isNew) {
    const made = { action: "device.created", subject: `device/${device.id}` };
    const standing = { pharmacyId, standsInFor: broken.id };
    await record(sql, { ...fact, ...made, detail: standing }, newId);
  }
  await sql.query(
    INSERT,
    [
      enrolmentId,
      corporationId,
      pharmacyId,
      accountId,
      device.id,
      broken.id,
      firstHow,
      secondHow,
      at,
    ],
    "emergency-insert",
  );
  const subject = `enrolment/${enrolmentId}`;
  const created = { ...of, reason: "replacement" };
  await record(sql, { ...fact, action: "enrolment.created", subject, detail: created }, newId);
  const detail = { ...of, standsInFor: broken.id, firstHow, secondHow };
  await record(sql, { ...fact, action: "emergency.begun", subject, detail }, newId);
  await sql.query(
    "select app.plan_emergency_mails($1, $2, $3, $4)",
    [enrolmentId, operator?.address ?? null, operator?.language ?? null, at],
    "emergency-mails",
  );
}

/** Undefined where the person may not, or there is no such machine. Locks its pharmacy: two at once count each other. */
async function lockBroken(
  { at, row, sql }: Visiting,
  deviceId: string,
  { perMonth, timeZone }: EmergencyDeps,
): Promise<Broken> {
  const id = canonicalUuid(deviceId);
  const [broken] =
    id === undefined
      ? []
      : await sql.query<Broken>(LOCK_BROKEN, [row.account_id, at, id], "emergency-broken");
  if (broken === undefined) throw new NotFoundError("device", "device");
  await sql.query(LOCK_PHARMACY, [broken.pharmacy_id], "emergency-lock");
  const [counted] = await sql.query<{ used: number }>(
    COUNT,
    [broken.pharmacy_id, at, timeZone, broken.id],
    "emergency-count",
  );
  if ((counted?.used ?? perMonth) >= perMonth) throw new EmergenciesUsedUpError();
  return broken;
}

/**
 * Makes this browser's machine stand in for one of the pharmacy's, for the person of a visit with both factors, whose visit
 * it ends. Returns the secret with which the browser goes on the way. Throws NotFoundError, EmergenciesUsedUpError.
 */
export async function beginStandIn(
  visiting: Visiting,
  { deviceId, platform }: { readonly deviceId: string; readonly platform: Platform },
  deps: EmergencyDeps,
): Promise<string> {
  const { at, corporationId, row, sql } = visiting;
  const { newId } = deps;
  const { account_id: accountId } = row;
  const broken = await lockBroken(visiting, deviceId, deps);
  const device = await standIn(visiting, { broken, platform }, deps);
  const [actor, enrolmentId] = [`account:${accountId}`, newId()];
  const opening = {
    id: enrolmentId,
    pharmacyId: broken.pharmacy_id,
    deviceId: device.id,
    accountId,
    reason: "replacement" as const,
    expiresAt: new Date(at.getTime() + LIFE_MS),
  };
  await openEnrolments(sql, { corporationId, actor, at, openings: [opening] }, deps);
  await tell(visiting, { broken, device, enrolmentId }, deps);
  const { pharmacy_id: pharmacyId } = broken;
  const beginning = { enrolmentId, corporationId, deviceId: device.id, pharmacyId, accountId, at };
  const session = await beginSession(sql, { ...beginning, begun: 0, kind: "emergency" }, deps);
  await sql.query(IDENTIFY, [enrolmentId, at, actor], "emergency-identify");
  const fact = { at, actor, subject: `enrolment/${enrolmentId}`, corporationId };
  const detail = { how: "two-factors" };
  await record(sql, { ...fact, action: "enrolment.identified", detail }, newId);
  await sql.query("delete from app.emergency_visit where id = $1", [row.id], "emergency-spent");
  return session;
}
