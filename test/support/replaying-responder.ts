import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";

import { decode, descend, encode } from "./der-edit.ts";

/** Which certificate a question is about: its CertID, without the nonce (RFC 6960 §4.1.1). */
function certIdOf(question: Buffer): string {
  const members = descend(decode(question), 0).children;
  // Version and requestorName, which may come first, have tags of their own.
  const list = members.findIndex(({ tag }) => tag === 0x30);
  const id = descend(decode(question), 0, list, 0, 0);
  return Buffer.from(encode(id)).toString("hex");
}

/** RFC 6960, appendix A.1: a GET has the question in its path, in base64. Undefined where a file is asked for. */
function questionIn(method: string, url: string, posted: Buffer): Buffer | undefined {
  if (method === "POST") return posted;
  const [, inPath] = /^\/ocsp\/(.+)$/.exec(url) ?? [];
  return inPath === undefined ? undefined : Buffer.from(decodeURIComponent(inPath), "base64");
}

interface Answer {
  readonly status: number;
  readonly type: string;
  readonly body: Buffer;
}

const ANSWER = "application/ocsp-response";

/** Stands between proxies and Suido's VA: passes everything on, or says again what it first heard of a certificate. */
export class ReplayingResponder {
  isReplaying = false;
  /** How often it has said something again. */
  replayed = 0;
  readonly #heard = new Map<string, Answer>();
  readonly #target: string;
  readonly #server: Server;

  private constructor(target: string) {
    this.#target = target;
    this.#server = createServer((request, response) => void this.#serve(request, response));
  }

  /** In front of the VA at this address. */
  static async open(target: string): Promise<ReplayingResponder> {
    const responder = new ReplayingResponder(target);
    responder.#server.listen(0, "127.0.0.1");
    await once(responder.#server, "listening");
    return responder;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = "GET", url = "/" } = request;
    const posted = await buffer(request);
    const question = questionIn(method, url, posted);
    const about = question === undefined ? url : certIdOf(question);
    const known = this.isReplaying ? this.#heard.get(about) : undefined;
    this.replayed += Number(known !== undefined);
    const answer = known ?? (await this.#ask(method, url, posted));
    if (answer.type === ANSWER && !this.#heard.has(about)) this.#heard.set(about, answer);
    response.writeHead(answer.status, { "content-type": answer.type }).end(answer.body);
  }

  async #ask(method: string, url: string, posted: Buffer): Promise<Answer> {
    const isPost = method === "POST";
    const reply = await fetch(`${this.#target}${url}`, {
      method,
      ...(isPost && { body: posted, headers: { "content-type": "application/ocsp-request" } }),
    });
    const type = reply.headers.get("content-type") ?? "";
    return { status: reply.status, type, body: Buffer.from(await reply.arrayBuffer()) };
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
