import { setTimeout as delay } from "node:timers/promises";

import { record } from "../audit/record.ts";
import { serialOf } from "../ca/certificate-record.ts";
import {
  AlreadyRevokedError,
  CertificateStateError,
  SignerUnavailableError,
} from "../ca/errors.ts";
import type { Revocation } from "../ca/revocation.ts";
import type { Clock } from "../pki/clock.ts";
import type { Serial } from "../pki/serial.ts";
import type { NewId } from "../pki/uuid.ts";
import { NotFoundError } from "../registry/errors.ts";
import { canonicalId, type Principal } from "../registry/principal.ts";
import type { Database } from "../storage/database.ts";
import type { Sql } from "../storage/sql.ts";
import { type DeskPerson, pharmacyOf } from "./desk-rights.ts";
import type { HoldReason } from "./desk.ts";
import { planDeskMails } from "./desk-mails.ts";

/** What came of it, and where the device is. */
export interface Stopped<Came extends string> {
  readonly pharmacyId: string;
  readonly came: Came;
}

/** Stopping a device and letting it go on, by its pharmacy's own people. One device at a time. */
export interface DeviceHolds {
  /**
   * By anybody of the pharmacy: all its good certificates go on hold, and those that the signer is about to make. `nothing`
   * where it has none. Throws NotFoundError, and SignerUnavailableError where one was not made in time: pressed again, it
   * goes on.
   */
  hold(
    person: DeskPerson,
    deviceId: string,
    reason: HoldReason,
  ): Promise<Stopped<"held" | "nothing">>;
  /**
   * By the pharmacy's manager: what was put on hold there becomes good again, and nothing that staff have stopped. `not-manager`
   * for everybody else, `nothing` where it is not on hold. Throws NotFoundError, QuarantineError.
   */
  release(
    person: DeskPerson,
    deviceId: string,
  ): Promise<Stopped<"released" | "nothing" | "not-manager">>;
}

export interface DeviceHoldsDeps {
  /** As suido_app. */
  readonly database: Database;
  readonly clock: Clock;
  readonly newId: NewId;
  readonly revocation: Pick<Revocation, "revoke" | "unhold">;
}

interface Device {
  readonly id: string;
  readonly name: string;
  readonly pharmacyId: string;
  readonly isManager: boolean;
}

const SERIALS = `select i.serial from app.binding b join ca.issued i on i.serial = b.serial
  where b.device_id = $1 and b.bound_to is null and i.state in ('reserved', 'good') and i.not_after > $2`;

/** Pressed again after a fault in between, it takes what is still good beside what it has. */
const HOLD = `insert into app.device_hold (id, corporation_id, device_id, reason, serials, held_by, held_at)
  values ($1, $2, $3, $4, $5::bytea[], $6, $7)
  on conflict (device_id) where released_at is null do update set serials = device_hold.serials || excluded.serials
  returning id`;

const HELD = `select distinct i.serial from app.device_hold h join ca.issued i on i.serial = any (h.serials)
  where h.device_id = $1 and h.released_at is null and i.state = 'hold' and i.not_after > $2`;

const RELEASE = `update app.device_hold set released_by = $2, released_at = $3 where device_id = $1 and released_at is null returning id, held_by, reason`;

/** A person's, in the tenant of theirs: what they may do was decided before. */
const principalOf = ({ accountId, corporationId }: DeskPerson): Principal => ({
  id: accountId,
  actor: `account:${accountId}`,
  role: "product",
  corporationId,
});

/** Somebody else has ended the certificate meanwhile, or time has: it is stopped all the same. */
const isStoppedAnyway = (error: unknown): boolean =>
  error instanceof AlreadyRevokedError || error instanceof CertificateStateError;

async function forEach(
  serials: readonly Serial[],
  work: (serial: Serial) => Promise<unknown>,
): Promise<void> {
  for (const serial of serials)
    try {
      await work(serial);
    } catch (error) {
      if (!isStoppedAnyway(error)) throw error;
    }
}

/** The signer takes milliseconds; who waits longer is told. */
const TURN_MS = 100;
const MOST_TURNS = 50;

/** Stops them, each as soon as there is one to stop. */
async function stopAll(
  serials: readonly Serial[],
  stop: (serial: Serial) => Promise<unknown>,
  reserved: (serials: readonly Serial[]) => Promise<readonly Serial[]>,
): Promise<void> {
  for (let [left, turns] = [serials, 0]; ; turns += 1) {
    // Looked at before: what is made meanwhile has another turn.
    const unmade = await reserved(left);
    await forEach(left, stop);
    if (unmade.length === 0) return;
    if (turns === MOST_TURNS) throw new SignerUnavailableError("a certificate is not made yet");
    left = unmade;
    await delay(TURN_MS);
  }
}

/** The device's row, locked, if it is of a pharmacy of theirs. Throws NotFoundError. */
async function deviceOf(
  sql: Sql,
  person: DeskPerson,
  { deviceId, at }: { readonly deviceId: string; readonly at: Date },
): Promise<Device> {
  const id = canonicalId({ kind: "device", id: deviceId });
  const [row] = await sql.query<{ name: string; pharmacy_id: string }>(
    "select name, pharmacy_id from app.device where id = $1 for update",
    [id],
  );
  if (row === undefined) throw new NotFoundError("device");
  const { name, pharmacy_id: pharmacyId } = row;
  const { isManager } = await pharmacyOf(sql, person, { pharmacyId, at });
  return { id, name, pharmacyId, isManager };
}

async function serialsOf(
  sql: Sql,
  text: typeof SERIALS | typeof HELD,
  { id, at }: { readonly id: string; readonly at: Date },
): Promise<readonly Serial[]> {
  const rows = await sql.query<{ serial: Uint8Array }>(text, [id, at]);
  return rows.map(({ serial }) => serialOf(serial));
}

async function reservedOf(sql: Sql, serials: readonly Serial[]): Promise<readonly Serial[]> {
  const rows = await sql.query<{ serial: Uint8Array }>(
    "select serial from ca.issued where serial = any($1) and state = 'reserved'",
    [serials.map((serial) => Buffer.from(serial, "hex"))],
  );
  return rows.map(({ serial }) => serialOf(serial));
}

interface Holding {
  readonly person: DeskPerson;
  readonly reason: HoldReason;
  readonly device: Device;
  readonly serials: readonly Serial[];
  readonly at: Date;
}

/** Writes down that it is stopped, with its certificates, and tells those who answer for the pharmacy. */
async function noteHold(
  sql: Sql,
  { at, device, person, reason, serials }: Holding,
  newId: NewId,
): Promise<void> {
  const { accountId: actorId, corporationId } = person;
  const { id, name, pharmacyId } = device;
  const octets = serials.map((serial) => Buffer.from(serial, "hex"));
  const values = [newId(), corporationId, id, reason, octets, actorId, at];
  const [hold] = await sql.query<{ id: string }>(HOLD, values);
  const [actor, subject] = [`account:${actorId}`, `device/${id}`] as const;
  const fact = { at, actor, action: "device.held", subject, corporationId };
  await record(sql, { ...fact, detail: { reason, serialNumbers: serials } }, newId);
  const what = { change: "held", device: name, reason } as const;
  const mail = { kind: "device-hold", key: `${hold?.id}:held`, subject } as const;
  await planDeskMails(sql, { ...mail, pharmacyId, actorId, what, at });
}

/** Ends it, and tells them and whoever had stopped it. False where somebody else was quicker. */
async function noteRelease(
  sql: Sql,
  { at, device, person, serials }: Omit<Holding, "reason">,
  newId: NewId,
): Promise<boolean> {
  const { accountId: actorId, corporationId } = person;
  const { id, name, pharmacyId } = device;
  const [ended] = await sql.query<{ id: string; held_by: string; reason: HoldReason }>(RELEASE, [
    id,
    actorId,
    at,
  ]);
  if (ended === undefined) return false;
  const [actor, subject] = [`account:${actorId}`, `device/${id}`] as const;
  const fact = { at, actor, action: "device.released", subject, corporationId };
  await record(sql, { ...fact, detail: { serialNumbers: serials } }, newId);
  const { held_by: personId, reason } = ended;
  const what = { change: "released", device: name, reason } as const;
  const mail = { kind: "device-hold", key: `${ended.id}:released`, subject } as const;
  await planDeskMails(sql, { ...mail, pharmacyId, actorId, personId, what, at });
  return true;
}

export function createDeviceHolds(deps: DeviceHoldsDeps): DeviceHolds {
  const { clock, database, newId, revocation } = deps;

  return {
    async hold(person, deviceId, reason) {
      const { device, serials } = await database.tenant(person.corporationId, async (sql) => {
        const at = clock();
        const found = await deviceOf(sql, person, { deviceId, at });
        const good = await serialsOf(sql, SERIALS, { id: found.id, at });
        const holding = { person, reason, device: found, serials: good, at };
        if (good.length > 0) await noteHold(sql, holding, newId);
        return holding;
      });
      const { pharmacyId } = device;
      if (serials.length === 0) return { pharmacyId, came: "nothing" };
      const principal = principalOf(person);
      await stopAll(
        serials,
        (serial) => revocation.revoke(principal, serial, "certificateHold"),
        (some) => database.tenant(person.corporationId, (sql) => reservedOf(sql, some)),
      );
      return { pharmacyId, came: "held" };
    },

    async release(person, deviceId) {
      const { corporationId } = person;
      const { device, serials } = await database.tenant(corporationId, async (sql) => {
        const at = clock();
        const found = await deviceOf(sql, person, { deviceId, at });
        return { device: found, serials: await serialsOf(sql, HELD, { id: found.id, at }) };
      });
      const { isManager, pharmacyId } = device;
      if (!isManager) return { pharmacyId, came: "not-manager" };
      const principal = principalOf(person);
      await forEach(serials, (serial) => revocation.unhold(principal, serial));
      // Last, so that a fault before leaves it to be pressed again.
      const isEnded = await database.tenant(corporationId, (sql) =>
        noteRelease(sql, { device, person, serials, at: clock() }, newId),
      );
      return { pharmacyId, came: isEnded ? "released" : "nothing" };
    },
  };
}
