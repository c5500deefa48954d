import type { Clock } from "../pki/clock.ts";
import type { Database } from "../storage/database.ts";
import { type Issuer, issuerOf, sameIssuers } from "./issuer.ts";
import { queryIssuers } from "./kept-issuers.ts";
import type { Log } from "./log.ts";
import { NO_PROXIES, type ProxyTables, readProxyChanges, readProxyTables } from "./proxy-tables.ts";
import { Turns } from "./turns.ts";

export interface ProxyFeedDeps {
  /** As suido_va. */
  readonly database: Pick<Database, "query" | "transaction">;
  readonly clock: Clock;
  readonly log: Log;
}

/** Keeps the small tables true: who may ask, how strictly certificates are demanded, and whose signatures count. */
export interface ProxyFeed {
  tables(): ProxyTables;
  issuers(): readonly Issuer[];
  /** When both were last as the database has them, in milliseconds since 1970. */
  known(): number | undefined;
  /** Looks now, once for all who ask meanwhile, and waits a quarter of a second at most. */
  refresh(): Promise<void>;
  close(): Promise<void>;
}

/** A client that waits longer has given up. */
const WAIT_MS = 250;

/** Reads the tables, if the database is there, and then follows them. */
export async function startProxyFeed(deps: ProxyFeedDeps): Promise<ProxyFeed> {
  const feed = new Feed(deps);
  await feed.start();
  return feed;
}

class Feed implements ProxyFeed {
  readonly #deps: ProxyFeedDeps;
  readonly #turns: Turns;
  #tables = NO_PROXIES;
  #issuers: readonly Issuer[] = [];
  #horizon: string | undefined;
  #known: number | undefined;
  #refreshing: Promise<void> | undefined;

  constructor(deps: ProxyFeedDeps) {
    const { log } = deps;
    this.#deps = deps;
    this.#turns = new Turns({
      turn: () => this.#catchUp(),
      onAway: (error) =>
        log.warn({ err: error }, "the database is away: proxies are known from memory"),
      onBack: () => log.info("the database is back: proxies and stages are followed again"),
    });
  }

  start(): Promise<void> {
    return this.#turns.start();
  }

  tables(): ProxyTables {
    return this.#tables;
  }

  issuers(): readonly Issuer[] {
    return this.#issuers;
  }

  known(): number | undefined {
    return this.#known;
  }

  async refresh(): Promise<void> {
    this.#refreshing ??= this.#turns
      .inTurn(() => this.#catchUp())
      .catch(() => undefined)
      .finally(() => (this.#refreshing = undefined));
    const late = AbortSignal.timeout(WAIT_MS);
    const { promise, resolve } = Promise.withResolvers<void>();
    late.addEventListener("abort", () => resolve());
    await Promise.race([this.#refreshing, promise]);
  }

  close(): Promise<void> {
    return this.#turns.close();
  }

  async #catchUp(): Promise<void> {
    const { clock, database } = this.#deps;
    const now = clock();
    const { changed, horizon } = await readProxyChanges(database, this.#horizon);
    // Numbers that have fallen are those of a database that was restored.
    const isRestored = BigInt(horizon) < BigInt(this.#horizon ?? horizon);
    if (changed || isRestored) {
      const options = { isolation: "repeatable read", readOnly: true } as const;
      this.#tables = await database.transaction((sql) => readProxyTables(sql, now), options);
    }
    this.#horizon = horizon;
    const issuers = await queryIssuers(database);
    // A database without any CA has lost them; what they have signed goes on being judged.
    if (issuers.length > 0 && !sameIssuers(issuers, this.#issuers))
      this.#issuers = issuers.map(issuerOf);
    this.#known = now.getTime();
  }
}
