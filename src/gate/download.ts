import type { ClientRequest, IncomingMessage, RequestOptions } from "node:http";
import { once } from "node:events";

import { RefusedError } from "./errors.ts";

/** Octets of a bundle: two million revoked certificates. Everything is held in memory while it is checked. */
export const MAX_OCTETS = 128 * 1024 * 1024;

/** A server that says nothing for this long is away. */
const SILENCE_MS = 10_000;

/** A whole answer may take this long: 128 MiB at 4 Mbit/s. */
const ANSWER_MS = 300_000;

/** What was fetched, with its strong entity tag if it has one. */
export interface Download {
  readonly body: Buffer;
  readonly tag: string | undefined;
}

export interface Ask {
  /** The tag of what is there already. */
  readonly tag?: string;
  /** Ends the waiting. */
  readonly signal: AbortSignal;
  readonly maxOctets?: number;
}

/** Sends one request by http or https, as the address says; only what is used is loaded. Closed after the answer. */
export async function request(url: URL, options: RequestOptions): Promise<ClientRequest> {
  const client = url.protocol === "https:" ? await import("node:https") : await import("node:http");
  return client.request(url, { ...options, agent: false });
}

/** RFC 9110 §8.8.3: a weak tag does not promise the same octets. */
function strongTag(headers: IncomingMessage["headers"]): string | undefined {
  const { etag } = headers;
  return etag === undefined || etag.startsWith("W/") ? undefined : etag;
}

async function bodyOf(response: IncomingMessage, what: string, maxOctets: number): Promise<Buffer> {
  const tooLarge = (): RefusedError =>
    new RefusedError("too-large", `${what} has more than ${maxOctets} octets`);
  if (Number(response.headers["content-length"] ?? 0) > maxOctets) throw tooLarge();
  const parts: Buffer[] = [];
  let octets = 0;
  for await (const part of response as AsyncIterable<Buffer>) {
    octets += part.length;
    if (octets > maxOctets) throw tooLarge();
    parts.push(part);
  }
  return Buffer.concat(parts);
}

async function answerTo(url: URL, ask: Ask, signal: AbortSignal): Promise<Download | undefined> {
  const { maxOctets = MAX_OCTETS, tag } = ask;
  const headers = {
    accept: "application/x-pem-file",
    "accept-encoding": "identity",
    ...(tag !== undefined && { "if-none-match": tag }),
  };
  const sent = await request(url, { headers, signal, timeout: SILENCE_MS });
  sent.on("timeout", () => sent.destroy(new Error(`no answer within ${SILENCE_MS / 1000} s`)));
  sent.end();
  const [response] = (await once(sent, "response")) as [IncomingMessage];
  try {
    const { headers: said, statusCode } = response;
    if (statusCode === 304 && tag !== undefined) return undefined;
    // A redirect is no answer either: where it leads is not what the operator has named.
    if (statusCode !== 200 || said["content-encoding"] !== undefined) {
      const how = said["content-encoding"] === undefined ? String(statusCode) : "an encoded body";
      throw new RefusedError("unexpected-answer", `${url.href} answered with ${how}`);
    }
    return { body: await bodyOf(response, url.href, maxOctets), tag: strongTag(said) };
  } finally {
    sent.destroy();
  }
}

/**
 * What is at this address, or undefined when it is still what has this tag (RFC 9110 §13.1.2). Throws RefusedError when
 * there is no answer, or another than the thing itself.
 */
export async function download(url: URL, ask: Ask): Promise<Download | undefined> {
  const signal = AbortSignal.any([ask.signal, AbortSignal.timeout(ANSWER_MS)]);
  try {
    return await answerTo(url, ask, signal);
  } catch (error) {
    if (error instanceof RefusedError) throw error;
    const why = error instanceof Error ? error.message || error.name : String(error);
    throw new RefusedError("unreachable", `${url.href} gives no answer: ${why}`, { cause: error });
  }
}
