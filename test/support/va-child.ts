import { fork, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import path from "node:path";

import { readOcspResponse } from "../../src/pki/ocsp-reader.ts";
import type { FromVa, ToVa } from "./va-process.ts";

export interface VaChildOptions {
  readonly url: string;
  readonly folder: string;
  /** Makes the certificate for the OCSP key of the process. */
  readonly delegate: (issuerId: string, spki: Uint8Array) => Uint8Array | Promise<Uint8Array>;
}

/** A VA in a process of its own. */
export class VaChild {
  readonly #child: ChildProcess;
  readonly #answers = new Map<number, (body: Uint8Array | undefined) => void>();
  #asked = 0;

  private constructor(child: ChildProcess) {
    this.#child = child;
  }

  /** Starts it, and waits until it is ready. */
  static async start(options: VaChildOptions): Promise<VaChild> {
    const script = path.join(import.meta.dirname, "va-process.ts");
    const va = new VaChild(fork(script, { serialization: "advanced" }));
    await va.#begin(options);
    return va;
  }

  #begin({ delegate, folder, url }: VaChildOptions): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#child.once("exit", () => reject(new Error("the VA ended before it was ready")));
    this.#child.on("message", (message: FromVa) => {
      switch (message.kind) {
        case "delegate":
          void Promise.resolve(delegate(message.issuerId, message.spki)).then((certificate) =>
            this.#tell({ kind: "delegate", certificate }),
          );
          return;
        case "ready":
          resolve();
          return;
        case "answer":
          this.#answers.get(message.id)?.(message.body);
          this.#answers.delete(message.id);
      }
    });
    this.#tell({ kind: "start", url, folder });
    return promise;
  }

  #tell(message: ToVa): void {
    this.#child.send(message);
  }

  #ask(question: (id: number) => ToVa): Promise<Uint8Array | undefined> {
    const { promise, resolve } = Promise.withResolvers<Uint8Array | undefined>();
    const id = this.#asked++;
    this.#answers.set(id, resolve);
    this.#tell(question(id));
    return promise;
  }

  /** What it says of the one certificate of a request: its status, or why it says nothing. */
  async status(request: Uint8Array): Promise<string> {
    const body = await this.#ask((id) => ({ kind: "ask", id, request }));
    const { basic, status } = readOcspResponse(new Uint8Array(body ?? []));
    return basic?.responses[0]?.status ?? status;
  }

  /** What it gives out at a path such as `crl/issuing-g1.crl`. */
  file(name: string): Promise<Uint8Array | undefined> {
    return this.#ask((id) => ({ kind: "file", id, name }));
  }

  async end(): Promise<void> {
    const ended = once(this.#child, "exit");
    this.#child.disconnect();
    await ended;
  }
}
