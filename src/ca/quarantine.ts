import { advisoryLock } from "../storage/advisory-locks.ts";
import { type Fact, recordAll } from "../audit/record.ts";
import { BACKDATE_MS } from "../pki/clock.ts";
import { readCrl } from "../pki/crl-reader.ts";
import { REASON_CODES } from "../pki/revocation-reason.ts";
import { type Serial, serialBytes, serialFromInteger } from "../pki/serial.ts";
import type { Database } from "../storage/database.ts";
import type { Sql } from "../storage/sql.ts";
import { changesAfter } from "./change-journal.ts";
import { checkInvariants } from "./invariants.ts";
import { markQuarantine, readMark, resetMark } from "./journal-mark.ts";
import { CHAIN_START, type ChangeEntry, type JournalRecord } from "./journal-record.ts";
import { createJournal, type Journal, openJournal } from "./journal.ts";
import { InvalidStateError } from "./errors.ts";
import { applyIssuerStates } from "./issuer-state.ts";
import type { LedgerOpenDeps } from "./ledger-open.ts";
import { commitReserved, insertSigned, type SignedEntry, signedEntry } from "./signed-row.ts";
import { twoPeople } from "./two-people.ts";

/** Records that are committed at once while a restored database is brought up. */
const BATCH = 500;

/** What the journal and the last lists say of a certificate that is not good any more. */
interface Stopped {
  readonly state: "hold" | "revoked";
  readonly reason: number;
  readonly at: Date;
}

/** Merging (docs/decisions.md): revoked > hold > good, keyCompromise above every other reason, in doubt revoked. */
function worse(a: Stopped | undefined, b: Stopped): Stopped {
  if (a === undefined) return b;
  if (a.state !== b.state) return a.state === "revoked" ? a : b;
  if (b.reason === REASON_CODES.keyCompromise && a.reason !== b.reason)
    return { ...a, reason: b.reason };
  return a;
}

/** Everything that the journal knows, gathered in one pass. */
interface Memory {
  readonly stopped: Map<Serial, Stopped>;
  /** Denies that the database has forgotten. */
  readonly denies: ChangeEntry[];
  /** Changes that were made in the restored database, under numbers that the journal has for others: it has not heard of them. */
  readonly unheard: Map<string, ChangeEntry>;
}

const isSame = (a: ChangeEntry, b: ChangeEntry | undefined): boolean =>
  a.change === b?.change && a.serial === b.serial && a.subject === b.subject;

function remember(memory: Memory, record: ChangeEntry, knownSeq: bigint): void {
  const { change, serial, changedAt, changeSeq } = record;
  const isKnown = BigInt(changeSeq) <= knownSeq || isSame(record, memory.unheard.get(changeSeq));
  if (isKnown) memory.unheard.delete(changeSeq);
  if (change === "deny") {
    if (!isKnown) memory.denies.push(record);
    return;
  }
  if (serial === undefined) return;
  const before = memory.stopped.get(serial);
  // A release that the journal has ends the hold that it has. It does not release anything in the database.
  if (change === "unhold" && before?.state === "hold") memory.stopped.delete(serial);
  if (change === "unhold") return;
  const state = change === "hold" ? "hold" : "revoked";
  const reason = record.reason ?? REASON_CODES.unspecified;
  memory.stopped.set(serial, worse(before, { state, reason, at: new Date(changedAt) }));
}

const bytesOf = (serial: Serial): Buffer => Buffer.from(serialBytes(serial));

async function reservedAmong(
  sql: Sql,
  entries: readonly SignedEntry[],
): Promise<ReadonlySet<Serial>> {
  const rows = await sql.query<{ serial: Buffer }>(
    "select serial from ca.issued where serial = any($1::bytea[]) and state = 'reserved'",
    [entries.map(({ serial }) => bytesOf(serial))],
  );
  return new Set(rows.map(({ serial }) => serialFromInteger(serial)));
}

/** Puts a binding back. False when what it bound is gone too. */
async function restoreBinding(
  sql: Sql,
  { serial, binding, at }: SignedEntry,
  newId: () => string,
): Promise<boolean> {
  if (binding === undefined) return true;
  const { corporationId, pharmacyId, deviceId, accountId } = binding;
  const [row] = await sql.query<{ restored: boolean }>(
    "select app.restore_binding($1, $2, $3, $4, $5, $6, $7) as restored",
    [newId(), bytesOf(serial), corporationId, pharmacyId, deviceId, accountId, at],
  );
  return row?.restored === true;
}

/** Rows for the certificates that the database does not know. One whose binding is lost is put on hold. */
async function restoreIssued(
  sql: Sql,
  entries: readonly SignedEntry[],
  { digest, newId }: LedgerOpenDeps,
): Promise<readonly Serial[]> {
  const reserved = await reservedAmong(sql, entries);
  await commitReserved(
    sql,
    entries.filter(({ serial }) => reserved.has(serial)),
    { digest, newId },
  );
  const unbound: Serial[] = [];
  const facts: Fact[] = [];
  for (const entry of entries) {
    if (reserved.has(entry.serial) || !(await insertSigned(sql, entry, digest))) continue;
    const isBound = await restoreBinding(sql, entry, newId);
    if (!isBound) unbound.push(entry.serial);
    facts.push(factOf(entry, isBound));
  }
  if (facts.length > 0) await recordAll(sql, facts, newId);
  return unbound;
}

function factOf({ serial, at, binding }: SignedEntry, isBound: boolean): Fact {
  return {
    at,
    actor: "signer",
    action: "certificate.restored",
    subject: `certificate/${serial}`,
    ...(binding !== undefined && isBound && { corporationId: binding.corporationId }),
    detail: { isBound },
  };
}

/**
 * Sees to it that numbers which the journal has are not drawn a second time, and returns the changes after a number as the
 * database has them. Under the lock that orders changes: whoever drew a number before has committed.
 */
async function takeOverChanges(
  sql: Sql,
  { after, seen }: { after: bigint; seen: bigint },
): Promise<Map<string, ChangeEntry>> {
  await sql.query(`select pg_advisory_xact_lock(${advisoryLock("changes")})`);
  const [row] = await sql.query<{ seq: string }>("select nextval('ca.change_seq') as seq");
  const missing = seen - BigInt(row?.seq ?? 0);
  if (missing > 0n)
    await sql.query("select max(nextval('ca.change_seq')) from generate_series(1, $1::bigint)", [
      String(missing),
    ]);
  const changes = await changesAfter(sql, after, { upTo: seen });
  return new Map(changes.map((change) => [change.changeSeq, change]));
}

interface StatusRow {
  readonly serial: Buffer;
  readonly state: string;
  readonly reason: number | null;
}

/** Whether the row says less than what is known of the certificate. */
function isBehind({ state, reason }: StatusRow, known: Stopped): boolean {
  if (state === "good") return true;
  if (state === "hold") return known.state === "revoked";
  return (
    state === "revoked" &&
    known.reason === REASON_CODES.keyCompromise &&
    known.state === "revoked" &&
    reason !== known.reason
  );
}

/** Stops again what was stopped. */
async function restoreStopped(
  sql: Sql,
  batch: readonly (readonly [Serial, Stopped])[],
  { newId, clock }: LedgerOpenDeps,
): Promise<void> {
  const known = new Map(batch);
  const rows = await sql.query<StatusRow>(
    "select serial, state, reason from ca.issued where serial = any($1::bytea[]) order by serial",
    [[...known.keys()].map(bytesOf)],
  );
  const facts: Fact[] = [];
  for (const row of rows) {
    const serial = serialFromInteger(row.serial);
    const stopped = known.get(serial);
    if (stopped === undefined || !isBehind(row, stopped)) continue;
    await sql.query(
      `update ca.issued set state = $2, reason = $3, revoked_at = case when state = 'revoked' then revoked_at else $4 end where serial = $1`,
      [row.serial, stopped.state, stopped.reason, stopped.at],
    );
    const action = stopped.state === "hold" ? "certificate.held" : "certificate.revoked";
    const detail = { reason: stopped.reason, why: "the database was restored" };
    facts.push({ at: clock(), actor: "signer", action, subject: `certificate/${serial}`, detail });
  }
  if (facts.length > 0) await recordAll(sql, facts, newId);
}

/** Calls the work with so many items at a time, each time in a transaction of its own. */
async function inBatches<T>(
  database: Database,
  items: Iterable<T>,
  work: (sql: Sql, batch: readonly T[]) => Promise<void>,
): Promise<void> {
  let batch: T[] = [];
  const flush = async (): Promise<void> => {
    const full = batch;
    batch = [];
    if (full.length > 0) await database.transaction((sql) => work(sql, full));
  };
  for (const item of items) {
    batch.push(item);
    if (batch.length === BATCH) await flush();
  }
  await flush();
}

function* issuedEntries(records: Iterable<JournalRecord>): Generator<SignedEntry> {
  for (const record of records) if (record.kind === "issued") yield signedEntry(record);
}

/** What was on a list that somebody still has is stopped, even if the journal never heard of it. */
async function rememberLists(
  memory: Memory,
  publishedLists: LedgerOpenDeps["publishedLists"],
): Promise<void> {
  for (const der of (await publishedLists?.()) ?? []) {
    for (const { serial, reason, revokedAt } of readCrl(der).entries()) {
      const state = reason === REASON_CODES.certificateHold ? "hold" : "revoked";
      const at = new Date(revokedAt.getTime() + BACKDATE_MS);
      const known = memory.stopped.get(serial);
      if (known?.state !== "revoked")
        memory.stopped.set(serial, worse(known, { state, reason, at }));
    }
  }
}

/**
 * Brings a restored database up to the journal: certificates, revocations, denies; everything one-time from before is void.
 * The status is then the union of database, journal and the last lists. Idempotent; what it returns are the faults that
 * keep the quarantine from ending, and with none it has ended.
 */
export async function bringUp(journal: Journal, deps: LedgerOpenDeps): Promise<readonly string[]> {
  const { database, clock, digest } = deps;
  // 1. On record first: as long as the row says so, nothing else may be done, and a crash begins again here.
  const mark = await readMark(database);
  if (mark === undefined || mark.journalId !== journal.id) {
    await resetMark(database, {
      journalId: journal.id,
      head: CHAIN_START,
      changeSeq: 0n,
      epoch: mark?.epoch ?? 0,
    });
  }
  await markQuarantine(database, clock());
  const knownSeq = mark?.journalId === journal.id ? mark.changeSeq : 0n;
  const unheard = await database.transaction((sql) =>
    takeOverChanges(sql, { after: knownSeq, seen: journal.changeSeq }),
  );

  // 2. Certificates, and the states of those who issued them.
  const unbound: Serial[] = [];
  await inBatches(database, issuedEntries(journal.history()), async (sql, batch) => {
    unbound.push(...(await restoreIssued(sql, batch, deps)));
  });
  await database.transaction((sql) => applyIssuerStates(sql, journal.history(), deps.newId));
  // 3. What stopped them, from the journal and from the last lists; what lost its binding is on hold.
  const memory: Memory = { stopped: new Map(), denies: [], unheard };
  for (const record of journal.history())
    if (record.kind === "change") remember(memory, record, knownSeq);
  await rememberLists(memory, deps.publishedLists);
  for (const serial of unbound) {
    memory.stopped.set(
      serial,
      worse(memory.stopped.get(serial), {
        state: "hold",
        reason: REASON_CODES.certificateHold,
        at: clock(),
      }),
    );
  }
  await inBatches(database, memory.stopped, (sql, batch) => restoreStopped(sql, batch, deps));
  // 4. Denies, and what could be used a second time.
  await inBatches(database, memory.denies, async (sql, batch) => {
    for (const { subject = "", changedAt } of batch) {
      const [row] = await sql.query<{ applied: boolean }>(
        "select app.apply_deny($1, $2) as applied",
        [subject, changedAt],
      );
      if (row?.applied === true)
        await sql.query("select ca.record_deny($1, $2)", [subject, changedAt]);
    }
  });
  await database.query("delete from app.idempotency where created_at < $1", [clock()]);
  await database.query("select app.void_openings($1)", [clock()]);
  // 5. What happened in the restored database before it was looked at.
  if (memory.unheard.size > 0) journal.append([...memory.unheard.values()], journal.epoch);
  // 6. It ends when journal and database agree.
  const { faults } = await checkInvariants({
    database,
    journalFolder: journal.folder,
    now: clock(),
    digest,
    scope: "replay",
  });
  if (faults.length > 0) return faults;
  await endQuarantine(journal, deps);
  return [];
}

async function endQuarantine(
  { id: journalId, head, changeSeq, epoch }: Journal,
  { database, newId, clock }: LedgerOpenDeps,
): Promise<void> {
  await database.transaction(async (sql) => {
    const mark = await readMark(sql);
    await resetMark(sql, { journalId, head, changeSeq, epoch: Math.max(mark?.epoch ?? 0, epoch) });
    await markQuarantine(sql, null);
    const fact = {
      at: clock(),
      actor: "signer",
      action: "quarantine.ended",
      subject: `journal/${journalId}`,
    };
    await recordAll(sql, [{ ...fact, detail: { seq: String(head.seq) } }], newId);
  });
}

/**
 * Begins a new journal for a database whose journal is gone or behind, by the decision of two people: what only the old one
 * knew is lost. It names the head that the database knows, so that the gap is on record.
 */
export async function adoptJournal(by: readonly string[], deps: LedgerOpenDeps): Promise<string> {
  const { database, journalFolder, clock, newId } = deps;
  twoPeople(by, "a journal is adopted");
  const mark = await readMark(database);
  if (mark?.quarantinedAt === undefined)
    throw new InvalidStateError("nothing is in quarantine: there is no journal to adopt");
  openJournal(journalFolder, clock)?.close();
  const { journalId, head, changeSeq, epoch } = mark;
  const adopted = {
    journalId,
    seq: String(head.seq),
    hash: head.hash,
    changeSeq: String(changeSeq),
    by,
  };
  const journal = createJournal(journalFolder, { journalId: newId(), adopted }, { clock, epoch });
  await database.transaction(async (sql) => {
    await resetMark(sql, { journalId: journal.id, head: journal.head, changeSeq, epoch });
    await markQuarantine(sql, null);
    const fact = {
      at: clock(),
      actor: `cli:${by.join(",")}`,
      action: "journal.adopted",
      subject: `journal/${journal.id}`,
    };
    await recordAll(
      sql,
      [{ ...fact, detail: { adopted: journalId, seq: String(head.seq) } }],
      newId,
    );
  });
  journal.close();
  return journal.id;
}
