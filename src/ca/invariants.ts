import { existsSync, readdirSync } from "node:fs";
import path from "node:path";
import type { Digest, Verify } from "../pki/crypto.ts";
import { toHex } from "../pki/bytes.ts";
import { REASON_CODES } from "../pki/revocation-reason.ts";
import { type Serial, serialFromInteger } from "../pki/serial.ts";
import type { Database } from "../storage/database.ts";
import type { Sql } from "../storage/sql.ts";
import { isDue, type JournalFindings, readJournals } from "./invariants-journal.ts";
import { listFaults } from "./invariants-lists.ts";

/**
 * What must hold after every fault (I1 to I5), looked for in the database, the journal's files and the published lists by
 * code of its own: it shares nothing with what writes them.
 */

export interface InvariantDeps {
  /** As suido_signer or suido_worker. */
  readonly database: Database;
  readonly journalFolder: string;
  readonly now: Date;
  readonly digest: Digest;
  /** `replay`: certificates and their status only, because a restored database gets its lists later. */
  readonly scope:
    | "replay"
    | { readonly verify: Verify; readonly fetchList?: (url: string) => Promise<Uint8Array> };
}

export interface InvariantReport {
  readonly ok: boolean;
  readonly checked: {
    readonly records: number;
    readonly certificates: number;
    readonly changes: number;
    readonly lists: number;
  };
  readonly faults: readonly string[];
}

/** So many faults are told; more say nothing new. */
const MAX_FAULTS = 200;

/** A reservation that is older was to be closed. The signer closes each minute. */
const RESERVED_MS = 12 * 60 * 1000;

const PAGE = 5000;

interface RowFacts {
  readonly serial: Buffer;
  readonly state: string;
  readonly reason: number | null;
  readonly der: Buffer | null;
  readonly der_sha256: Buffer | null;
  readonly issued_at: Date | null;
  readonly reserved_at: Date;
  /** A root session was asked for it: that takes weeks. */
  readonly is_asked: boolean;
}

async function* rows(sql: Sql): AsyncGenerator<RowFacts> {
  let after: Buffer = Buffer.alloc(0);
  for (;;) {
    const page = await sql.query<RowFacts>(
      `select serial, state, reason, der, der_sha256, issued_at, reserved_at,
         exists (select from ca.root_request r where r.state in ('open', 'answered') and i.serial = any (r.serials)) as is_asked
       from ca.issued i where serial > $1 order by serial limit $2`,
      [after, PAGE],
    );
    yield* page;
    const last = page.at(-1);
    if (last === undefined || page.length < PAGE) return;
    after = last.serial;
  }
}

const SIGNED = new Set(["good", "hold", "revoked"]);

interface RowContext {
  readonly serial: Serial;
  readonly journal: JournalFindings;
  readonly deps: InvariantDeps;
}

const isSigned = ({ state }: RowFacts): boolean => SIGNED.has(state);

/** I2 of a row that says that nothing was signed. */
function unsignedFaults(row: RowFacts, { serial, journal, deps }: RowContext): string[] {
  if (journal.issued.has(serial))
    return [`I2 ${serial} was signed, but is ${row.state} in the database`];
  const age = deps.now.getTime() - row.reserved_at.getTime();
  const isLate = row.state === "reserved" && age > RESERVED_MS && !row.is_asked;
  return isLate ? [`I2 ${serial} is still reserved`] : [];
}

/** I2 and I6: the certificate is the one that its hash and the journal say. */
function certificateOf(row: RowFacts, { serial, journal, deps }: RowContext): string[] {
  const sha256 = row.der === null ? "" : toHex(deps.digest("sha256", row.der));
  const inJournal = journal.issued.get(serial);
  const faults: string[] = [];
  if (row.der_sha256 === null || sha256 !== toHex(row.der_sha256)) {
    faults.push(`I6 ${serial} is not the certificate whose hash stands beside it`);
  }
  if (inJournal !== undefined && inJournal !== sha256)
    faults.push(`I2 ${serial} is another certificate in the journal`);
  if (inJournal === undefined && isDue(row.issued_at, journal, deps.now))
    faults.push(`I2 ${serial} is not in the journal`);
  return faults;
}

/** I5: what the journal has stopped is stopped, for the same reason or for keyCompromise. */
function statusFaults(row: RowFacts, { serial, journal }: RowContext): string[] {
  const known = journal.stopped.get(serial);
  if (known === undefined) return [];
  const isStopped = row.state === "revoked" || (known.state === "hold" && row.state === "hold");
  if (!isStopped)
    return [`I5 ${serial} is ${known.state} in the journal, and ${row.state} in the database`];
  const isSameReason =
    known.state === "hold" ||
    row.reason === known.reason ||
    row.reason === REASON_CODES.keyCompromise;
  return isSameReason
    ? []
    : [`I5 ${serial} has reason ${known.reason} in the journal, and ${row.reason} in the database`];
}

/** A row against what the journal has of its serial. */
function rowFaults(row: RowFacts, context: RowContext): readonly string[] {
  if (!isSigned(row)) return unsignedFaults(row, context);
  return [...certificateOf(row, context), ...statusFaults(row, context)];
}

/** A release that the journal has not heard of yet excuses a certificate that is still on hold there. */
async function unjournaledReleases(sql: Sql, journaled: bigint): Promise<ReadonlySet<Serial>> {
  const released = await sql.query<{ serial: Buffer }>(
    "select serial from ca.change where kind = 'unhold' and seq > $1",
    [String(journaled)],
  );
  return new Set(released.map(({ serial }) => serialFromInteger(serial)));
}

async function certificateFaults(
  sql: Sql,
  journal: JournalFindings,
  deps: InvariantDeps,
): Promise<{ faults: string[]; count: number }> {
  const faults: string[] = [];
  const missing = new Set(journal.issued.keys());
  for (const serial of await unjournaledReleases(sql, journal.changeSeq)) {
    if (journal.stopped.get(serial)?.state === "hold") journal.stopped.delete(serial);
  }
  let count = 0;
  for await (const row of rows(sql)) {
    const serial = serialFromInteger(row.serial);
    count++;
    missing.delete(serial);
    if (faults.length < MAX_FAULTS) faults.push(...rowFaults(row, { serial, journal, deps }));
  }
  for (const serial of missing) {
    if (faults.length < MAX_FAULTS)
      faults.push(`I2 ${serial} was signed, but the database does not know it`);
  }
  return { faults, count };
}

/** The journal's files, oldest first. */
function filesOf(folder: string): readonly string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((name) => /^[0-9]+\.jsonl$/.test(name))
    .toSorted()
    .map((name) => path.join(folder, name));
}

/** Checks all invariants that can be seen from database, journal and lists, and tells every fault. Changes nothing. */
export async function checkInvariants(deps: InvariantDeps): Promise<InvariantReport> {
  const { database, journalFolder, digest, scope } = deps;
  // Files first: then everything in them has had the time to be committed, but for a batch that is on its way.
  const journal = await readJournals(filesOf(journalFolder), digest);
  const faults = [...journal.faults];
  const { count, lists } = await database.transaction(
    async (sql) => {
      const certificates = await certificateFaults(sql, journal, deps);
      faults.push(...certificates.faults);
      if (scope === "replay") return { count: certificates.count, lists: 0 };
      const checked = await listFaults(sql, journal, { ...deps, ...scope });
      faults.push(...checked.faults);
      return { count: certificates.count, lists: checked.count };
    },
    { isolation: "repeatable read", readOnly: true },
  );
  return {
    ok: faults.length === 0,
    checked: { records: journal.records, certificates: count, changes: journal.changes, lists },
    faults,
  };
}
