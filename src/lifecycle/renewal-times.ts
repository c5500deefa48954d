import { recordTasks } from "../delivery/task-facts.ts";
import { type Actor, record } from "../audit/record.ts";
import { noSuchCertificate, tenantOfSerial } from "../ca/certificate-tenant.ts";
import { serialOf } from "../ca/certificate-record.ts";
import { CertificateStateError, NotRenewableError } from "../ca/errors.ts";
import type { Clock } from "../pki/clock.ts";
import { EMERGENCY_PROFILE } from "../pki/profile.ts";
import { type Serial, serialBytes } from "../pki/serial.ts";
import type { NewId } from "../pki/uuid.ts";
import type { Principal } from "../registry/principal.ts";
import type { Database } from "../storage/database.ts";
import type { Sql } from "../storage/sql.ts";
import { renewalWindows } from "./renewal-windows.ts";

export interface RenewalTimesDeps {
  /** As suido_app. */
  readonly database: Database;
  readonly clock: Clock;
  readonly newId: NewId;
  /** The IANA zone whose days are counted. */
  readonly timeZone: string;
}

/** Why a certificate is to be renewed before its time. A check constraint of the table holds the same. */
export const RENEWAL_REASONS = [
  "incident",
  "key-at-risk",
  "ca-change",
  "data-change",
  "support",
] as const;
export type RenewalReason = (typeof RENEWAL_REASONS)[number];

/** From when a device is asked to renew. */
export interface RenewalTime {
  readonly renewFrom: Date;
  /** Where somebody wants it earlier than the spread has it. */
  readonly renewReason?: RenewalReason;
}

export interface RenewalTimes {
  /** Undefined of a certificate that was revoked, and of an emergency's. Throws NotFoundError. */
  of(principal: Principal, serial: Serial): Promise<RenewalTime | undefined>;
  /**
   * Moves it to now. Asked for again, nothing changes, the reason neither. Throws NotFoundError, CertificateStateError
   * of a certificate that is not good, and NotRenewableError of an emergency's.
   */
  orderNow(
    principal: Principal,
    serial: Serial,
    reason: RenewalReason,
  ): Promise<RenewalTime & { readonly serialNumber: Serial }>;
}

/** All that the devices of this certificate's pharmacy have had, in the order of their issue. */
const AROUND = `select i.serial, b.device_id, i.state, i.profile, i.not_before, i.not_after, o.reason, o.asked_at
  from app.binding own join app.device home on home.id = own.device_id
  join app.device d on d.pharmacy_id = home.pharmacy_id
  join app.binding b on b.device_id = d.id and b.bound_to is null
  join ca.issued i on i.serial = b.serial and i.der is not null
  left join app.renewal_order o on o.serial = i.serial
  where own.serial = $1 and own.bound_to is null
  order by i.issued_at, i.serial`;

interface AroundRow {
  readonly serial: Uint8Array;
  readonly device_id: string;
  readonly state: "good" | "hold" | "revoked";
  readonly profile: string;
  readonly not_before: Date;
  readonly not_after: Date;
  readonly reason: RenewalReason | null;
  readonly asked_at: Date | null;
}

const ORDER = `insert into app.renewal_order (corporation_id, serial, reason, asked_by, asked_at) values ($1, $2, $3, $4, $5)
  on conflict do nothing returning serial`;

const renewableOf = (row: AroundRow) => ({
  serialNumber: serialOf(row.serial),
  deviceId: row.device_id,
  notBefore: row.not_before,
  notAfter: row.not_after,
});

/** When a certificate of the transaction's tenant is to be renewed. Throws NotFoundError, and NotRenewableError of an emergency's. */
export async function renewalTimeOf(
  sql: Sql,
  serial: Serial,
  timeZone: string,
): Promise<RenewalTime> {
  const { time } = await read(sql, serial, timeZone);
  if (time === undefined) throw new NotRenewableError();
  return time;
}

/** The certificate's own row, and its time. */
async function read(
  sql: Sql,
  serial: Serial,
  timeZone: string,
): Promise<{ readonly row: AroundRow; readonly time: RenewalTime | undefined }> {
  const rows = await sql.query<AroundRow>(AROUND, [serialBytes(serial)], "renewal-around");
  const row = rows.find((each) => serialOf(each.serial) === serial);
  if (row === undefined) throw noSuchCertificate();
  // Those of emergencies end by themselves, and take no day from others.
  const renewable = rows.filter(({ profile }) => profile !== EMERGENCY_PROFILE);
  const renewFrom = renewalWindows(renewable.map(renewableOf), timeZone).get(serial);
  if (renewFrom === undefined) return { row, time: undefined };
  const { reason, asked_at: askedAt } = row;
  const isOrdered = reason !== null && askedAt !== null && askedAt < renewFrom;
  return { row, time: isOrdered ? { renewFrom: askedAt, renewReason: reason } : { renewFrom } };
}

interface Ordering {
  readonly corporationId: string;
  readonly serial: Serial;
  readonly reason: RenewalReason;
  readonly actor: Actor;
}

async function order(
  sql: Sql,
  { corporationId, serial, reason, actor }: Ordering,
  { clock, newId, timeZone }: RenewalTimesDeps,
): Promise<RenewalTime> {
  const at = clock();
  const { row, time } = await read(sql, serial, timeZone);
  if (time === undefined) throw new NotRenewableError();
  if (row.state !== "good" || row.not_after < at)
    throw new CertificateStateError("only a good certificate is renewed before its time");
  const values = [corporationId, serialBytes(serial), reason, actor, at];
  const [ordered] = await sql.query(ORDER, values, "renewal-order");
  if (ordered !== undefined) {
    const [action, subject] = ["certificate.renewal-ordered", `certificate/${serial}`];
    await record(sql, { at, actor, action, subject, corporationId, detail: { reason } }, newId);
    await sql.query(
      "select app.plan_order_mails($1, $2)",
      [serialBytes(serial), at],
      "order-mails",
    );
    await recordTasks(sql, { at, actor }, newId);
  }
  return (await read(sql, serial, timeZone)).time ?? time;
}

/** When certificates are to be renewed: spread over quiet days by a rule, and at once where somebody wants it. */
export function createRenewalTimes(deps: RenewalTimesDeps): RenewalTimes {
  const { database, timeZone } = deps;
  return {
    async of(principal, serial) {
      const corporationId = await tenantOfSerial(database, principal, serial);
      const { row, time } = await database.tenant(corporationId, (sql) =>
        read(sql, serial, timeZone),
      );
      return row.state === "revoked" ? undefined : time;
    },
    async orderNow(principal, serial, reason) {
      const corporationId = await tenantOfSerial(database, principal, serial);
      const { actor } = principal;
      const time = await database.tenant(corporationId, (sql) =>
        order(sql, { corporationId, serial, reason, actor }, deps),
      );
      return { serialNumber: serial, ...time };
    },
  };
}
