import { canonicalJson } from "../pki/canonical-json.ts";
import { leafHash } from "./merkle.ts";
import type { JsonObject } from "./record.ts";

/** An audit row as the log commits to it. The order of transactions (`xid`) is not part of it: the position is. */
export interface AuditRow {
  readonly id: string;
  /** RFC 3339 in UTC with six digits of fraction: all that PostgreSQL keeps. */
  readonly at: string;
  readonly actor: string;
  readonly action: string;
  readonly subject: string;
  readonly corporation_id: string | null;
  readonly detail: JsonObject;
}

/** The columns of AuditRow, of `app.audit a`. The text of `at` does not hang on the session's time zone. */
export const AUDIT_COLUMNS = `a.id::text as id, to_char(a.at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as at,
  a.actor, a.action, a.subject, a.corporation_id::text as corporation_id, a.detail`;

/** The bytes that stand for a row in the Merkle tree: its canonical JSON in UTF-8, which any tool can make (RFC 8785). */
export function leafBytes(row: AuditRow): Buffer {
  const { id, at, actor, action, subject, corporation_id, detail } = row;
  return Buffer.from(
    canonicalJson({ id, at, actor, action, subject, corporationId: corporation_id, detail }),
  );
}

/** The leaf of a row in the Merkle tree. */
export function rowHash(row: AuditRow): Buffer {
  return leafHash(leafBytes(row));
}
