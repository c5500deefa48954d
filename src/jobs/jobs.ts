import type { Logger } from "pino";
import type { Registry } from "prom-client";
import type { Clock } from "../pki/clock.ts";
import type { JobQueue, JobWorker, QueueBackend } from "./backend.ts";
import { registerJobMetrics } from "./metrics.ts";
import { createRuns, type Runs, type Work } from "./runs.ts";
import { JOB_NAMES, type JobName, SCHEDULE } from "./schedule.ts";

export interface JobsDeps {
  /** Closed together with the jobs. */
  readonly backend: QueueBackend;
  /** What each job does: one function of a room, which may be called twice, or on two machines at once. */
  readonly work: Readonly<Record<JobName, Work>>;
  /** The IANA zone of the hours in the schedule. */
  readonly timeZone: string;
  readonly metrics: Registry;
  readonly clock: Clock;
  readonly log: Pick<Logger, "info" | "warn" | "error">;
  /** How often the sweeper looks, in milliseconds; by default each minute. */
  readonly sweepMs?: number;
}

export interface JobsHealth {
  /** At work: started and not closed. Without its queue it goes on by sweeping. */
  readonly ready: boolean;
  readonly queue: "reachable" | "away";
  /** Jobs whose last run failed. */
  readonly failing: readonly JobName[];
  /** One sentence where something is not as it should be. */
  readonly detail?: string;
}

/** What Suido does by itself: a queue that brings jobs, and a sweeper that needs no queue. */
export interface Jobs {
  /** Begins at once; a queue that is away does not hold it up. */
  start(): void;
  /** Takes no more jobs, and waits for those that are running. */
  close(): Promise<void>;
  health(): Promise<JobsHealth>;
  /** Wakes a worker, soon. False when the queue is away: the sweeper will find what is due. */
  enqueue(name: JobName): Promise<boolean>;
}

const SWEEP_MS = 60_000;

/** A queue that does not answer in this time is away. */
const QUEUE_PATIENCE_MS = 2_000;

/** Nothing runs any more when the ends are closed: one that takes longer has no queue to say goodbye to. */
const CLOSE_PATIENCE_MS = 500;

/** So many jobs run at once in one process: a slow mail server must not keep the lists waiting. */
const CONCURRENCY = JOB_NAMES.length;

/** Only for errors that may mend: the hourly and daily jobs do not wait for their next turn. */
const RETRIES = { attempts: 4, backoff: { type: "exponential", delay: 5_000 } } as const;

const TEMPLATE = { ...RETRIES, removeOnComplete: true, removeOnFail: { count: 100 } } as const;

/** Puts the jobs together; nothing runs before `start`. */
export function createJobs(deps: JobsDeps): Jobs {
  return new QueuedJobs(deps);
}

class QueuedJobs implements Jobs {
  readonly #deps: JobsDeps;
  readonly #queue: JobQueue;
  readonly #runs: Runs;
  #worker: JobWorker | undefined;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(deps: JobsDeps) {
    this.#deps = deps;
    this.#queue = deps.backend.queue();
    this.#runs = createRuns(deps);
    registerJobMetrics(deps.metrics, { counts: () => this.#counts(), runs: this.#runs });
  }

  start(): void {
    const { backend, sweepMs = SWEEP_MS } = this.#deps;
    this.#worker = backend.worker((name) => this.#process(name), { concurrency: CONCURRENCY });
    this.#timer = setInterval(() => this.#sweep(), sweepMs);
    this.#sweep();
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearInterval(this.#timer);
    this.#runs.stop();
    // What runs is waited for, however long it takes; the ends of a queue that is away are not.
    await this.#runs.idle();
    await within(CLOSE_PATIENCE_MS, async () => {
      await this.#worker?.close();
      await this.#queue.close();
    });
    await this.#deps.backend.close();
  }

  async health(): Promise<JobsHealth> {
    const queue = (await this.#counts()) === undefined ? "away" : "reachable";
    const failing = this.#runs.failing();
    const faults = [
      ...(queue === "away" ? ["The queue does not answer; what is due is found each minute."] : []),
      ...(failing.length > 0 ? [`The last run failed of: ${failing.join(", ")}.`] : []),
    ];
    return {
      ready: this.#worker !== undefined && !this.#closed,
      queue,
      failing,
      ...(faults.length > 0 && { detail: faults.join(" ") }),
    };
  }

  async enqueue(name: JobName): Promise<boolean> {
    return (await this.#patiently(() => this.#queue.add(name, TEMPLATE))) !== undefined;
  }

  /** A name that another version of this program knew is nobody's work. */
  async #process(jobName: string): Promise<void> {
    const name = JOB_NAMES.find((known) => known === jobName);
    if (name !== undefined) await this.#runs.run(name);
  }

  /** Does what the queue has not brought, and puts the schedule back if the queue has lost it. */
  #sweep(): void {
    for (const name of JOB_NAMES) {
      if (this.#runs.isOverdue(name)) void this.#runs.run(name).catch(() => undefined);
    }
    void this.#patiently(() => this.#schedule());
  }

  async #schedule(): Promise<true> {
    for (const name of JOB_NAMES) {
      const { on } = SCHEDULE[name];
      const when = "every" in on ? on : { ...on, tz: this.#deps.timeZone };
      await this.#queue.repeat(name, when, TEMPLATE);
    }
    return true;
  }

  #counts(): Promise<Record<string, number> | undefined> {
    return this.#patiently(() => this.#queue.counts());
  }

  /** Undefined when the queue is away. */
  async #patiently<T>(ask: () => Promise<T>): Promise<T | undefined> {
    return this.#closed ? undefined : within(QUEUE_PATIENCE_MS, ask);
  }
}

/** Undefined when it fails or takes longer than that. */
async function within<T>(ms: number, ask: () => Promise<T>): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const patience = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), ms);
  });
  try {
    return await Promise.race([ask().catch(() => undefined), patience]);
  } finally {
    clearTimeout(timer);
  }
}
