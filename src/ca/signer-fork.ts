import { type ChildProcess, fork } from "node:child_process";
import type { Logger } from "pino";
import { SignerUnavailableError } from "./errors.ts";
import { type ListHandoff, takeOver } from "./list-handoff.ts";
import type { ChildMessage, ParentMessage } from "./signer-child.ts";
import { type SignerCall, SignerCalls, signerOver } from "./signer-calls.ts";
import type { SignerClient } from "./signer-client.ts";
import type { SignerSettings } from "./signer-process.ts";

/** How long work under way may take to end when the signer is told to stop. */
const STOP_TIMEOUT_MS = 10_000;

/** The waits before a signer that died is started again. */
const FIRST_WAIT_MS = 200;
const LONGEST_WAIT_MS = 10_000;

/** A signer that has lived so long was healthy: the next death waits the shortest time again. */
const HEALTHY_MS = 60_000;

export interface ForkOptions {
  /** The module that the child runs: it calls `serveParent`. */
  readonly entry: URL;
  readonly settings: SignerSettings;
  readonly log: Logger;
  /** What node itself is told, for example to strip types. */
  readonly execArgv?: readonly string[];
}

/** A signer in a process of its own. */
export interface ForkedSigner extends SignerClient {
  /** The child's process id, while there is one. */
  readonly pid: number | undefined;
}

/** Keeps one child alive and talks with it. While there is none, everything asked is refused at once. */
class Fork {
  readonly #options: ForkOptions;
  readonly #calls = new SignerCalls();
  #child: ChildProcess | undefined;
  #isReady = false;
  #isClosed = false;
  #wait = FIRST_WAIT_MS;
  #restart: NodeJS.Timeout | undefined;

  constructor(options: ForkOptions) {
    this.#options = options;
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** Resolves when the child works. Rejects with the child's sentence when it cannot start. */
  start(): Promise<void> {
    const { entry, settings, execArgv } = this.#options;
    const child = fork(entry, [], {
      serialization: "advanced",
      ...(execArgv && { execArgv: [...execArgv] }),
    });
    this.#child = child;
    return new Promise((resolve, reject) => {
      child.on("message", (message) => {
        const said = message as ChildMessage;
        if (said.kind === "reply") this.#calls.settle(said.reply);
        else if (said.kind === "failed") {
          this.#options.log.error({ reason: said.message }, "the signer cannot start");
          reject(new SignerUnavailableError(said.message));
        } else {
          this.#becomeReady();
          resolve();
        }
      });
      child.on("error", (error) => this.#options.log.error({ err: error }, "the signer's process"));
      child.once("exit", (code, signal) => {
        reject(new SignerUnavailableError("the signer ended before it was ready"));
        this.#lose(child, `${code ?? signal}`);
      });
      this.#send({ kind: "start", settings });
    });
  }

  readonly call: SignerCall = (method, args) => {
    if (!this.#isReady) return Promise.reject(new SignerUnavailableError("the signer is starting"));
    const { id, answered } = this.#calls.open(method);
    this.#send({ kind: "request", request: { id, method, args } });
    return method === "prepareLists"
      ? answered.then((result) => takeOver(result as ListHandoff))
      : answered;
  };

  /** Lets work under way end, then ends the child; one that does not listen is killed. */
  async close(): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#restart);
    const child = this.#child;
    if (child === undefined) return;
    const gone = new Promise<void>((resolve) => child.once("exit", () => resolve()));
    this.#send({ kind: "stop" });
    const timer = setTimeout(() => child.kill("SIGKILL"), STOP_TIMEOUT_MS);
    await gone;
    clearTimeout(timer);
  }

  #becomeReady(): void {
    this.#isReady = true;
    const healthy = setTimeout(() => {
      this.#wait = FIRST_WAIT_MS;
    }, HEALTHY_MS);
    healthy.unref();
  }

  #send(message: ParentMessage): void {
    // A channel that closes meanwhile is told by the child's exit, which settles everything that waits.
    this.#child?.send(message, () => undefined);
  }

  #lose(child: ChildProcess, how: string): void {
    if (this.#child !== child) return;
    const wasReady = this.#isReady;
    this.#child = undefined;
    this.#isReady = false;
    this.#calls.loseAll("the signer ended before it answered");
    // One that never was ready is its starter's matter at the first start, and this one's at every later.
    if (this.#isClosed || (!wasReady && this.#restart === undefined)) return;
    this.#options.log.error(
      { how, waitMs: this.#wait },
      "the signer has ended, and is started again",
    );
    this.#restart = setTimeout(() => void this.start().catch(() => undefined), this.#wait);
    this.#wait = Math.min(2 * this.#wait, LONGEST_WAIT_MS);
  }
}

/** Starts the signer in a child process, and keeps it running until it is closed. Rejects when the first start fails. */
export async function forkSigner(options: ForkOptions): Promise<ForkedSigner> {
  const child = new Fork(options);
  await child.start();
  return {
    ...signerOver(child.call, () => child.close()),
    get pid() {
      return child.pid;
    },
  };
}
