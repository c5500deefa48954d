import { STATUS_CODES } from "node:http";
import type { Socket } from "node:net";

import {
  type FastifyBaseLogger,
  type FastifyReply,
  type FastifyRequest,
  LogController,
} from "fastify";
import type { Logger } from "pino";

import { logError } from "../config/log.ts";
import type { NewId } from "../pki/uuid.ts";
import { PROBLEMS_EN } from "../web/messages/problems-en.ts";
import { replyProblem } from "./error-replies.ts";
import { HttpError, type HttpErrorCode } from "./errors.ts";
import { BODY_LIMIT, SERVER_LIMITS } from "./limits.ts";
import { type Problem, problemOf } from "./problem.ts";

/** A request that trickles in holds a connection no longer than this, in milliseconds. */
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

/** Who does not close when we have is given so long to read the answer, in milliseconds. */
const LINGER_MS = 2_000;

/**
 * Answers by hand, where there is no request to reply to; then the connection ends. Our end of it alone would leave a
 * client that never closes in possession of the other half for ever.
 */
export function endWith(problem: Problem, socket: Socket): void {
  const body = JSON.stringify(problem);
  socket.end(
    `HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status] ?? "Error"}\r\n` +
      `content-type: application/problem+json\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
  );
  const timer = setTimeout(() => socket.destroy(), LINGER_MS);
  socket.once("close", () => clearTimeout(timer));
}

/** What a connection fails with. */
export type ConnectionError = Error & { readonly code?: string };

/** The problem that what is no HTTP is; undefined where nobody is left to hear of it. */
export function connectionProblem(error: ConnectionError, socket: Socket): Problem | undefined {
  if (error.code === "ECONNRESET" || !socket.writable) return undefined;
  const code = PARSER_CODES[error.code ?? ""] ?? "malformed-request";
  return problemOf(new HttpError(code, PROBLEMS_EN[code].meaning));
}

/** Answers what is not HTTP. */
export function refuseConnection(error: ConnectionError, socket: Socket): void {
  const problem = connectionProblem(error, socket);
  if (problem === undefined) socket.destroy();
  else endWith(problem, socket);
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
    http: SERVER_LIMITS,
    routerOptions: { maxParamLength: 512 },
    onProtoPoisoning: "error",
    onConstructorPoisoning: "error",
    forceCloseConnections: "idle",
    // Fastify would answer with JSON of its own; `drainBeforeClose` refuses what comes then.
    return503OnClosing: false,
    clientErrorHandler: refuseConnection,
    frameworkErrors: (error: Error, request: FastifyRequest, reply: FastifyReply) =>
      void replyProblem(error, request, reply),
  } as const;
}
