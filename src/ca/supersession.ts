import { type Actor, record } from "../audit/record.ts";
import type { Clock } from "../pki/clock.ts";
import { REASON_CODES } from "../pki/revocation-reason.ts";
import { type Serial, serialBytes } from "../pki/serial.ts";
import type { NewId } from "../pki/uuid.ts";
import type { Database } from "../storage/database.ts";
import { tenantOfSerial } from "./certificate-tenant.ts";

export interface SupersedeDeps {
  /** As suido_app. */
  readonly database: Database;
  readonly clock: Clock;
  readonly newId: NewId;
}

/** A certificate of a device, and the one that has taken its place. */
export interface Supersession {
  readonly old: Serial;
  readonly successor: Serial;
  readonly actor: Actor;
}

/**
 * Revokes a good certificate as superseded if its successor is good and proven in that very moment: a device is never left
 * without one. The journal follows by itself, nobody waits for it. Returns whether it was this call that revoked it.
 */
export type Supersede = (supersession: Supersession) => Promise<boolean>;

/**
 * Whoever stops the successor at the same time is waited for: FOR SHARE reads what that one has left. While journal and
 * database are brought together, nobody knows whether the successor is good.
 */
const SUPERSEDE = `update ca.issued old set state = 'revoked', reason = ${REASON_CODES.superseded}, revoked_at = $3
  from (select serial from ca.issued where serial = $2 and state = 'good' and proven_at is not null and not_after >= $3 for share) successor
  where old.serial = $1 and old.state = 'good' and old.not_after >= $3
    and not exists (select from ca.journal_mark where quarantined_at is not null)
  returning old.serial`;

export function createSupersede({ database, clock, newId }: SupersedeDeps): Supersede {
  return async ({ old, successor, actor }) => {
    const corporationId = await tenantOfSerial(database, {}, old);
    return database.tenant(corporationId, async (sql) => {
      const at = clock();
      const values = [serialBytes(old), serialBytes(successor), at];
      const rows = await sql.query(SUPERSEDE, values, "ca-supersede");
      if (rows.length === 0) return false;
      const [action, subject] = ["certificate.revoked", `certificate/${old}`];
      const detail = { reason: "superseded" };
      await record(sql, { at, actor, action, subject, corporationId, detail }, newId);
      return true;
    });
  };
}
