import { type Actor, recordAll } from "../audit/record.ts";
import { REASON_CODES, type RevocationReason } from "../pki/revocation-reason.ts";
import { type Serial, serialBytes } from "../pki/serial.ts";
import type { NewId } from "../pki/uuid.ts";
import type { Sql } from "../storage/sql.ts";

/** One of many certificates to be revoked. Not for keyCompromise, which is about a key and all of its certificates. */
export interface BulkStop {
  readonly serial: Serial;
  readonly reason: Exclude<RevocationReason, "keyCompromise" | "certificateHold">;
}

export interface BulkStops {
  readonly corporationId: string;
  readonly actor: Actor;
  readonly at: Date;
  readonly stops: readonly BulkStop[];
}

/**
 * Revokes good certificates of one corporation, each with its audit row and its event, in a transaction of the tenant. All
 * or none: throws where one of them is not good.
 */
export async function revokeAll(
  sql: Sql,
  { corporationId, actor, at, stops }: BulkStops,
  newId: NewId,
): Promise<void> {
  if (stops.length === 0) return;
  const rows = await sql.query(
    `update ca.issued i set state = 'revoked', reason = stop.reason, revoked_at = $3
     from unnest($1::bytea[], $2::smallint[]) as stop (serial, reason)
     where i.serial = stop.serial and i.state = 'good' and i.not_after >= $3 returning i.serial`,
    [
      stops.map(({ serial }) => Buffer.from(serialBytes(serial))),
      stops.map(({ reason }) => REASON_CODES[reason]),
      at,
    ],
    "ca-bulk-revoke",
  );
  if (rows.length !== stops.length)
    throw new Error(`of ${stops.length} certificates ${rows.length} could be revoked`);
  const facts = stops.map(({ serial, reason }) => ({
    at,
    actor,
    action: "certificate.revoked",
    subject: `certificate/${serial}`,
    corporationId,
    detail: { reason },
  }));
  await recordAll(sql, facts, newId);
}
