import { serialOf } from "../ca/certificate-record.ts";
import { InvalidStateError } from "../ca/errors.ts";
import { renewableUntil } from "../ca/renewal-grace.ts";
import { type Serial, serialBytes } from "../pki/serial.ts";
import { NotFoundError } from "../registry/errors.ts";
import type { Sql } from "../storage/sql.ts";

interface Row {
  readonly serial: Uint8Array;
  readonly state: "good" | "hold" | "revoked";
  readonly not_after: Date;
}

/**
 * $3 where it is said which, of several places; else the newest that was not put aside by a newer one. Those of emergencies
 * end by themselves, and nothing comes after them.
 */
const NEWEST = `select i.serial, i.state, i.not_after
  from app.binding b join ca.issued i on i.serial = b.serial
  where b.device_id = $1::uuid and b.account_id = $2::uuid and b.bound_to is null and i.der is not null and i.profile <> 'emergency'
    and ($3::bytea is null or i.serial = $3::bytea) and (i.state <> 'revoked' or i.reason <> 4)
  order by i.issued_at desc, i.serial desc limit 1`;

/**
 * Why the certificate of a renewal that was begun cannot be renewed any more; undefined where it can. The same is held again when
 * it comes to it (`ca/reservation.ts`).
 */
export function notRenewableWhy(
  {
    old_state,
    old_not_after,
  }: { readonly old_state: string | null; readonly old_not_after: Date | null },
  now: Date,
): "late" | "barred" | undefined {
  if (old_state === null || old_not_after === null) return undefined;
  if (old_state !== "good") return "barred";
  return renewableUntil(old_not_after) < now ? "late" : undefined;
}

const refused = (what: string): Error =>
  new InvalidStateError(
    `the device's certificate ${what}: that is no renewal, and takes another reason`,
    {
      field: "reason",
    },
  );

interface Renewable {
  readonly deviceId: string;
  readonly accountId: string;
  /** Of a device with several places. */
  readonly wanted?: Serial;
}

/**
 * The certificate that an enrolment for a renewal goes on from, which may have expired up to 14 days ago: whoever comes is
 * identified. Undefined where the person has none for the device, so that the first is made. Throws NotFoundError for a wanted
 * one that is not theirs there, or that was superseded, and InvalidStateError for one
 * that is revoked or on hold, whatever became of it since, and for one that expired earlier: those are no renewals, and
 * staff who have looked into it make an enrolment with another reason.
 */
export async function renewableOf(
  sql: Sql,
  { deviceId, accountId, wanted }: Renewable,
  now: Date,
): Promise<Serial | undefined> {
  const serial = wanted === undefined ? null : serialBytes(wanted);
  const [row] = await sql.query<Row>(NEWEST, [deviceId, accountId, serial]);
  if (row === undefined) {
    if (wanted !== undefined) throw new NotFoundError("certificate", "replaces");
    return undefined;
  }
  if (row.state === "revoked") throw refused("is revoked");
  if (row.state === "hold") throw refused("is on hold");
  if (renewableUntil(row.not_after) < now) throw refused("expired more than 14 days ago");
  return serialOf(row.serial);
}
