import type { Database } from "../storage/database.ts";
import { isUnavailable } from "../storage/errors.ts";
import type { Sql } from "../storage/sql.ts";
import { JournalDamagedError, SignerUnavailableError } from "./errors.ts";
import { advanceMark, type Position, readMark } from "./journal-mark.ts";
import type { JournalEntry } from "./journal-record.ts";
import type { Journal } from "./journal.ts";

/** Called between the steps of the signer's work, with the step's name. A test ends the process there. */
export type Checkpoint = (step: string) => void;

/** What the database learns of entries that the journal has. It is all or nothing, and can be done again. */
export type Commit = (sql: Sql) => Promise<void>;

/** A transaction that has begun before its turn, with most of the work done in it. */
export interface BegunCommit {
  /** What is left to do there. */
  readonly rest: Commit;
  /** Does this in it and commits. Where it rejects, the commit may be done anew. */
  finish(work: Commit): Promise<void>;
}

/** What an entry is written with beside its commit. */
interface WriteOptions {
  /** The last change of status that these entries have. */
  readonly changeSeq?: bigint;
  readonly begun?: BegunCommit;
}

/** Journal and database have parted while the signer worked. It must end: the start knows what to do. */
export class LedgerLostError extends Error {
  override readonly name = "LedgerLostError";
}

/**
 * So often the database may refuse what the journal has. After that only a new start can help: it reads both again and
 * either applies what is missing or finds that the database is not the one that the journal was written for.
 */
const MOST_REFUSALS = 20;

interface Unconfirmed {
  readonly position: Position;
  readonly commit: Commit;
}

export interface LedgerDeps {
  readonly database: Database;
  readonly journal: Journal;
  readonly epoch: number;
  /** The last change of status that the journal has. */
  readonly changeSeq: bigint;
  readonly checkpoint: Checkpoint;
  /** Told of what only a new start can mend. */
  readonly onFatal: (error: Error) => void;
}

/**
 * Journal first, then database, one batch after the other, so that whatever the journal has and the database has not is
 * always the end of the journal. Each commit moves the mark in the same transaction.
 */
export class Ledger {
  readonly journal: Journal;
  readonly epoch: number;
  readonly #deps: LedgerDeps;
  #changeSeq: bigint;
  #unconfirmed: Unconfirmed | undefined;
  #refusals = 0;
  #refusal: string | undefined;
  #last: Promise<unknown> = Promise.resolve();

  constructor(deps: LedgerDeps) {
    this.journal = deps.journal;
    this.epoch = deps.epoch;
    this.#changeSeq = deps.changeSeq;
    this.#deps = deps;
  }

  /** Every change of status up to this one is in the journal, and the database knows it. */
  get changeSeq(): bigint {
    return this.#changeSeq;
  }

  /** What holds everything up: the database refuses what the journal has, for this reason. */
  get refusal(): string | undefined {
    return this.#refusal;
  }

  /** Does the work when all turns before it are over, with nothing left unconfirmed. Errors are the caller's and nobody else's. */
  turn<T>(work: () => Promise<T>): Promise<T> {
    const mine = this.#last.then(async () => {
      await this.#settle();
      return work();
    });
    this.#last = mine.catch(() => undefined);
    return mine;
  }

  /** Appends, waits for the disk, then commits. Only within a turn. */
  async write(
    entries: readonly JournalEntry[],
    commit: Commit,
    { changeSeq = this.#changeSeq, begun }: WriteOptions = {},
  ): Promise<void> {
    const { checkpoint, onFatal } = this.#deps;
    let head;
    try {
      head = this.journal.append(entries, this.epoch);
    } catch (error) {
      // With a clock that was set back nothing has been written, and it may be set right.
      if (error instanceof JournalDamagedError) onFatal(error);
      throw error;
    }
    checkpoint("journaled");
    const position = { journalId: this.journal.id, head, changeSeq, epoch: this.epoch };
    this.#unconfirmed = { position, commit };
    if (begun === undefined) await this.#commit(this.#unconfirmed);
    else await this.#finish(this.#unconfirmed, begun);
    checkpoint("committed");
  }

  /** Ends when the turns under way are over. */
  async idle(): Promise<void> {
    await this.#last;
  }

  /** A commit whose answer was lost has happened if the mark stands at its head; else it is done again. */
  async #settle(): Promise<void> {
    const unconfirmed = this.#unconfirmed;
    if (unconfirmed === undefined) return;
    const mark = await this.#reach(() => readMark(this.#deps.database));
    if (mark?.head.hash === unconfirmed.position.head.hash) this.#confirm(unconfirmed);
    else await this.#commit(unconfirmed);
  }

  /** The mark and the rest, in one transaction. */
  #work({ position }: Unconfirmed, rest: Commit): Commit {
    return async (sql) => {
      if (!(await advanceMark(sql, position)))
        throw new LedgerLostError("another signer has taken over, or the database was restored");
      await rest(sql);
    };
  }

  /** In the transaction that has begun; where that is gone, in one of its own. */
  async #finish(unconfirmed: Unconfirmed, begun: BegunCommit): Promise<void> {
    try {
      await begun.finish(this.#work(unconfirmed, begun.rest));
    } catch (error) {
      if (!(error instanceof LedgerLostError)) return this.#settle();
      this.#deps.onFatal(error);
      throw error;
    }
    this.#confirm(unconfirmed);
  }

  async #commit(unconfirmed: Unconfirmed): Promise<void> {
    const { database, onFatal } = this.#deps;
    try {
      await this.#reach(() => database.transaction(this.#work(unconfirmed, unconfirmed.commit)));
    } catch (error) {
      if (error instanceof LedgerLostError) onFatal(error);
      else if (!(error instanceof SignerUnavailableError)) this.#countRefusal(error);
      throw error;
    }
    this.#confirm(unconfirmed);
  }

  #countRefusal(error: unknown): void {
    this.#refusals++;
    this.#refusal = error instanceof Error ? error.message : String(error);
    if (this.#refusals === MOST_REFUSALS) {
      const refused = `the database refuses what the journal has: ${this.#refusal}`;
      this.#deps.onFatal(new Error(refused, { cause: error }));
    }
  }

  #confirm({ position }: Unconfirmed): void {
    this.#refusals = 0;
    this.#refusal = undefined;
    this.#changeSeq = position.changeSeq;
    this.#unconfirmed = undefined;
  }

  async #reach<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (!isUnavailable(error)) throw error;
      throw new SignerUnavailableError("the signer does not reach the database", { cause: error });
    }
  }
}
