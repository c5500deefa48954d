import { Worker } from "node:worker_threads";
import type { Pkcs12Input } from "../pki/pkcs12.ts";
import type { BundleResult } from "./pkcs12-worker.ts";

/** A worker that has had nothing to do for so long is ended: it holds memory, and a new one starts in 50 ms. */
const IDLE_MS = 10_000;

export interface Bundler {
  /** Makes a PKCS#12 file. The input is copied: the caller may wipe its key as soon as this has returned. */
  bundle(input: Pkcs12Input): Promise<Uint8Array>;
  /** Ends the worker. What is still being made is rejected. */
  close(): Promise<void>;
}

export interface BundlerOptions {
  readonly idleMs?: number;
  /** Another worker program, for tests of what happens when it dies. */
  readonly program?: URL;
}

interface Waiting {
  readonly resolve: (bundle: Uint8Array) => void;
  readonly reject: (error: Error) => void;
}

/** One worker thread and those who wait for it. It never outlives its last use by more than the idle time. */
class BundleWorker {
  readonly #thread: Worker;
  readonly #waiting = new Map<number, Waiting>();
  readonly #idleMs: number;
  readonly #onEnd: () => void;
  #idle: NodeJS.Timeout | undefined;
  #lastId = 0;

  constructor(program: URL, idleMs: number, onEnd: () => void) {
    this.#idleMs = idleMs;
    this.#onEnd = onEnd;
    this.#thread = new Worker(program);
    this.#thread.on("message", (result: BundleResult) => this.#settle(result));
    this.#thread.on("error", (cause) => this.#end(cause));
    this.#thread.on("exit", (code) => this.#end(new Error(`exit code ${code}`)));
  }

  run(input: Pkcs12Input): Promise<Uint8Array> {
    clearTimeout(this.#idle);
    this.#thread.ref();
    const id = ++this.#lastId;
    const key = new Uint8Array(input.key);
    return new Promise((resolve, reject) => {
      this.#thread.postMessage({ id, input: { ...input, key } }, [key.buffer]);
      this.#waiting.set(id, { resolve, reject });
    });
  }

  async close(): Promise<void> {
    this.#end(new Error("the bundler was closed"));
    await this.#thread.terminate();
  }

  #settle(result: BundleResult): void {
    const waiting = this.#waiting.get(result.id);
    this.#waiting.delete(result.id);
    if (this.#waiting.size === 0) this.#rest();
    if ("error" in result) waiting?.reject(result.error);
    else waiting?.resolve(result.bundle);
  }

  /** Nothing to do: the process may end, and after a while the thread does. */
  #rest(): void {
    this.#thread.unref();
    this.#idle = setTimeout(() => void this.close(), this.#idleMs).unref();
  }

  /** Rejects all who still wait and tells the owner, so that the next call starts anew. */
  #end(cause: unknown): void {
    clearTimeout(this.#idle);
    this.#onEnd();
    for (const { reject } of this.#waiting.values()) {
      reject(new Error("the worker that makes PKCS#12 files has ended", { cause }));
    }
    this.#waiting.clear();
  }
}

/**
 * Makes PKCS#12 files in a worker thread, started when first needed: a tenth of a second of key derivation must not
 * stall the event loop that answers OCSP.
 */
export function createBundler(options: BundlerOptions = {}): Bundler {
  const { idleMs = IDLE_MS, program = new URL("pkcs12-worker.ts", import.meta.url) } = options;
  let current: BundleWorker | undefined;

  function start(): BundleWorker {
    const worker: BundleWorker = new BundleWorker(program, idleMs, () => {
      if (current === worker) current = undefined;
    });
    return worker;
  }

  return {
    async bundle(input) {
      current ??= start();
      return await current.run(input);
    },
    async close() {
      await current?.close();
    },
  };
}
