import { setTimeout as sleep } from "node:timers/promises";

import { latin1 } from "./latin1.ts";

/** A client that waits longer has given up; the database answers in a millisecond or not at all. */
const WAIT_MS = 250;

/** Serials that one statement asks about. */
const BATCH = 256;

/** More questions than this are somebody's guesses, and the next one is not even asked. */
const MOST_WAITING = 4_096;

/** Reads what the database has of these serials into memory. */
type ReadSerials = (serials: readonly Uint8Array[]) => Promise<void>;

interface Question {
  readonly serial: Uint8Array;
  readonly answered: Promise<void>;
  readonly resolve: () => void;
}

/**
 * Questions about serials that are not in memory, because they were issued a moment ago or never: those that come while
 * one statement is under way go together into the next, and the same serial is asked about once.
 */
export class SerialQuestions {
  readonly #read: ReadSerials;
  readonly #waiting = new Map<string, Question>();
  #busy = false;
  #answered = 0;

  constructor(read: ReadSerials) {
    this.#read = read;
  }

  /** How many statements have been answered. */
  get answered(): number {
    return this.#answered;
  }

  /** Settles when memory has what the database has of these serials, or after a quarter of a second. */
  async ask(serials: readonly Uint8Array[]): Promise<"done" | "busy"> {
    if (this.#waiting.size >= MOST_WAITING) return "busy";
    const answers = serials.map((serial) => this.#question(serial).answered);
    if (!this.#busy) void this.#work();
    const timer = new AbortController();
    await Promise.race([
      Promise.all(answers),
      sleep(WAIT_MS, undefined, { signal: timer.signal }).catch(() => undefined),
    ]);
    timer.abort();
    return "done";
  }

  #question(serial: Uint8Array): Question {
    const key = latin1(serial);
    // A statement that is under way may have begun before the certificate was issued: it does not count.
    const known = this.#waiting.get(key);
    if (known !== undefined) return known;
    const { promise, resolve } = Promise.withResolvers<void>();
    const question = { serial: serial.slice(), answered: promise, resolve };
    this.#waiting.set(key, question);
    return question;
  }

  async #work(): Promise<void> {
    this.#busy = true;
    // What comes in the same turn of the event loop goes into the first statement too.
    await Promise.resolve();
    while (this.#waiting.size > 0) {
      const batch = [...this.#waiting].slice(0, BATCH);
      for (const [key] of batch) this.#waiting.delete(key);
      const serials = batch.map(([, { serial }]) => serial);
      try {
        await this.#read(serials);
        this.#answered++;
      } catch {
        // The database is away, which the feed reports: what was known when it was last there is the answer.
      }
      for (const [, { resolve }] of batch) resolve();
    }
    this.#busy = false;
  }
}
