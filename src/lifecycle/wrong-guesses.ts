import type { Logger } from "pino";
import { Counter, type Registry } from "prom-client";

import { record } from "../audit/record.ts";
import type { Clock } from "../pki/clock.ts";
import type { NewId } from "../pki/uuid.ts";
import type { Database } from "../storage/database.ts";
import type { LinkKind } from "./enrolment-links.ts";

/** What somebody had in hand that nobody has given out: a link, a code, a renewal's token, a script's secret, or a browser's session. */
export const GUESS_KINDS = ["link", "code", "renewal", "script", "session"] as const;
export type GuessKind = LinkKind | "session";

/** Counts what was wrong, and puts it on record without a row for each. */
export interface WrongGuesses {
  /** Whether so many codes were wrong lately that codes are looked at no more for a while. */
  isSpent(): boolean;
  /** One was wrong. What it was is kept nowhere. */
  note(kind: GuessKind): Promise<void>;
  /** Once a minute: a line of the log, where there is something to say, and what an hour that is over came to. */
  settle(): Promise<void>;
  /** Records at once what is left. */
  close(): Promise<void>;
  /** Since the start of the process. */
  total(kind: GuessKind): number;
}

export interface WrongGuessesDeps {
  /** As suido_app. */
  readonly database: Database;
  readonly clock: Clock;
  readonly newId: NewId;
  readonly log: Pick<Logger, "warn">;
}

/**
 * So many wrong ones in so long, of all callers together, in one process. With 200,000 codes given out, somebody who guesses
 * all the time finds one in half a year, and it opens nothing but the question who they are.
 */
const MOST_WRONG = 200;
const WINDOW_MS = 10 * 60_000;
const HOUR_MS = 3_600_000;

/** What one kind has come to in the hour that begins at `since`. */
interface Hour {
  readonly since: number;
  count: number;
  recorded: number;
}

const isPowerOfTen = (count: number): boolean => /^10*$/.test(String(count));

class CountedGuesses implements WrongGuesses {
  readonly #deps: WrongGuessesDeps;
  readonly #hours = new Map<GuessKind, Hour>();
  readonly #totals = new Map<GuessKind, number>();
  /** Since the last line of the log. */
  readonly #unsaid = new Map<GuessKind, number>();
  #window = Number.NaN;
  #wrong = 0;

  constructor(deps: WrongGuessesDeps) {
    this.#deps = deps;
  }

  isSpent(): boolean {
    this.#turn();
    return this.#wrong >= MOST_WRONG;
  }

  async note(kind: GuessKind): Promise<void> {
    this.#turn();
    // Nobody finds 128 bits: only what is short uses up what others may try.
    if (kind === "code") this.#wrong += 1;
    for (const counts of [this.#totals, this.#unsaid])
      counts.set(kind, (counts.get(kind) ?? 0) + 1);
    const since = Math.floor(this.#deps.clock().getTime() / HOUR_MS) * HOUR_MS;
    const before = this.#hours.get(kind);
    const hour = before?.since === since ? before : { since, count: 0, recorded: 0 };
    this.#hours.set(kind, hour);
    hour.count += 1;
    if (before !== undefined && before !== hour) await this.#record(kind, before);
    if (isPowerOfTen(hour.count)) await this.#record(kind, hour);
  }

  async settle(): Promise<void> {
    if (this.#unsaid.size > 0)
      this.#deps.log.warn(
        { guesses: Object.fromEntries(this.#unsaid) },
        "links, codes or sessions were tried that nobody has given out",
      );
    this.#unsaid.clear();
    const now = this.#deps.clock().getTime();
    for (const [kind, hour] of this.#hours)
      if (hour.since + HOUR_MS <= now) await this.#record(kind, hour);
  }

  async close(): Promise<void> {
    await this.settle();
    for (const [kind, hour] of this.#hours) await this.#record(kind, hour);
  }

  total(kind: GuessKind): number {
    return this.#totals.get(kind) ?? 0;
  }

  #turn(): void {
    const window = Math.floor(this.#deps.clock().getTime() / WINDOW_MS);
    if (window === this.#window) return;
    this.#window = window;
    this.#wrong = 0;
  }

  async #record(kind: GuessKind, hour: Hour): Promise<void> {
    const { count, since } = hour;
    if (hour.recorded === count) return;
    const before = hour.recorded;
    // Before the wait: whoever comes meanwhile records what comes after.
    hour.recorded = count;
    const { database, clock, newId } = this.#deps;
    const [actor, action, subject] = ["portal", "guesses.wrong", `guesses/${kind}`] as const;
    const detail = { count, since: new Date(since).toISOString() };
    try {
      await database.transaction((sql) =>
        record(sql, { at: clock(), actor, action, subject, detail }, newId),
      );
    } catch (error) {
      hour.recorded = before;
      throw error;
    }
  }
}

/**
 * Counts wrong guesses, in this process. On record are the first of each kind in an hour, each power of ten, and what the
 * hour came to: of 100,000 in an hour six rows, each with the count so far, and never what was guessed or by which address.
 */
export function createWrongGuesses(deps: WrongGuessesDeps): WrongGuesses {
  return new CountedGuesses(deps);
}

/** Shows how many there were. */
export function registerGuessMetrics(
  registry: Registry,
  guesses: Pick<WrongGuesses, "total">,
): void {
  const wrong = new Counter({
    name: "suido_wrong_guesses_total",
    help: "Links, codes, renewal tokens, scripts' secrets and sessions that nobody has given out",
    labelNames: ["kind"],
    registers: [registry],
    collect() {
      wrong.reset();
      for (const kind of GUESS_KINDS) wrong.inc({ kind }, guesses.total(kind));
    },
  });
}
