import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerResponse,
} from "node:http";

import { SERVER_LIMITS } from "./limits.ts";
import { answerSender, MAX_REQUEST_OCTETS, type OcspOptions } from "./va-ocsp.ts";

export interface FrontOptions extends OcspOptions {
  readonly keepAliveMs: number;
  readonly requestTimeoutMs: number;
  readonly connectionTimeoutMs: number;
  /** Whether the listener is about to close: then Fastify ends each connection with its answer. */
  readonly isClosing: () => boolean;
}

/** Whether these are the headers of the usual POST: whatever differs is judged with more care. */
function isUsualPost({ headers, url }: IncomingMessage): boolean {
  if (url !== "/ocsp" && url !== "/ocsp/") return false;
  if (headers["content-type"] !== "application/ocsp-request") return false;
  const length = headers["content-length"];
  return length !== undefined && Number(length) <= MAX_REQUEST_OCTETS;
}

/** Hands over the whole body; never, where the client goes away before its end. */
function readBody(request: IncomingMessage, then: (body: Buffer) => void): void {
  const parts: Buffer[] = [];
  request.on("data", (part: Buffer) => parts.push(part));
  request.on("end", () => {
    const [first = Buffer.alloc(0)] = parts;
    then(parts.length > 1 ? Buffer.concat(parts) : first);
  });
}

/** A request that has come in whole. */
interface Asked {
  readonly body: Buffer;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
}

/** The first of them waits for the signatures of all the others: about a millisecond. */
const MAX_TOGETHER = 32;

/**
 * Answers what one turn of the event loop has brought in together: first all signatures, then all sends. A send wakes its
 * reader, which on a virtual machine costs as much as a signature and leaves the caches cold for the next one.
 */
function answerTogether(
  { responder }: OcspOptions,
  send: ReturnType<typeof answerSender>,
): (asked: Asked) => void {
  let waiting: Asked[] = [];
  const answerAll = (): void => {
    const all = waiting;
    waiting = [];
    const answers = all.map(({ body }) => responder.answer(body));
    for (const [i, { request, response }] of all.entries()) {
      const answer = answers[i];
      if (answer instanceof Promise) void answer.then((late) => send(late, request, response));
      else if (answer !== undefined) send(answer, request, response);
    }
  };
  return (asked) => {
    waiting.push(asked);
    if (waiting.length === 1) setImmediate(answerAll);
    else if (waiting.length === MAX_TOGETHER) answerAll();
  };
}

/**
 * The VA's server: it answers the two usual OCSP requests itself, a GET that was answered before and a POST with its
 * headers in order, and passes on everything else. What a router, its hooks and its reply cost would be most of such an
 * answer.
 */
export function createFront(options: FrontOptions, passOn: RequestListener): Server {
  const { connectionTimeoutMs, isClosing, keepAliveMs, requestTimeoutMs, responder } = options;
  const send = answerSender(options);
  const answer = answerTogether(options, send);
  const server = createServer(SERVER_LIMITS, (request, response) => {
    const { method, url = "" } = request;
    // A response without a socket waits behind others: pipelined requests have limits of their own.
    if (!isClosing() && response.socket !== null) {
      if (method === "GET" && url.startsWith("/ocsp/")) {
        const kept = responder.kept(url);
        if (kept !== undefined) return send(kept, request, response);
      } else if (method === "POST" && isUsualPost(request)) {
        return readBody(request, (body) => answer({ body, request, response }));
      }
    }
    passOn(request, response);
  });
  server.keepAliveTimeout = keepAliveMs;
  server.requestTimeout = requestTimeoutMs;
  server.setTimeout(connectionTimeoutMs);
  return server;
}
