import { setTimeout as sleep } from "node:timers/promises";

export interface TurnsOptions {
  /** What is done each time. A rejection means that the database is away. */
  readonly turn: () => Promise<void>;
  /** After each turn, whether it went well or not; it must not reject. */
  readonly after?: (state: { readonly isAway: boolean }) => Promise<void>;
  /** Called once when turns begin to fail, and once when they succeed again. */
  readonly onAway: (error: unknown) => void;
  readonly onBack: () => void;
}

/** Announcements save most of this waiting; what is not announced at all waits it. */
const POLL_MS = 250;

/** While the database is away. */
const RETRY_MS = 1_000;

/** Does the same work again and again, never twice at once: what follows the database in memory is built on it. */
export class Turns {
  readonly #options: TurnsOptions;
  readonly #stop = new AbortController();
  #away = false;
  #wake: (() => void) | undefined;
  #awake = false;
  #loop: Promise<void> = Promise.resolve();
  #last: Promise<unknown> = Promise.resolve();

  constructor(options: TurnsOptions) {
    this.#options = options;
  }

  /** Settles after the first turn, whatever became of it; the others follow by themselves. */
  async start(): Promise<void> {
    await this.#turn();
    this.#loop = this.#run();
  }

  /** Takes a turn now: something was announced. */
  poll(): void {
    this.#awake = true;
    this.#wake?.();
  }

  /** Does other work that must not run beside a turn. */
  inTurn<T>(work: () => Promise<T>): Promise<T> {
    const next = this.#last.then(work, work);
    this.#last = next.catch(() => undefined);
    return next;
  }

  /** Settles when nothing is under way any more. */
  async close(): Promise<void> {
    this.#stop.abort();
    this.#wake?.();
    await this.#loop;
    await this.#last;
  }

  async #run(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      await this.#pause(this.#away ? RETRY_MS : POLL_MS);
      if (this.#stop.signal.aborted) return;
      await this.#turn();
      await this.#options.after?.({ isAway: this.#away });
    }
  }

  /** Until the time is over or somebody wakes us. */
  async #pause(ms: number): Promise<void> {
    if (!this.#awake) {
      const timer = new AbortController();
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
        void sleep(ms, undefined, { signal: timer.signal }).then(resolve, resolve);
      });
      timer.abort();
      this.#wake = undefined;
    }
    this.#awake = false;
  }

  /** A failure is reported once, and tried again for ever. */
  async #turn(): Promise<void> {
    try {
      await this.inTurn(this.#options.turn);
      if (this.#away) this.#options.onBack();
      this.#away = false;
    } catch (error) {
      if (!this.#away) this.#options.onAway(error);
      this.#away = true;
    }
  }
}
