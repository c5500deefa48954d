import { serialOf } from "../ca/certificate-record.ts";
import { InvalidStateError } from "../ca/errors.ts";
import { renewableUntil } from "../ca/renewal-grace.ts";
import { type Serial, serialBytes } from "../pki/serial.ts";
import { NotFoundError } from "../registry/errors.ts";
import type { Sql } from "../storage/sql.ts";

interface Row {
  readonly key: string;
  readonly serial: Uint8Array;
  readonly state: "good" | "hold" | "revoked";
  readonly not_after: Date;
}

/**
 * Of each device and person: the wanted one where it is said which, of several places; else the newest that was not put aside by
 * a newer one. Those of emergencies end by themselves, and nothing comes after them.
 */
const NEWEST = `select wish.device_id || '/' || wish.account_id as key, newest.*
  from unnest($1::uuid[], $2::uuid[], $3::bytea[]) as wish (device_id, account_id, wanted)
  cross join lateral (
    select i.serial, i.state, i.not_after from app.binding b join ca.issued i on i.serial = b.serial
    where b.device_id = wish.device_id and b.account_id = wish.account_id and b.bound_to is null and i.der is not null
      and i.profile <> 'emergency' and (wish.wanted is null or i.serial = wish.wanted) and (i.state <> 'revoked' or i.reason <> 4)
    order by i.issued_at desc, i.serial desc limit 1
  ) newest`;

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

/** Why a certificate is none that is renewed: then staff who have looked into it make an enrolment with another reason. */
export type RenewalBar = "revoked" | "on-hold" | "too-late";

const WHY: Readonly<Record<RenewalBar, string>> = {
  revoked: "is revoked",
  "on-hold": "is on hold",
  "too-late": "expired more than 14 days ago",
};

interface Renewable {
  readonly deviceId: string;
  readonly accountId: string;
  /** Of a device with several places. */
  readonly wanted?: Serial;
}

/** The certificate that a renewal goes on from, or what bars it. */
export type Renewed = { readonly serial: Serial } | { readonly bar: RenewalBar };

function renewedOf({ serial, state, not_after: notAfter }: Row, now: Date): Renewed {
  if (state === "revoked") return { bar: "revoked" };
  if (state === "hold") return { bar: "on-hold" };
  return renewableUntil(notAfter) < now ? { bar: "too-late" } : { serial: serialOf(serial) };
}

/** The key under which `renewablesOf` tells of a device and a person. */
export const renewableKey = ({ deviceId, accountId }: Renewable): string =>
  `${deviceId}/${accountId}`;

/**
 * What enrolments for renewals go on from, in one statement; nothing where the person has none for the device. See
 * `renewableOf`.
 */
export async function renewablesOf(
  sql: Sql,
  renewables: readonly Renewable[],
  now: Date,
): Promise<ReadonlyMap<string, Renewed>> {
  const rows = await sql.query<Row>(NEWEST, [
    renewables.map(({ deviceId }) => deviceId),
    renewables.map(({ accountId }) => accountId),
    renewables.map(({ wanted }) =>
      wanted === undefined ? null : Buffer.from(serialBytes(wanted)),
    ),
  ]);
  return new Map(rows.map((row) => [row.key, renewedOf(row, now)]));
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
  renewable: Renewable,
  now: Date,
): Promise<Serial | undefined> {
  const renewed = (await renewablesOf(sql, [renewable], now)).get(renewableKey(renewable));
  if (renewed === undefined) {
    if (renewable.wanted !== undefined) throw new NotFoundError("certificate", "replaces");
    return undefined;
  }
  if ("serial" in renewed) return renewed.serial;
  throw new InvalidStateError(
    `the device's certificate ${WHY[renewed.bar]}: that is no renewal, and takes another reason`,
    { field: "reason" },
  );
}
