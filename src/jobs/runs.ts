import { UnrecoverableError } from "bullmq";
import type { Logger } from "pino";
import { isRefusal, QuarantineError, SignerUnavailableError } from "../ca/errors.ts";
import type { Clock } from "../pki/clock.ts";
import { type JobName, JOB_NAMES, SCHEDULE } from "./schedule.ts";

/** Does what is due. It stops early, between two pieces of work, when the signal says so. */
export type Work = (signal: AbortSignal) => Promise<unknown>;

export interface RunsDeps {
  readonly work: Readonly<Record<JobName, Work>>;
  readonly clock: Clock;
  readonly log: Pick<Logger, "warn">;
}

/** What became of a job in this process. */
interface State {
  running: Promise<void> | undefined;
  endedAt: number | undefined;
  succeededAt: Date | undefined;
  failures: number;
  isFailing: boolean;
}

/** Runs jobs, each at most once at a time in this process, and remembers how it went. */
export interface Runs {
  /** Rejects as the work did: with UnrecoverableError when the queue should not try it again. Joins a run under way. */
  run(name: JobName): Promise<void>;
  /** Whether the queue has left the job lying too long. */
  isOverdue(name: JobName): boolean;
  failing(): readonly JobName[];
  state(name: JobName): Readonly<Pick<State, "succeededAt" | "failures">>;
  /** Tells running work to stop early. */
  stop(): void;
  idle(): Promise<void>;
}

function freshState(): State {
  return {
    running: undefined,
    endedAt: undefined,
    succeededAt: undefined,
    failures: 0,
    isFailing: false,
  };
}

export function createRuns({ work, clock, log }: RunsDeps): Runs {
  const stopping = new AbortController();
  const states = Object.fromEntries(JOB_NAMES.map((name) => [name, freshState()])) as Record<
    JobName,
    State
  >;

  const perform = async (name: JobName, state: State): Promise<void> => {
    try {
      await work[name](stopping.signal);
      state.succeededAt = clock();
      state.isFailing = false;
    } catch (error) {
      state.failures += 1;
      if (!state.isFailing) log.warn({ err: error, job: name }, "a job failed");
      state.isFailing = true;
      throw verdictOf(error);
    } finally {
      state.endedAt = clock().getTime();
    }
  };

  return {
    run: (name) => {
      const state = states[name];
      // Cleared from outside: work that throws before its first wait has ended before there is anything to clear.
      state.running ??= perform(name, state).finally(() => {
        state.running = undefined;
      });
      return state.running;
    },
    isOverdue: (name) => {
      const { running, endedAt } = states[name];
      if (running !== undefined) return false;
      return endedAt === undefined || clock().getTime() - endedAt >= SCHEDULE[name].sweptAfter;
    },
    failing: () => JOB_NAMES.filter((name) => states[name].isFailing),
    state: (name) => states[name],
    stop: () => stopping.abort(),
    idle: async () => {
      const running = JOB_NAMES.map((name) => states[name].running ?? Promise.resolve());
      await Promise.allSettled(running);
    },
  };
}

/** A domain error will not mend itself within a minute; a signer that is away, a network or a database may. */
function verdictOf(error: unknown): unknown {
  const mayMend = error instanceof SignerUnavailableError || error instanceof QuarantineError;
  return isRefusal(error) && !mayMend ? new UnrecoverableError(error.message) : error;
}
