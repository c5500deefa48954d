import type { Database } from "../storage/database.ts";
import type { Sql } from "../storage/sql.ts";
import type { BegunCommit, Commit } from "./ledger.ts";

/** How long rows that nobody sees yet may wait in their transaction: longer ones hold up what waits for all before them. */
const PATIENCE_MS = 8_000;

/** Nobody wants the rows: the transaction ends as if it had never been. */
class NotWantedError extends Error {
  override readonly name = "NotWantedError";
}

interface StagingDeps {
  readonly database: Pick<Database, "transaction">;
  /** Writes what nobody sees before the commit. */
  readonly write: Commit;
  /** Makes it seen. */
  readonly rest: Commit;
}

/**
 * A transaction that has begun to write before it is known whether it will commit: the megabytes of long lists go into the
 * database while somebody checks them. It leaves nothing unless it is finished.
 */
export class Staging implements BegunCommit {
  readonly rest: Commit;
  readonly #word = Promise.withResolvers<Commit | undefined>();
  readonly #ended: Promise<void>;
  readonly #timer: NodeJS.Timeout;

  constructor({ database, write, rest }: StagingDeps) {
    this.rest = rest;
    this.#ended = database.transaction(async (sql: Sql) => {
      await write(sql);
      const work = await this.#word.promise;
      if (work === undefined) throw new NotWantedError();
      await work(sql);
    });
    // Whoever finishes it is told; a staging that is dropped fails by intent.
    this.#ended.catch(() => undefined);
    this.#timer = setTimeout(() => this.drop(), PATIENCE_MS);
  }

  /** Does the rest and commits. Rejects where that is not possible any more: then nothing is done. */
  finish(work: Commit): Promise<void> {
    clearTimeout(this.#timer);
    this.#word.resolve(work);
    return this.#ended;
  }

  drop(): void {
    clearTimeout(this.#timer);
    this.#word.resolve(undefined);
  }
}
