import { toHex } from "../pki/bytes.ts";
import type { Sql } from "../storage/sql.ts";
import type { JournalHead } from "./journal-record.ts";

/** How far the journal had come when the database last heard of it: the one row of ca.journal_mark. */
export interface JournalMark {
  readonly journalId: string;
  readonly head: JournalHead;
  /** Every change of status up to this one is in the journal. */
  readonly changeSeq: bigint;
  readonly epoch: number;
  readonly quarantinedAt: Date | undefined;
}

interface MarkRow {
  readonly journal_id: string;
  readonly seq: string;
  readonly hash: Buffer;
  readonly change_seq: string;
  readonly epoch: number;
  readonly quarantined_at: Date | null;
}

export async function readMark(sql: Sql): Promise<JournalMark | undefined> {
  const [row] = await sql.query<MarkRow>(
    "select journal_id, seq, hash, change_seq, epoch, quarantined_at from ca.journal_mark",
  );
  return (
    row && {
      journalId: row.journal_id,
      head: { seq: BigInt(row.seq), hash: toHex(row.hash) },
      changeSeq: BigInt(row.change_seq),
      epoch: row.epoch,
      quarantinedAt: row.quarantined_at ?? undefined,
    }
  );
}

/** Where a signer stands: its journal, and its fencing epoch. */
export interface Position {
  readonly journalId: string;
  readonly head: JournalHead;
  readonly changeSeq: bigint;
  readonly epoch: number;
}

/** Moves the mark, if the epoch is still this signer's. False: another signer has taken over since. */
export async function advanceMark(
  sql: Sql,
  { journalId, head, changeSeq, epoch }: Position,
): Promise<boolean> {
  const rows = await sql.query(
    `update ca.journal_mark set seq = $3, hash = $4, change_seq = $5 where journal_id = $1 and epoch = $2 returning seq`,
    [journalId, epoch, String(head.seq), Buffer.from(head.hash, "hex"), String(changeSeq)],
    "advance-mark",
  );
  return rows.length === 1;
}

/** Writes the mark anew, whatever it was: at the first start, after an adoption, and when a restored database is brought up. */
export async function resetMark(
  sql: Sql,
  { journalId, head, changeSeq, epoch }: Position,
): Promise<void> {
  await sql.query(
    `insert into ca.journal_mark (journal_id, seq, hash, change_seq, epoch) values ($1, $2, $3, $4, $5)
     on conflict (only_row) do update set journal_id = $1, seq = $2, hash = $3, change_seq = $4, epoch = $5`,
    [journalId, String(head.seq), Buffer.from(head.hash, "hex"), String(changeSeq), epoch],
  );
}

/**
 * Takes the next fencing epoch, above the journal's. It is committed here before the journal hears of it, so that a
 * database whose epoch is behind the journal's can only be one that was restored.
 */
export async function raiseEpoch(sql: Sql, atLeast: number): Promise<number> {
  const [row] = await sql.query<{ epoch: number }>(
    "update ca.journal_mark set epoch = greatest(epoch, $1) + 1 returning epoch",
    [atLeast],
  );
  if (row === undefined) throw new Error("ca.journal_mark has no row");
  return row.epoch;
}

/** Puts the quarantine on record, or ends it. */
export async function markQuarantine(sql: Sql, since: Date | null): Promise<void> {
  await sql.query(
    "update ca.journal_mark set quarantined_at = case when $1::timestamptz is null then null else coalesce(quarantined_at, $1) end",
    [since],
  );
}
