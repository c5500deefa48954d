import { type ChildProcess, fork } from "node:child_process";
import type { Logger } from "pino";
import { SignerUnavailableError } from "./errors.ts";
import type { ChildMessage, ParentMessage } from "./signer-child.ts";
import type { SignerClient } from "./signer-client.ts";
import { errorOf, type SignerMethod, type SignerReply } from "./signer-message.ts";
import type { SignerSettings } from "./signer-process.ts";

/** How long an answer may take. Lists of a million entries take a few seconds; everything else milliseconds. */
const REQUEST_TIMEOUT_MS = 10_000;
const LISTS_TIMEOUT_MS = 120_000;

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

interface Pending {
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: Error) => void;
  readonly timer: NodeJS.Timeout;
}

/** A signer in a process of its own. */
export interface ForkedSigner extends SignerClient {
  /** The child's process id, while there is one. */
  readonly pid: number | undefined;
}

/** Keeps one child alive and talks with it. While there is none, everything asked is refused at once. */
class Fork {
  readonly #options: ForkOptions;
  readonly #pending = new Map<number, Pending>();
  #child: ChildProcess | undefined;
  #isReady = false;
  #isClosed = false;
  #nextId = 1;
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
        if (said.kind === "reply") this.#settle(said.reply);
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

  call<T>(
    method: SignerMethod,
    args: readonly unknown[],
    timeoutMs = REQUEST_TIMEOUT_MS,
  ): Promise<T> {
    if (!this.#isReady) return Promise.reject(new SignerUnavailableError("the signer is starting"));
    const id = this.#nextId++;
    return new Promise<T>((resolve, reject) => {
      const timer = setTimeout(
        () =>
          this.#settle({
            id,
            error: { code: "signer-unavailable", message: "the signer did not answer in time" },
          }),
        timeoutMs,
      );
      this.#pending.set(id, { resolve: (result) => resolve(result as T), reject, timer });
      this.#send({ kind: "request", request: { id, method, args } });
    });
  }

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

  #settle(reply: SignerReply): void {
    const waiting = this.#pending.get(reply.id);
    if (waiting === undefined) return;
    this.#pending.delete(reply.id);
    clearTimeout(waiting.timer);
    if ("error" in reply) waiting.reject(errorOf(reply.error));
    else waiting.resolve(reply.result);
  }

  #lose(child: ChildProcess, how: string): void {
    if (this.#child !== child) return;
    const wasReady = this.#isReady;
    this.#child = undefined;
    this.#isReady = false;
    for (const id of this.#pending.keys()) {
      this.#settle({
        id,
        error: { code: "signer-unavailable", message: "the signer ended before it answered" },
      });
    }
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
    get pid() {
      return child.pid;
    },
    issue: (serials) => child.call("issue", [serials]),
    journal: (changeSeq) => child.call("journal", [changeSeq]),
    prepareLists: (issuerId) => child.call("prepareLists", [issuerId], LISTS_TIMEOUT_MS),
    commitLists: (batchId, sha256) =>
      child.call("commitLists", [batchId, sha256], LISTS_TIMEOUT_MS),
    delegate: (issuerId, spki) => child.call("delegate", [issuerId, spki]),
    serverCertificate: (spki, dnsNames) => child.call("serverCertificate", [spki, dnsNames]),
    status: () => child.call("status", []),
    close: () => child.close(),
  };
}
