import type { Sql } from "../storage/sql.ts";
import { serialBytes } from "../pki/serial.ts";
import type { JournalMark } from "./journal-mark.ts";
import type { ChangeEntry, IssuedEntry, JournalRecord } from "./journal-record.ts";
import type { Journal } from "./journal.ts";

/** What journal and database are to each other when the signer starts (docs/decisions.md). */
export type Comparison =
  /** Neither has anything: the first start. */
  | { readonly kind: "fresh" }
  /** The database knows everything but these records, and can take them: an ordinary start, or one after a crash. */
  | { readonly kind: "ordinary"; readonly unapplied: readonly JournalRecord[] }
  /** The database was restored to an earlier time. The journal knows what it has forgotten. */
  | { readonly kind: "database-old"; readonly reason: string }
  /** The journal is gone, restored or another's. Only people can decide to go on. */
  | { readonly kind: "journal-old"; readonly reason: string };

/** Whether the database holds anything that a journal should know of. */
async function isEmpty(sql: Sql): Promise<boolean> {
  const [row] = await sql.query<{ used: boolean }>(
    "select exists (select from ca.issuer) or exists (select from ca.issued) as used",
  );
  return row?.used !== true;
}

function isJournalEmpty(journal: Journal): boolean {
  for (const { kind } of journal.history())
    if (kind !== "journal" && kind !== "epoch") return false;
  return true;
}

const databaseOld = (reason: string): Comparison => ({
  kind: "database-old",
  reason: `the database is older than the journal: ${reason}`,
});
const journalOld = (reason: string): Comparison => ({
  kind: "journal-old",
  reason: `the journal is older than the database: ${reason}`,
});

async function reservedSerials(
  sql: Sql,
  entries: readonly Pick<IssuedEntry, "serial">[],
): Promise<number> {
  const [row] = await sql.query<{ count: number }>(
    "select count(*)::integer as count from ca.issued where serial = any($1::bytea[]) and state = 'reserved'",
    [entries.map(({ serial }) => Buffer.from(serialBytes(serial)))],
  );
  return row?.count ?? 0;
}

async function knownChanges(sql: Sql, entries: readonly ChangeEntry[]): Promise<number> {
  const [row] = await sql.query<{ count: number }>(
    `select count(*)::integer as count from ca.change c
     join unnest($1::bigint[], $2::text[], $3::bytea[]) as entry (seq, kind, serial)
       on c.seq = entry.seq and c.kind = entry.kind and c.serial is not distinct from entry.serial`,
    [
      entries.map(({ changeSeq }) => changeSeq),
      entries.map(({ change }) => change),
      entries.map(({ serial }) => (serial === undefined ? null : Buffer.from(serialBytes(serial)))),
    ],
  );
  return row?.count ?? 0;
}

/** The journal is longer: an ordinary crash if each extra record finds what it was made from. */
async function compareExtras(sql: Sql, unapplied: readonly JournalRecord[]): Promise<Comparison> {
  // The row of a CA's own certificate cannot be there before: it is made of the record.
  const issued = unapplied
    .filter((record) => record.kind === "issued")
    .filter(({ authority }) => authority === undefined);
  if ((await reservedSerials(sql, issued)) !== issued.length)
    return databaseOld("a certificate that was signed has no row");
  const changes = unapplied.filter((record) => record.kind === "change");
  if ((await knownChanges(sql, changes)) !== changes.length)
    return databaseOld("a change of status has no row");
  return { kind: "ordinary", unapplied };
}

function isForerunner(journal: Journal, journalId: string): boolean {
  for (const record of journal.history()) {
    if (record.kind === "journal" && record.adopted?.journalId === journalId) return true;
  }
  return false;
}

/** Holds the journal against the database's mark. It changes nothing. */
export async function compare(
  sql: Sql,
  journal: Journal | undefined,
  mark: JournalMark | undefined,
): Promise<Comparison> {
  if (journal === undefined) {
    return mark === undefined && (await isEmpty(sql))
      ? { kind: "fresh" }
      : journalOld("it is not there");
  }
  if (mark === undefined) {
    if (!isJournalEmpty(journal)) return databaseOld("it has never heard of one");
    return (await isEmpty(sql)) ? { kind: "fresh" } : journalOld("it is empty");
  }
  return compareWithMark(sql, journal, mark);
}

/** Both have something: the mark is a place in the chain, or they have parted. */
async function compareWithMark(sql: Sql, journal: Journal, mark: JournalMark): Promise<Comparison> {
  if (mark.journalId !== journal.id) {
    if (isForerunner(journal, mark.journalId))
      return databaseOld("it does not know that a new journal was begun");
    return journalOld("the database belongs to another journal");
  }
  if (mark.head.seq > journal.head.seq)
    return journalOld(`it ends at record ${journal.head.seq}, the database knows ${mark.head.seq}`);
  const { hash, records } = journal.recordsAfter(mark.head.seq);
  if (hash !== mark.head.hash)
    return journalOld(`its record ${mark.head.seq} is not the one that the database knows`);
  if (mark.epoch < journal.epoch) return databaseOld("a signer has worked since");
  if (mark.quarantinedAt !== undefined)
    return databaseOld("the last attempt to bring it up did not end");
  return compareExtras(sql, records);
}
