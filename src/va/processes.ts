import { type ChildProcess, fork } from "node:child_process";

import { VaProcessError } from "./errors.ts";
import type { Log } from "./log.ts";
import { newOcspCounts, sumOfCounts } from "./ocsp-counts.ts";
import type {
  FromVaProcess,
  ToVaProcess,
  VaProcessSettings,
  VaQuestion,
} from "./process-message.ts";
import type { ProcessState, VaStatus } from "./va-status.ts";

export interface VaProcessesOptions {
  /** The module that each of them runs. */
  readonly entry: URL;
  /** What they are told, each with its number. */
  readonly settings: readonly VaProcessSettings[];
  /** What they ask this process for. */
  readonly answer: (question: VaQuestion) => Promise<unknown>;
  /** Before one is started again: it begins with what is on disk then. */
  readonly beforeRestart: () => Promise<void>;
  readonly log: Log;
}

/** The further processes that answer on the VA's port. */
export interface VaProcesses {
  states(): readonly ProcessState[];
  /** Lets each answer what it is asked already, and ends them. */
  close(): Promise<void>;
}

/** The waits before one that died is started again. */
const FIRST_WAIT_MS = 200;
const LONGEST_WAIT_MS = 10_000;

/** One that has lived so long was healthy: after its death the shortest wait comes first again. */
const HEALTHY_MS = 60_000;

/** One that says nothing for so long does not answer others either. */
const SILENT_MS = 5_000;

/** Connections that are to end may take so long (`http/drain.ts`); then one is killed. */
const STOP_TIMEOUT_MS = 20_000;

/** Starts them all, and keeps them running until they are closed. Rejects when one cannot start. */
export async function startVaProcesses(options: VaProcessesOptions): Promise<VaProcesses> {
  const all = options.settings.map((settings) => new VaProcess(options, settings));
  const close = async (): Promise<void> => {
    await Promise.all(all.map((one) => one.close()));
  };
  try {
    await Promise.all(all.map((one) => one.start()));
  } catch (error) {
    await close();
    throw error;
  }
  return { states: () => all.map((one) => one.state()), close };
}

class VaProcess {
  readonly #options: VaProcessesOptions;
  readonly #settings: VaProcessSettings;
  #child: ChildProcess | undefined;
  #status: VaStatus | undefined;
  #heardAt = 0;
  #answeredBefore = newOcspCounts();
  #wait = FIRST_WAIT_MS;
  #restart: NodeJS.Timeout | undefined;
  #isListening = false;
  #isClosed = false;

  constructor(options: VaProcessesOptions, settings: VaProcessSettings) {
    this.#options = options;
    this.#settings = settings;
  }

  /** Resolves when it listens. */
  start(): Promise<void> {
    const child = fork(this.#options.entry, [], { serialization: "advanced" });
    const from = performance.now();
    this.#child = child;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    child.on("message", (message: FromVaProcess) => {
      if (message.kind === "question") void this.#answer(child, message);
      else if (message.kind === "status") this.#hear(message.status);
      else if (message.kind === "failed") reject(new VaProcessError(message.reason));
      else {
        this.#isListening = true;
        resolve();
      }
    });
    child.on("error", (error) => this.#options.log.warn({ err: error }, "a process of the VA"));
    child.once("exit", (code, signal) => {
      reject(new VaProcessError(`it ended with ${code ?? signal} before it listened`));
      if (performance.now() - from >= HEALTHY_MS) this.#wait = FIRST_WAIT_MS;
      this.#lose(String(code ?? signal));
    });
    tell(child, { kind: "start", settings: this.#settings });
    return promise;
  }

  state(): ProcessState {
    const { number } = this.#settings;
    return {
      number,
      status: this.#status,
      fault: this.#fault(),
      answeredBefore: this.#answeredBefore,
    };
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#restart);
    const child = this.#child;
    if (child === undefined) return;
    const gone = new Promise<void>((resolve) => child.once("exit", () => resolve()));
    tell(child, { kind: "stop" });
    const timer = setTimeout(() => child.kill("SIGKILL"), STOP_TIMEOUT_MS);
    await gone;
    clearTimeout(timer);
  }

  #fault(): string | undefined {
    if (!this.#isListening) return "it is starting";
    return performance.now() - this.#heardAt > SILENT_MS ? "it does not answer" : undefined;
  }

  #hear(status: VaStatus): void {
    this.#status = status;
    this.#heardAt = performance.now();
  }

  async #answer(
    child: ChildProcess,
    { id, question }: Extract<FromVaProcess, { kind: "question" }>,
  ): Promise<void> {
    try {
      tell(child, { kind: "answer", id, value: await this.#options.answer(question) });
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      tell(child, { kind: "refusal", id, reason });
    }
  }

  #lose(how: string): void {
    const wasListening = this.#isListening;
    const { number } = this.#settings;
    this.#child = undefined;
    this.#isListening = false;
    // Its counters would fall back to nothing, and rates over them would leap.
    const answers = this.#status?.answers ?? newOcspCounts();
    this.#answeredBefore = sumOfCounts([this.#answeredBefore, answers]);
    this.#status = undefined;
    // One that never listened is its starter's matter at the first start, and this one's at every later.
    if (this.#isClosed || (!wasListening && this.#restart === undefined)) return;
    const wait = this.#wait;
    this.#options.log.error(
      { number, how, waitMs: wait },
      "a process of the VA has ended, and is started again",
    );
    this.#restart = setTimeout(() => void this.#startAgain(), wait);
    this.#wait = Math.min(2 * wait, LONGEST_WAIT_MS);
  }

  async #startAgain(): Promise<void> {
    const { beforeRestart, log } = this.#options;
    await beforeRestart().catch((error: unknown) =>
      log.warn({ err: error }, "what is known could not be written before a start"),
    );
    if (this.#isClosed) return;
    // How it ends is heard at its exit, which starts the next one.
    await this.start().catch((error: unknown) =>
      log.warn({ err: error, number: this.#settings.number }, "a process of the VA cannot start"),
    );
  }
}

/** A channel that closes meanwhile is told by the process's exit. */
function tell(child: ChildProcess, message: ToVaProcess): void {
  if (child.connected) child.send(message, () => undefined);
}
