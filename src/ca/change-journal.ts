import { serialFromInteger } from "../pki/serial.ts";
import type { Database } from "../storage/database.ts";
import type { Sql } from "../storage/sql.ts";
import type { ChangeEntry } from "./journal-record.ts";
import type { Ledger } from "./ledger.ts";

/** One fsync serves so many changes. */
const BATCH = 1000;

interface ChangeRow {
  readonly seq: string;
  readonly kind: ChangeEntry["change"];
  readonly serial: Buffer | null;
  readonly reason: number | null;
  readonly at: Date;
  readonly subject: string | null;
}

function changeEntry({ seq, kind, serial, reason, at, subject }: ChangeRow): ChangeEntry {
  return {
    kind: "change",
    change: kind,
    changeSeq: seq,
    changedAt: at.toISOString(),
    ...(serial !== null && { serial: serialFromInteger(serial) }),
    ...(reason !== null && { reason }),
    ...(subject !== null && { subject }),
  };
}

/**
 * Changes after a number, in the order of their commits: who holds one has missed none before it. A batch, or all of them up
 * to a number.
 */
export async function changesAfter(
  sql: Sql,
  seq: bigint,
  { upTo }: { upTo?: bigint } = {},
): Promise<readonly ChangeEntry[]> {
  const rows = await sql.query<ChangeRow>(
    `select seq, kind, serial, reason, at, subject from ca.change
     where seq > $1 and ($2::bigint is null or seq <= $2) order by seq limit $3`,
    [String(seq), upTo === undefined ? null : String(upTo), upTo === undefined ? BATCH : null],
    "changes-after",
  );
  return rows.map(changeEntry);
}

/** Brings changes of status from the database, where they hold at once, into the journal. */
export class ChangeJournal {
  readonly #database: Database;
  readonly #ledger: Ledger;
  #running: Promise<void> | undefined;

  constructor(database: Database, ledger: Ledger) {
    this.#database = database;
    this.#ledger = ledger;
  }

  /** Resolves when every change up to this number is on the disk. */
  async upTo(changeSeq: bigint): Promise<void> {
    while (this.#ledger.changeSeq < changeSeq) {
      // Whoever comes while a round runs may have come too late for it, so a further round follows.
      await this.catchUp();
      if (this.#ledger.changeSeq < changeSeq) await this.#assertExists(changeSeq);
    }
  }

  /** Writes down what there is. Callers that meet share a round. */
  catchUp(): Promise<void> {
    this.#running ??= this.#round().finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  /** How many changes the journal does not have yet. */
  async lag(): Promise<number> {
    const [row] = await this.#database.query<{ lag: number }>(
      "select count(*)::integer as lag from ca.change where seq > $1",
      [String(this.#ledger.changeSeq)],
    );
    return row?.lag ?? 0;
  }

  async #round(): Promise<void> {
    for (let wrote = BATCH; wrote === BATCH;)
      wrote = await this.#ledger.turn(() => this.#writeBatch());
  }

  async #writeBatch(): Promise<number> {
    const changes = await changesAfter(this.#database, this.#ledger.changeSeq);
    const last = changes.at(-1);
    if (last === undefined) return 0;
    await this.#ledger.write(changes, () => Promise.resolve(), {
      changeSeq: BigInt(last.changeSeq),
    });
    return changes.length;
  }

  /** A number that nobody has drawn would be waited for without end. */
  async #assertExists(changeSeq: bigint): Promise<void> {
    const rows = await this.#database.query("select 1 from ca.change where seq >= $1 limit 1", [
      String(changeSeq),
    ]);
    if (rows.length === 0) throw new RangeError(`there is no change ${changeSeq}`);
  }
}
