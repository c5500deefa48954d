import { type Actor, record } from "../audit/record.ts";
import type { Clock } from "../pki/clock.ts";
import { REASON_CODES, type RevocationReason, reasonName } from "../pki/revocation-reason.ts";
import { type Serial, serialBytes } from "../pki/serial.ts";
import type { NewId } from "../pki/uuid.ts";
import { InvalidValueError, NotFoundError } from "../registry/errors.ts";
import type { Principal } from "../registry/principal.ts";
import type { Database } from "../storage/database.ts";
import type { Sql } from "../storage/sql.ts";
import { tenantOfSerial } from "./certificate-tenant.ts";
import type { CertificateRecord } from "./certificate-record.ts";
import type { Certificates } from "./certificates.ts";
import { AlreadyRevokedError, InvalidStateError, QuarantineError } from "./errors.ts";
import type { SignerClient } from "./signer-client.ts";

export interface RevocationDeps {
  /** As suido_app. */
  readonly database: Database;
  readonly signer: Pick<SignerClient, "journal">;
  readonly certificates: Pick<Certificates, "one">;
  readonly clock: Clock;
  readonly newId: NewId;
  /** How long to wait for the journal; for tests. */
  readonly patienceMs?: number;
}

export interface ChangedCertificate {
  readonly certificate: CertificateRecord;
  /**
   * Whether the change is in the journal, so that not even a restored database brings it back. Where it is not yet, the
   * signer will see to it; OCSP says the new status in either case.
   */
  readonly journaled: boolean;
}

export interface Revocation {
  /** Revokes, or holds when the reason is certificateHold. The same reason again changes nothing. */
  revoke(
    principal: Principal,
    serial: Serial,
    reason: RevocationReason,
  ): Promise<ChangedCertificate>;
  /** Ends a hold. */
  unhold(principal: Principal, serial: Serial): Promise<ChangedCertificate>;
}

/** How long an answer waits for the journal before it says that it is not there yet. */
const PATIENCE_MS = 5_000;

/**
 * The reason of that name (RFC 5280 §5.3.1). `removeFromCRL` is an entry of delta CRLs, which we do not have: `unhold`
 * ends a hold. Throws InvalidValueError.
 */
export function parseReason(name: string): RevocationReason {
  if (Object.hasOwn(REASON_CODES, name)) return name as RevocationReason;
  throw new InvalidValueError(
    "reason",
    `is none of the reasons of RFC 5280: ${Object.keys(REASON_CODES).join(", ")}`,
  );
}

/**
 * One statement that moves the row if it may: an open certificate to hold or revoked, a revoked one to keyCompromise
 * only, for what compromised a key is worth knowing late too. A date once given stays: a certificate that was on hold
 * counts as revoked since the hold, as X.509 has it of the entry that replaces the hold.
 */
const STOP = `update ca.issued set state = $2, reason = $3::smallint, revoked_at = coalesce(revoked_at, $4::timestamptz)
  where serial = $1 and not_after >= $4 and (state = 'good' or (state = 'hold' and $2 = 'revoked')
    or (state = 'revoked' and $3::smallint = ${REASON_CODES.keyCompromise} and reason <> ${REASON_CODES.keyCompromise}))
  returning serial`;

const RELEASE = `update ca.issued set state = 'good', reason = null, revoked_at = null
  where serial = $1 and not_after >= $2 and state = 'hold'
    and not exists (select from ca.journal_mark where quarantined_at is not null)
  returning serial`;

interface StateRow {
  readonly state: string;
  readonly reason: number | null;
  readonly revoked_at: Date | null;
  readonly not_after: Date;
  readonly is_quarantined: boolean;
  readonly change_seq: string | null;
}

/** The row as this transaction sees it, and the number of its last change, which for a change just made is that one's. */
async function readState(sql: Sql, serial: Serial): Promise<StateRow> {
  const [row] = await sql.query<StateRow>(
    `select state, reason, revoked_at, not_after, exists (select from ca.journal_mark where quarantined_at is not null) as is_quarantined,
       (select max(change.seq) from ca.change where change.serial = issued.serial) as change_seq
     from ca.issued where serial = $1`,
    [serialBytes(serial)],
    "ca-revocation-state",
  );
  if (row === undefined) throw new NotFoundError("certificate");
  return row;
}

function seqOf({ change_seq: seq }: StateRow): bigint {
  if (seq === null) throw new Error("a certificate that is revoked or was held has a change");
  return BigInt(seq);
}

/** Why a certificate was not stopped. Returns only if it is stopped already, for this very reason. */
function checkStopped(row: StateRow, wanted: RevocationReason, now: Date): void {
  const { state, revoked_at: revokedAt } = row;
  const reason = row.reason === null ? undefined : reasonName(row.reason);
  if (reason === wanted) return;
  if (state === "revoked" && reason !== undefined && revokedAt !== null)
    throw new AlreadyRevokedError(reason, revokedAt);
  if (state === "good" || state === "hold") {
    if (row.not_after < now) throw new InvalidStateError("the certificate has expired");
    throw new Error(`a certificate that is ${state} can be stopped`);
  }
  throw new InvalidStateError("there is no certificate yet that could be revoked");
}

/** Why a hold was not ended. */
function notReleased(row: StateRow, now: Date): Error {
  if (row.state !== "hold") return new InvalidStateError("the certificate is not on hold");
  if (row.is_quarantined)
    return new QuarantineError(
      "nothing is released while journal and database are brought together",
    );
  if (row.not_after < now) return new InvalidStateError("the certificate has expired");
  return new Error("a certificate that is on hold can be released");
}

interface Change {
  readonly corporationId: string;
  readonly serial: Serial;
  readonly actor: Actor;
  readonly action: "certificate.revoked" | "certificate.held" | "certificate.released";
  readonly detail: { readonly reason?: RevocationReason };
  readonly at: Date;
}

async function recordChange(sql: Sql, change: Change, newId: NewId): Promise<void> {
  const { corporationId, serial, actor, action, detail, at } = change;
  const subject = `certificate/${serial}`;
  await record(sql, { at, actor, action, subject, corporationId, detail }, newId);
}

/** Step (2): the signer has appended the change. Its absence costs the confirmation, never the revocation. */
async function isJournaled(
  { signer, patienceMs = PATIENCE_MS }: RevocationDeps,
  seq: bigint,
): Promise<boolean> {
  const { promise: late, resolve } = Promise.withResolvers<false>();
  const timer = setTimeout(resolve, patienceMs, false);
  try {
    return await Promise.race([
      signer.journal(seq).then(
        () => true,
        () => false,
      ),
      late,
    ]);
  } finally {
    clearTimeout(timer);
  }
}

async function revoke(
  deps: RevocationDeps,
  principal: Principal,
  { serial, reason }: { readonly serial: Serial; readonly reason: RevocationReason },
): Promise<bigint> {
  const { database, clock, newId } = deps;
  const { actor } = principal;
  const corporationId = await tenantOfSerial(database, principal, serial);
  const isHold = reason === "certificateHold";
  return database.tenant(corporationId, async (sql) => {
    const at = clock();
    const values = [serialBytes(serial), isHold ? "hold" : "revoked", REASON_CODES[reason], at];
    const changed = await sql.query(STOP, values, "ca-revoke");
    const row = await readState(sql, serial);
    if (changed.length === 0) {
      checkStopped(row, reason, at);
    } else {
      const action = isHold ? "certificate.held" : "certificate.revoked";
      const detail = { reason };
      await recordChange(sql, { corporationId, serial, actor, action, detail, at }, newId);
    }
    return seqOf(row);
  });
}

async function unhold(deps: RevocationDeps, principal: Principal, serial: Serial): Promise<bigint> {
  const { database, clock, newId } = deps;
  const { actor } = principal;
  const corporationId = await tenantOfSerial(database, principal, serial);
  return database.tenant(corporationId, async (sql) => {
    const at = clock();
    const changed = await sql.query(RELEASE, [serialBytes(serial), at], "ca-unhold");
    const row = await readState(sql, serial);
    if (changed.length === 0) throw notReleased(row, at);
    const action = "certificate.released";
    await recordChange(sql, { corporationId, serial, actor, action, detail: {}, at }, newId);
    return seqOf(row);
  });
}

/** Takes certificates of devices out of use, for good or for a while. */
export function createRevocation(deps: RevocationDeps): Revocation {
  async function answer(
    principal: Principal,
    serial: Serial,
    seq: bigint,
  ): Promise<ChangedCertificate> {
    const journaled = await isJournaled(deps, seq);
    return { certificate: await deps.certificates.one(principal, serial), journaled };
  }

  return {
    async revoke(principal, serial, reason) {
      // 1. One commit: state, reason, date, change number, audit row, event, NOTIFY. OCSP is right from here.
      const seq = await revoke(deps, principal, { serial, reason });
      // 2. The journal; 3. the answer.
      return answer(principal, serial, seq);
    },
    async unhold(principal, serial) {
      return answer(principal, serial, await unhold(deps, principal, serial));
    },
  };
}
