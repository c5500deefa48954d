import type { Clock } from "../pki/clock.ts";
import type { Database } from "../storage/database.ts";
import type { Log } from "./log.ts";
import type { LookUp } from "./responder.ts";
import { SerialQuestions } from "./serial-questions.ts";
import { StatusIndex } from "./status-index.ts";
import {
  readAll,
  readChanges,
  readDigests,
  readIssued,
  readSerials,
  type Reached,
  readWatermark,
  sameDigests,
} from "./status-rows.ts";
import { readSnapshot, writeSnapshot } from "./status-snapshot.ts";
import { Turns } from "./turns.ts";

export interface StatusFeedDeps {
  /** As suido_va. */
  readonly database: Pick<Database, "query" | "transaction">;
  /** Where there is none, a start needs the database. */
  readonly snapshotFile?: string;
  /** Whether this process writes the snapshot too; others of the same VA only begin with it. */
  readonly keeps: boolean;
  readonly clock: Clock;
  readonly log: Log;
}

/** Keeps an index true. */
export interface StatusFeed {
  readonly index: StatusIndex;
  /** When the index last had everything that the database had, in milliseconds since 1970. */
  known(): number | undefined;
  /** Asks the database about serials that are not in memory, waiting a quarter of a second at most. */
  readonly lookUp: LookUp;
  /** Looks now: something was announced. */
  poll(): void;
  /** Compares count and XOR with the database, and reads everything again where they differ. */
  compare(): Promise<"same" | "different">;
  /** Writes the snapshot now, where this is who does. */
  save(): Promise<void>;
  /** Stops, and writes the snapshot. */
  close(): Promise<void>;
}

const COMPARE_MS = 5 * 60 * 1000;

/** How much younger than its last snapshot a VA's knowledge may be after a restart without the database. */
const SNAPSHOT_MS = 2 * 60 * 1000;

const lower = (a: string, b: string): string => (BigInt(a) < BigInt(b) ? a : b);
const higher = (a: string, b: string): string => (BigInt(a) > BigInt(b) ? a : b);

/** Starts from the snapshot, if there is one, and otherwise from the database, if it is there; then follows it. */
export async function startStatusFeed(deps: StatusFeedDeps): Promise<StatusFeed> {
  const { snapshotFile } = deps;
  const snapshot = snapshotFile === undefined ? undefined : await readSnapshot(snapshotFile);
  const feed = new Feed(deps, snapshot?.index ?? new StatusIndex());
  if (snapshot !== undefined) feed.resume(snapshot.reached, snapshot.known);
  await feed.start();
  return feed;
}

class Feed implements StatusFeed {
  readonly index: StatusIndex;
  readonly #deps: StatusFeedDeps;
  readonly #questions: SerialQuestions;
  /** Comparisons take turns too: both read the watermark and move it. */
  readonly #turns: Turns;
  #reached: Reached | undefined;
  /** Where the changes stood when everything was to be read for the first time. */
  #firstSeen: string | undefined;
  #known: number | undefined;
  #saved: number | undefined;
  #comparedAt: number | undefined;
  #saving: Promise<void> = Promise.resolve();

  constructor(deps: StatusFeedDeps, index: StatusIndex) {
    this.#deps = deps;
    this.index = index;
    const { database, log } = deps;
    this.#questions = new SerialQuestions((serials) => readSerials(database, index, serials));
    this.#turns = new Turns({
      turn: () => this.#catchUp(),
      after: ({ isAway }) => this.#maintain(isAway),
      onAway: (error) => log.warn({ err: error }, "the database is away: OCSP goes on from memory"),
      onBack: () => log.info("the database is back: the status is known again"),
    });
  }

  readonly lookUp: LookUp = (serials) => this.#questions.ask(serials);

  known(): number | undefined {
    return this.#known;
  }

  resume(reached: Reached, known: number): void {
    this.#reached = reached;
    this.#known = known;
    this.#saved = known;
  }

  start(): Promise<void> {
    return this.#turns.start();
  }

  poll(): void {
    this.#turns.poll();
  }

  compare(): Promise<"same" | "different"> {
    return this.#turns.inTurn(() => this.#compare());
  }

  save(): Promise<void> {
    this.#saving = this.#saving.catch(() => undefined).then(() => this.#save());
    return this.#saving;
  }

  async #save(): Promise<void> {
    const known = this.#known;
    const reached = this.#reached;
    const { keeps, snapshotFile } = this.#deps;
    if (!keeps || snapshotFile === undefined || reached === undefined) return;
    if (known === undefined || known === this.#saved) return;
    this.#saved = known;
    await writeSnapshot(snapshotFile, { index: this.index, reached, known });
  }

  async close(): Promise<void> {
    await this.#turns.close();
    await this.save();
  }

  async #catchUp(): Promise<void> {
    const now = this.#deps.clock().getTime();
    if (this.#reached === undefined) await this.#load();
    else if (!(await this.#follow(this.#reached))) {
      this.#deps.log.warn("the database is older than what is known: it was restored");
      await this.#load();
    }
    // Not the later of two: a clock that had run ahead would make what it says look younger than it is.
    this.#known = now;
    this.#comparedAt ??= now;
  }

  /**
   * Reads everything. Nothing that is known is forgotten, what is revoked stays so, and what is on hold stays so until a
   * release is seen that is no older than the hold.
   */
  async #load(): Promise<void> {
    const { database } = this.#deps;
    const { seq, horizon } = await readWatermark(database);
    // Before the first row is read: a reading that breaks off may have brought a hold already.
    const seen = this.#reached?.seen ?? (this.#firstSeen ??= seq);
    await readAll(database, this.index);
    // The releases that were not seen yet are among the changes, not among the rows.
    this.#reached = { seq: lower(seq, seen), horizon, seen };
    await this.#follow(this.#reached);
  }

  /** False where the database's numbers are lower than those that were reached. */
  async #follow(from: Reached): Promise<boolean> {
    const { database } = this.#deps;
    const reached = await readChanges(database, this.index, from);
    const stands = await readIssued(database, this.index, from.horizon);
    if (BigInt(stands.horizon) < BigInt(from.horizon) || BigInt(stands.seq) < BigInt(reached)) {
      return false;
    }
    this.#reached = { seq: reached, horizon: stands.horizon, seen: higher(from.seen, reached) };
    return true;
  }

  async #compare(): Promise<"same" | "different"> {
    const { clock, database, log } = this.#deps;
    this.#comparedAt = clock().getTime();
    const reached = this.#reached ?? { seq: "0", horizon: "0", seen: "0" };
    const options = { isolation: "repeatable read", readOnly: true } as const;
    const same = await database.transaction(async (sql) => {
      // After these two the index has what the snapshot of this transaction has. Only the answer to a question may bring
      // in something later; then nothing was compared, and the next time will do.
      const before = this.#questions.answered;
      await readChanges(sql, this.index, reached);
      await readIssued(sql, this.index, reached.horizon);
      const ours = new Map(this.index.digests());
      const theirs = await readDigests(sql);
      return this.#questions.answered !== before || sameDigests(ours, theirs);
    }, options);
    if (same) return "same";
    log.error("the status in memory differs from the database: everything is read again");
    await this.#load();
    return "different";
  }

  async #maintain(isAway: boolean): Promise<void> {
    const { clock, log } = this.#deps;
    const now = clock().getTime();
    try {
      if (!isAway && now - (this.#comparedAt ?? now) >= COMPARE_MS) await this.compare();
      if (now - (this.#saved ?? 0) >= SNAPSHOT_MS) await this.save();
    } catch (error) {
      log.warn({ err: error }, "the status could not be compared or saved");
    }
  }
}
