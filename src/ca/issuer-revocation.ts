import { type Actor, recordAll } from "../audit/record.ts";
import { REASON_CODES, reasonName } from "../pki/revocation-reason.ts";
import { serialBytes } from "../pki/serial.ts";
import type { NewId } from "../pki/uuid.ts";
import type { Sql } from "../storage/sql.ts";
import { InvalidStateError } from "./errors.ts";
import type { Issuer } from "./issuer.ts";

/** What a CA's certificate may be revoked for (RFC 5280 §5.3.1). There is no hold of a CA: nobody could tell what it signed meanwhile. */
export const ISSUER_REASONS = [
  "keyCompromise",
  "cACompromise",
  "superseded",
  "cessationOfOperation",
] as const;

export interface IssuerRevocation {
  readonly issuer: Pick<Issuer, "id" | "serial">;
  readonly reason: number;
  readonly at: Date;
  readonly actor: Actor;
  readonly by: readonly string[];
}

/**
 * Revokes the certificate of an issuing CA in the caller's transaction: from its commit on OCSP says so of the CA and of
 * everything it has issued, and nobody is identified by its certificates. The root's list follows where the root's key is.
 * False when it was revoked already, for the same reason. Throws InvalidStateError when it was for another.
 */
export async function revokeIssuer(
  sql: Sql,
  { issuer, reason, at, actor, by }: IssuerRevocation,
  newId: NewId,
): Promise<boolean> {
  const serial = Buffer.from(serialBytes(issuer.serial));
  const rows = await sql.query(
    `update ca.issued set state = 'revoked', reason = $2, revoked_at = coalesce(revoked_at, $3) where serial = $1
       and (state = 'good' or (state = 'revoked' and $2::smallint = ${REASON_CODES.keyCompromise} and reason <> $2)) returning serial`,
    [serial, reason, at],
  );
  if (rows.length === 0) {
    const [row] = await sql.query<{ reason: number | null }>(
      "select reason from ca.issued where serial = $1",
      [serial],
    );
    if (row?.reason === reason) return false;
    const known = reasonName(row?.reason ?? REASON_CODES.unspecified);
    throw new InvalidStateError(`${issuer.id} is revoked already (${known})`);
  }
  const detail = {
    serial: issuer.serial,
    reason: reasonName(reason) ?? "unspecified",
    by: [...by],
  };
  const fact = { at, actor, action: "issuer.revoked", subject: `issuer/${issuer.id}`, detail };
  await recordAll(sql, [fact], newId);
  return true;
}
