import type { Clock } from "../pki/clock.ts";
import type { Digest } from "../pki/crypto.ts";
import type { NewId } from "../pki/uuid.ts";
import type { Database } from "../storage/database.ts";
import { markQuarantine, raiseEpoch, readMark, resetMark } from "./journal-mark.ts";
import { createJournal, type Journal, openJournal } from "./journal.ts";
import { type Checkpoint, Ledger } from "./ledger.ts";
import { bringUp } from "./quarantine.ts";
import { applyUnapplied } from "./signed-row.ts";
import { compare, type Comparison } from "./signer-start.ts";

export interface LedgerOpenDeps {
  /** As suido_signer. */
  readonly database: Database;
  /** Its lock is held by the caller (`lockJournal`). */
  readonly journalFolder: string;
  readonly clock: Clock;
  readonly newId: NewId;
  readonly digest: Digest;
  /** The newest lists that anybody still has, for the case that a database was restored. */
  readonly publishedLists?: () => Promise<readonly Uint8Array[]>;
  readonly checkpoint?: Checkpoint;
  readonly onFatal: (error: Error) => void;
}

/** A ledger to work with, or why there is none. */
export type OpenedLedger =
  | { readonly state: "ready"; readonly ledger: Ledger; readonly found: Comparison["kind"] }
  | ({ readonly state: "quarantine" } & Disagreement);

/** Why journal and database cannot be brought together. */
interface Disagreement {
  /** One sentence that anybody may read. */
  readonly reason: string;
  /** What is wrong in detail: serials and paths, for the log. */
  readonly faults: readonly string[];
}

/** Brings journal and database together, or says why they cannot be. */
async function reconcile(
  deps: LedgerOpenDeps,
  journal: Journal | undefined,
  comparison: Comparison,
): Promise<Journal | Disagreement> {
  const { database, journalFolder, clock, newId, digest } = deps;
  if (comparison.kind === "journal-old") {
    await markQuarantine(database, clock());
    return { reason: comparison.reason, faults: [] };
  }
  if (comparison.kind === "fresh") {
    const begun =
      journal ?? createJournal(journalFolder, { journalId: newId() }, { clock, epoch: 0 });
    await resetMark(database, {
      journalId: begun.id,
      head: begun.head,
      changeSeq: 0n,
      epoch: begun.epoch,
    });
    return begun;
  }
  if (journal === undefined) throw new Error("a journal was compared that is not there");
  if (comparison.kind === "database-old") {
    const faults = await bringUp(journal, deps);
    if (faults.length === 0) return journal;
    return { reason: `${comparison.reason}, and could not be brought up to it`, faults };
  }
  if (comparison.unapplied.length > 0) {
    await database.transaction(async (sql) => {
      await applyUnapplied(sql, comparison.unapplied, { digest, newId });
      const { id: journalId, head, changeSeq } = journal;
      const mark = await readMark(sql);
      await resetMark(sql, { journalId, head, changeSeq, epoch: mark?.epoch ?? journal.epoch });
    });
  }
  return journal;
}

/**
 * Opens journal and database together (docs/decisions.md, "Start of the signer"): verifies the chain, compares, finishes what
 * a crash has cut off, brings a restored database up, and takes the next fencing epoch.
 */
export async function openLedger(deps: LedgerOpenDeps): Promise<OpenedLedger> {
  const { database, journalFolder, clock, onFatal, checkpoint = () => undefined } = deps;
  const found = openJournal(journalFolder, clock);
  const comparison = await compare(database, found, await readMark(database));
  const journal = await reconcile(deps, found, comparison);
  if ("reason" in journal) {
    found?.close();
    return { state: "quarantine", ...journal };
  }
  const epoch = await raiseEpoch(database, journal.epoch);
  checkpoint("epoch");
  const ledger = new Ledger({
    database,
    journal,
    epoch,
    changeSeq: journal.changeSeq,
    checkpoint,
    onFatal,
  });
  await ledger.turn(() => ledger.write([{ kind: "epoch" }], () => Promise.resolve()));
  return { state: "ready", ledger, found: comparison.kind };
}
