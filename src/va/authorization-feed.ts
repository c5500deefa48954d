import type { Clock } from "../pki/clock.ts";
import type { Database } from "../storage/database.ts";
import { AuthorizationIndex } from "./authorization-index.ts";
import {
  readAllFacts,
  readChangedFacts,
  readFactDigests,
  readFactsOf,
  readHorizon,
} from "./authorization-rows.ts";
import type { Log } from "./log.ts";
import type { LookUp } from "./responder.ts";
import { SerialQuestions } from "./serial-questions.ts";
import { sameDigests } from "./status-rows.ts";
import { Turns } from "./turns.ts";

export interface AuthorizationFeedDeps {
  /** As suido_va. */
  readonly database: Pick<Database, "query" | "transaction">;
  readonly clock: Clock;
  readonly log: Log;
}

/** Keeps true who stands behind each certificate. */
export interface AuthorizationFeed {
  readonly index: AuthorizationIndex;
  /** When the index last had everything that the database had, in milliseconds since 1970. */
  known(): number | undefined;
  /** Asks the database about serials that memory does not know for certain, waiting a quarter of a second at most. */
  readonly lookUp: LookUp;
  /** Compares count and XOR with the database, and reads everything again where they differ. */
  compare(): Promise<"same" | "different">;
  close(): Promise<void>;
}

const COMPARE_MS = 5 * 60 * 1000;

/** Reads everything, if the database is there, and then follows it. */
export async function startAuthorizationFeed(
  deps: AuthorizationFeedDeps,
): Promise<AuthorizationFeed> {
  const feed = new Feed(deps);
  await feed.start();
  return feed;
}

class Feed implements AuthorizationFeed {
  readonly index = new AuthorizationIndex();
  readonly #deps: AuthorizationFeedDeps;
  readonly #questions: SerialQuestions;
  readonly #turns: Turns;
  /** Every transaction below it had ended when the index was true last: PostgreSQL's own number, kept as text. */
  #horizon: string | undefined;
  #known: number | undefined;
  #comparedAt: number | undefined;

  constructor(deps: AuthorizationFeedDeps) {
    const { database, log } = deps;
    this.#deps = deps;
    this.#turns = new Turns({
      turn: () => this.#catchUp(),
      after: ({ isAway }) => this.#maintain(isAway),
      onAway: (error) =>
        log.warn({ err: error }, "the database is away: proxies are answered from memory"),
      onBack: () => log.info("the database is back: it is known again who stands behind what"),
    });
    // In turn: an answer that was read before a change must not be taken over after it.
    this.#questions = new SerialQuestions((serials) =>
      this.#turns.inTurn(() => readFactsOf(database, this.index, serials)),
    );
  }

  readonly lookUp: LookUp = (serials) => this.#questions.ask(serials);

  start(): Promise<void> {
    return this.#turns.start();
  }

  known(): number | undefined {
    return this.#known;
  }

  compare(): Promise<"same" | "different"> {
    return this.#turns.inTurn(() => this.#compare());
  }

  close(): Promise<void> {
    return this.#turns.close();
  }

  async #catchUp(): Promise<void> {
    const now = this.#deps.clock().getTime();
    if (this.#horizon === undefined) await this.#load();
    else if (!(await this.#follow(this.#horizon))) {
      this.#deps.log.warn("the database is older than what is known: everything is read again");
      await this.#load();
    }
    this.#known = now;
    this.#comparedAt ??= now;
  }

  async #load(): Promise<void> {
    const { database } = this.#deps;
    const horizon = await readHorizon(database);
    await readAllFacts(database, this.index);
    this.#horizon = horizon;
    await this.#follow(horizon);
  }

  /** False where the database's transactions have lower numbers than those that were seen. */
  async #follow(from: string): Promise<boolean> {
    const horizon = await readChangedFacts(this.#deps.database, this.index, from);
    if (BigInt(horizon) < BigInt(from)) return false;
    this.#horizon = horizon;
    return true;
  }

  async #compare(): Promise<"same" | "different"> {
    const { clock, database, log } = this.#deps;
    this.#comparedAt = clock().getTime();
    const options = { isolation: "repeatable read", readOnly: true } as const;
    const same = await database.transaction(async (sql) => {
      // After this the index has what the snapshot of this transaction has, and what is later takes its turn.
      await readChangedFacts(sql, this.index, this.#horizon ?? "0");
      return sameDigests(this.index.digests(), await readFactDigests(sql));
    }, options);
    if (same) return "same";
    log.error("who stands behind the certificates differs from the database: all is read again");
    await this.#load();
    return "different";
  }

  async #maintain(isAway: boolean): Promise<void> {
    const { clock, log } = this.#deps;
    const now = clock().getTime();
    try {
      if (!isAway && now - (this.#comparedAt ?? now) >= COMPARE_MS) await this.compare();
    } catch (error) {
      log.warn({ err: error }, "who stands behind the certificates could not be compared");
    }
  }
}
