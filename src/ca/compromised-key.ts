import { type Fact, recordAll } from "../audit/record.ts";
import { REASON_CODES } from "../pki/revocation-reason.ts";
import { type Serial, serialBytes } from "../pki/serial.ts";
import type { NewId } from "../pki/uuid.ts";
import { advisoryLock } from "../storage/advisory-locks.ts";
import type { Sql } from "../storage/sql.ts";
import { serialOf } from "./certificate-record.ts";

/** 64 of the hash's 256 bits name the lock of a key: two keys that share one only wait for each other. */
export function keyLock(spkiSha256: Uint8Array): string {
  return Buffer.from(spkiSha256).readBigInt64BE(0).toString();
}

/**
 * The certificates and reservations of the same key, this one among them; as they are until the end of the transaction,
 * and joined by no other. The locks are taken in the order in which everybody takes them: key, changes, rows.
 */
export async function lockCertificatesOfKey(sql: Sql, serial: Serial): Promise<readonly Serial[]> {
  const [row] = await sql.query<{ spki_sha256: Uint8Array }>(
    "select spki_sha256 from ca.issued where serial = $1",
    [serialBytes(serial)],
    "ca-key-of-serial",
  );
  if (row === undefined) return [];
  await sql.query(
    `select pg_advisory_xact_lock($1::bigint), pg_advisory_xact_lock(${advisoryLock("changes")})`,
    [keyLock(row.spki_sha256)],
    "ca-lock-key",
  );
  const rows = await sql.query<{ serial: Uint8Array }>(
    "select serial from ca.issued where spki_sha256 = $1 order by serial for update",
    [row.spki_sha256],
    "ca-certificates-of-key",
  );
  return rows.map((one) => serialOf(one.serial));
}

interface RevokedRow {
  readonly serial: Uint8Array;
  readonly corporation_id: string | null;
}

function revoked({ serial, corporation_id: corporationId }: RevokedRow, at: Date): Fact {
  return {
    at,
    actor: "signer",
    action: "certificate.revoked",
    subject: `certificate/${serialOf(serial)}`,
    ...(corporationId !== null && { corporationId }),
    detail: { reason: "keyCompromise" },
  };
}

/**
 * Revokes those of these certificates, made good in this transaction, whose key was reported as compromised while they
 * waited to be signed. Looked for before the update, whose trigger takes the lock that orders changes.
 */
export async function revokeCompromised(
  sql: Sql,
  { serials, at }: { readonly serials: readonly Serial[]; readonly at: Date },
  newId: NewId,
): Promise<void> {
  const found = await sql.query<{ serial: Uint8Array }>(
    `select i.serial from ca.issued i where i.serial = any($1::bytea[])
       and exists (select from ca.issued other where other.spki_sha256 = i.spki_sha256 and other.reason = ${REASON_CODES.keyCompromise})`,
    [serials.map((serial) => Buffer.from(serialBytes(serial)))],
    "ca-signed-of-compromised-key",
  );
  if (found.length === 0) return;
  const rows = await sql.query<RevokedRow>(
    `update ca.issued i set state = 'revoked', reason = ${REASON_CODES.keyCompromise}, revoked_at = $2 where i.serial = any($1::bytea[])
     returning i.serial, (select b.corporation_id from app.binding b where b.serial = i.serial and b.bound_to is null) as corporation_id`,
    [found.map(({ serial }) => serial), at],
  );
  await recordAll(
    sql,
    rows.map((row) => revoked(row, at)),
    newId,
  );
}
