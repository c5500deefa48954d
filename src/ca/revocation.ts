import { type Actor, recordAll } from "../audit/record.ts";
import type { Clock } from "../pki/clock.ts";
import { REASON_CODES, type RevocationReason, reasonName } from "../pki/revocation-reason.ts";
import { type Serial, serialBytes } from "../pki/serial.ts";
import type { NewId } from "../pki/uuid.ts";
import { InvalidValueError } from "../registry/errors.ts";
import type { Principal } from "../registry/principal.ts";
import type { Database } from "../storage/database.ts";
import type { Sql } from "../storage/sql.ts";
import { noSuchCertificate, tenantOfSerial } from "./certificate-tenant.ts";
import { type CertificateRecord, serialOf } from "./certificate-record.ts";
import type { Certificates } from "./certificates.ts";
import { lockCertificatesOfKey } from "./compromised-key.ts";
import { AlreadyRevokedError, CertificateStateError, QuarantineError } from "./errors.ts";
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
  /** Whether this call changed it. The same again does not. */
  readonly changed: boolean;
  /**
   * Whether the change is in the journal, so that not even a restored database brings it back. Where it is not yet, the
   * signer will see to it; OCSP says the new status in either case.
   */
  readonly journaled: boolean;
}

export interface Revocation {
  /**
   * Revokes, or holds when the reason is certificateHold. The same reason again changes nothing. With keyCompromise every
   * certificate of the same key is revoked, in the same commit.
   */
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
 * One statement that moves the rows that may: open certificates to hold or revoked, the one that was named ($5) from
 * another reason to keyCompromise too, for what compromised a key is worth knowing late. A date once given stays: a
 * certificate that was on hold counts as revoked since the hold, as X.509 has it of the entry that replaces the hold.
 */
const STOP = `update ca.issued set state = $2, reason = $3::smallint, revoked_at = coalesce(revoked_at, $4::timestamptz)
  where serial = any($1::bytea[]) and not_after >= $4 and (state = 'good' or (state = 'hold' and $2 = 'revoked')
    or (state = 'revoked' and $3::smallint = ${REASON_CODES.keyCompromise} and reason <> ${REASON_CODES.keyCompromise} and serial = $5))
  returning serial`;

const RELEASE = `update ca.issued set state = 'good', reason = null, revoked_at = null
  where serial = $1 and not_after >= $2 and state = 'hold'
    and not exists (select from ca.journal_mark where quarantined_at is not null)
  returning serial`;

/** Serial numbers as the values of a bytea[] parameter. */
function columnsOf(serials: readonly Serial[]): readonly Buffer[] {
  return serials.map((serial) => Buffer.from(serialBytes(serial)));
}

interface StateRow {
  readonly state: string;
  readonly reason: number | null;
  readonly revoked_at: Date | null;
  readonly not_after: Date;
  readonly is_quarantined: boolean;
  readonly change_seq: string | null;
}

/** The row as this transaction sees it, and the number of the last change of it and of those that changed with it. */
async function readState(
  sql: Sql,
  serial: Serial,
  changed: readonly Serial[] = [],
): Promise<StateRow> {
  const [row] = await sql.query<StateRow>(
    `select state, reason, revoked_at, not_after, exists (select from ca.journal_mark where quarantined_at is not null) as is_quarantined,
       (select max(change.seq) from ca.change where change.serial = any($2::bytea[])) as change_seq
     from ca.issued where serial = $1`,
    [serialBytes(serial), columnsOf([serial, ...changed])],
    "ca-revocation-state",
  );
  if (row === undefined) throw noSuchCertificate();
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
    if (row.not_after < now) throw new CertificateStateError("the certificate has expired");
    throw new Error(`a certificate that is ${state} can be stopped`);
  }
  throw new CertificateStateError("there is no certificate yet that could be revoked");
}

/** Why a hold was not ended. */
function notReleased(row: StateRow, now: Date): Error {
  if (row.state !== "hold") return new CertificateStateError("the certificate is not on hold");
  if (row.is_quarantined)
    return new QuarantineError(
      "nothing is released while journal and database are brought together",
    );
  if (row.not_after < now) return new CertificateStateError("the certificate has expired");
  return new Error("a certificate that is on hold can be released");
}

interface Change {
  readonly corporationId: string;
  readonly serials: readonly Serial[];
  readonly actor: Actor;
  readonly action: "certificate.revoked" | "certificate.held" | "certificate.released";
  readonly detail: { readonly reason?: RevocationReason };
  readonly at: Date;
}

async function recordChanges(
  sql: Sql,
  { serials, ...change }: Change,
  newId: NewId,
): Promise<void> {
  if (serials.length === 0) return;
  const facts = serials.map((serial) => ({ ...change, subject: `certificate/${serial}` }));
  await recordAll(sql, facts, newId);
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

/** What a transaction did: whether anything, and the number of the change that the answer waits for. */
interface Moved {
  readonly changed: boolean;
  readonly seq: bigint;
}

interface Stop {
  readonly serial: Serial;
  readonly reason: RevocationReason;
  readonly at: Date;
}

/** Which certificates this stops: with keyCompromise all of the key, for it is the key that others may have. */
async function stop(sql: Sql, { serial, reason, at }: Stop): Promise<readonly Serial[]> {
  const serials = reason === "keyCompromise" ? await lockCertificatesOfKey(sql, serial) : [serial];
  const state = reason === "certificateHold" ? "hold" : "revoked";
  const rows = await sql.query<{ serial: Uint8Array }>(
    STOP,
    [columnsOf(serials), state, REASON_CODES[reason], at, serialBytes(serial)],
    "ca-revoke",
  );
  return rows.map((row) => serialOf(row.serial));
}

async function revoke(
  deps: RevocationDeps,
  principal: Principal,
  { serial, reason }: { readonly serial: Serial; readonly reason: RevocationReason },
): Promise<Moved> {
  const { database, clock, newId } = deps;
  const { actor } = principal;
  const corporationId = await tenantOfSerial(database, principal, serial);
  return database.tenant(corporationId, async (sql) => {
    const at = clock();
    const serials = await stop(sql, { serial, reason, at });
    const row = await readState(sql, serial, serials);
    if (!serials.includes(serial)) checkStopped(row, reason, at);
    const action = reason === "certificateHold" ? "certificate.held" : "certificate.revoked";
    const detail = { reason };
    await recordChanges(sql, { corporationId, serials, actor, action, detail, at }, newId);
    return { changed: serials.length > 0, seq: seqOf(row) };
  });
}

async function unhold(deps: RevocationDeps, principal: Principal, serial: Serial): Promise<Moved> {
  const { database, clock, newId } = deps;
  const { actor } = principal;
  const corporationId = await tenantOfSerial(database, principal, serial);
  return database.tenant(corporationId, async (sql) => {
    const at = clock();
    const changed = await sql.query(RELEASE, [serialBytes(serial), at], "ca-unhold");
    const row = await readState(sql, serial);
    if (changed.length === 0) throw notReleased(row, at);
    const action = "certificate.released";
    const serials = [serial];
    await recordChanges(sql, { corporationId, serials, actor, action, detail: {}, at }, newId);
    return { changed: true, seq: seqOf(row) };
  });
}

/** Takes certificates of devices out of use, for good or for a while. */
export function createRevocation(deps: RevocationDeps): Revocation {
  async function answer(
    principal: Principal,
    serial: Serial,
    { changed, seq }: Moved,
  ): Promise<ChangedCertificate> {
    const journaled = await isJournaled(deps, seq);
    return { certificate: await deps.certificates.one(principal, serial), changed, journaled };
  }

  return {
    async revoke(principal, serial, reason) {
      // 1. One commit: state, reason, date, change number, audit row, event, NOTIFY. OCSP is right from here.
      const moved = await revoke(deps, principal, { serial, reason });
      // 2. The journal; 3. the answer.
      return answer(principal, serial, moved);
    },
    async unhold(principal, serial) {
      return answer(principal, serial, await unhold(deps, principal, serial));
    },
  };
}
