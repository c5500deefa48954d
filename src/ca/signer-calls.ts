import { SignerUnavailableError } from "./errors.ts";
import type { SignerClient } from "./signer-client.ts";
import { errorOf, type SignerMethod, type SignerReply } from "./signer-message.ts";

/** How long an answer may take. Lists of a million entries take a few seconds; everything else milliseconds. */
const REQUEST_TIMEOUT_MS = 10_000;
const LISTS_TIMEOUT_MS = 120_000;

const timeoutOf = (method: SignerMethod): number =>
  method === "prepareLists" || method === "commitLists" ? LISTS_TIMEOUT_MS : REQUEST_TIMEOUT_MS;

interface Pending {
  readonly method: SignerMethod;
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: Error) => void;
  readonly timer: NodeJS.Timeout;
}

/** Requests that wait for their reply, whatever carries them. Each ends: by its reply, in time, or with the channel. */
export class SignerCalls {
  readonly #pending = new Map<number, Pending>();
  #nextId = 1;

  /** A new request's number, and what becomes of it. */
  open(method: SignerMethod): { readonly id: number; readonly answered: Promise<unknown> } {
    const id = this.#nextId++;
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    const timer = setTimeout(
      () => this.#fail(id, "the signer did not answer in time"),
      timeoutOf(method),
    );
    this.#pending.set(id, { method, resolve, reject, timer });
    return { id, answered: promise };
  }

  /** What the request with this number asked for; undefined when nobody waits for it any more. */
  methodOf(id: number): SignerMethod | undefined {
    return this.#pending.get(id)?.method;
  }

  /** Gives the reply to whoever waits for it. */
  settle(reply: SignerReply): void {
    const waiting = this.#take(reply.id);
    if (waiting === undefined) return;
    if ("error" in reply) waiting.reject(errorOf(reply.error));
    else waiting.resolve(reply.result);
  }

  /** The channel is gone: nothing that waits will be answered. */
  loseAll(message: string): void {
    for (const id of this.#pending.keys()) this.#fail(id, message);
  }

  #fail(id: number, message: string): void {
    this.#take(id)?.reject(new SignerUnavailableError(message));
  }

  #take(id: number): Pending | undefined {
    const waiting = this.#pending.get(id);
    this.#pending.delete(id);
    clearTimeout(waiting?.timer);
    return waiting;
  }
}

/** Sends a request and resolves with the result of its reply. */
export type SignerCall = (method: SignerMethod, args: readonly unknown[]) => Promise<unknown>;

/** The signer at the other end of a channel. */
export function signerOver(call: SignerCall, close: () => Promise<void>): SignerClient {
  const ask = <M extends SignerMethod>(
    method: M,
    ...args: Parameters<SignerClient[M]>
  ): ReturnType<SignerClient[M]> => call(method, args) as ReturnType<SignerClient[M]>;
  return {
    issue: (serials) => ask("issue", serials),
    journal: (changeSeq) => ask("journal", changeSeq),
    prepareLists: (issuerId) => ask("prepareLists", issuerId),
    commitLists: (batchId, sha256) => ask("commitLists", batchId, sha256),
    delegate: (issuerId, spki) => ask("delegate", issuerId, spki),
    serverCertificate: (spki, dnsNames) => ask("serverCertificate", spki, dnsNames),
    status: () => ask("status"),
    close,
  };
}
