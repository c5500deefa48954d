import type { Socket } from "node:net";

import {
  type FastifyBaseLogger,
  type FastifyReply,
  type FastifyRequest,
  LogController,
} from "fastify";
import type { Logger } from "pino";

import type { NewId } from "../pki/uuid.ts";
import { PROBLEMS_EN } from "../web/messages/problems-en.ts";
import { replyProblem } from "./error-replies.ts";
import { HttpError, type HttpErrorCode } from "./errors.ts";
import { problemOf } from "./problem.ts";

/** The body of a request has at most so many octets; PKCS#10 requests of every kind fit many times over. */
export const BODY_LIMIT = 65_536;

/** Address and headers together; Node.js answers 431 beyond it. */
const HEADER_LIMIT = 16_384;

/** A request that trickles in holds a connection no longer than this, in milliseconds. */
const HEADERS_TIMEOUT_MS = 10_000;
const REQUEST_TIMEOUT_MS = 30_000;

/** An answer may wait for the signer and its journal, but a silent connection ends, in milliseconds. */
const CONNECTION_TIMEOUT_MS = 60_000;

/** Longer than the idle time of the usual reverse proxies, so that it is they who close, in milliseconds. */
const KEEP_ALIVE_MS = 72_000;

/** What never reaches a log, whatever is logged. */
const SECRETS = [
  "authorization",
  "password",
  "pkcs12",
  "key",
  "*.authorization",
  "*.password",
  "*.pkcs12",
  "*.headers.authorization",
  "*.headers.cookie",
  "*.pkcs12.data",
  "*.pkcs12.password",
];

/** Of an error only what we know to be ours to log: a database error's other members hold people's data. */
function logError(error: Error): Record<string, unknown> {
  const { name, message, stack } = error;
  const code: unknown = "code" in error ? error.code : undefined;
  return {
    type: name,
    message,
    stack,
    ...(typeof code === "string" && { code }),
    ...(error.cause instanceof Error && { cause: logError(error.cause) }),
  };
}

/** A logger for a listener: without secrets, and without the request's and the answer's own texts. */
function listenerLog(log: Logger): FastifyBaseLogger {
  return log.child(
    {},
    {
      redact: { paths: SECRETS, censor: "[secret]" },
      serializers: {
        err: logError,
        error: logError,
        req: ({ id }: FastifyRequest) => ({ id }),
        res: ({ statusCode }: FastifyReply) => ({ statusCode }),
      },
    },
  );
}

/** What Node.js's parser says of a request that never became one. */
const PARSER_CODES: Readonly<Record<string, HttpErrorCode>> = {
  ERR_HTTP_REQUEST_TIMEOUT: "request-timeout",
  HPE_HEADER_OVERFLOW: "headers-too-large",
};

const REASONS: Readonly<Record<number, string>> = {
  400: "Bad Request",
  408: "Request Timeout",
  431: "Request Header Fields Too Large",
};

/** Answers what is not HTTP, by hand, because there is no request to reply to; then the connection ends. */
function refuseConnection(error: Error & { readonly code?: string }, socket: Socket): void {
  if (error.code === "ECONNRESET" || !socket.writable) {
    socket.destroy();
    return;
  }
  const code = PARSER_CODES[error.code ?? ""] ?? "malformed-request";
  const problem = problemOf(new HttpError(code, PROBLEMS_EN[code].meaning));
  const body = JSON.stringify(problem);
  socket.end(
    `HTTP/1.1 ${problem.status} ${REASONS[problem.status] ?? "Error"}\r\n` +
      `content-type: application/problem+json\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
  );
}

/** What every listener of people and programs needs to know. */
export interface ListenerOptions {
  readonly log: Logger;
  readonly newId: NewId;
}

/** The settings of Fastify that our listeners share: limits, time-outs, ids of requests, and answers to what is no request. */
// eslint-disable-next-line typescript/explicit-module-boundary-types -- the exact type is what lets Fastify infer its server
export function listenerSettings({ log, newId }: ListenerOptions) {
  return {
    loggerInstance: listenerLog(log),
    logController: new LogController({ disableRequestLogging: true }),
    // Incoming ids are not trusted: an id in our log is one that we gave.
    requestIdHeader: false,
    genReqId: () => newId(),
    bodyLimit: BODY_LIMIT,
    connectionTimeout: CONNECTION_TIMEOUT_MS,
    requestTimeout: REQUEST_TIMEOUT_MS,
    keepAliveTimeout: KEEP_ALIVE_MS,
    http: { headersTimeout: HEADERS_TIMEOUT_MS, maxHeaderSize: HEADER_LIMIT },
    routerOptions: { maxParamLength: 512 },
    onProtoPoisoning: "error",
    onConstructorPoisoning: "error",
    forceCloseConnections: "idle",
    return503OnClosing: true,
    clientErrorHandler: refuseConnection,
    frameworkErrors: (error: Error, request: FastifyRequest, reply: FastifyReply) =>
      void replyProblem(error, request, reply),
  } as const;
}
