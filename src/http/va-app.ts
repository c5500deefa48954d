import type { Socket } from "node:net";

import Fastify, {
  LogController,
  type FastifyBaseLogger,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
} from "fastify";

import type { Clock } from "../pki/clock.ts";
import type { OcspCounts } from "../va/ocsp-counts.ts";
import type { Publication } from "../va/publication.ts";
import { malformedRequest, octetsOf, type Responder } from "../va/responder.ts";
import { isLocal } from "./local-request.ts";
import type { MetricsSource, Readiness } from "./routes-operations.ts";
import { pauseBeforeClose } from "./drain.ts";
import { fileRoutes } from "./va-files.ts";
import { createFront } from "./va-front.ts";
import { ocspRoutes } from "./va-ocsp.ts";
import { type ConnectionError, connectionProblem, endWith } from "./listener.ts";
import { limitPipelining } from "./pipelining.ts";
import { bareProblem, sendProblem } from "./va-problem.ts";

export interface VaAppOptions {
  readonly responder: Responder;
  readonly counts: OcspCounts;
  /** What the repository has at a path such as `crl/issuing-g1.crl`. */
  readonly publication: (path: string) => Publication | undefined;
  /** Whether the VA answers as it should, and in a process without the app's listener its other roles. */
  readonly readiness: () => Promise<Readiness>;
  /** In a process without the app's listener: its figures, for requests from the machine itself. */
  readonly metrics?: MetricsSource;
  readonly clock: Clock;
  readonly log: FastifyBaseLogger;
}

/** A client that needs longer for its few hundred octets holds the connection for other reasons. */
const REQUEST_TIMEOUT_MS = 10_000;

/** Who reads nothing of an answer for so long is gone. */
const CONNECTION_TIMEOUT_MS = 30_000;

/** Longer than the idle times of common proxies, so that they close first and never write to a closed connection. */
const KEEP_ALIVE_MS = 75_000;

/** Path and query in origin-form and absolute-form (RFC 9112 §3.2). */
const OCSP_URL = /^(?:https?:\/\/[^/]*)?\/ocsp\//i;

/** What is allowed where; the first that matches counts (RFC 9110 §15.5.6). */
const ALLOWED: readonly (readonly [RegExp, string])[] = [
  [/^\/ocsp$/, "POST"],
  [/^\/ocsp\/$/, "GET, HEAD, POST"],
  [/^\/ocsp\/./, "GET, HEAD"],
  [/^\/(?:crl|ca|health)\/[^/]+$/, "GET, HEAD"],
];

/**
 * The listener that relying parties read: OCSP, lists, CA certificates, health. Public, plain HTTP, no cookies, nothing
 * that depends on Host, no log line for a request.
 */
export async function createVaApp(options: VaAppOptions): Promise<FastifyInstance> {
  const { clock, counts, log, publication, responder } = options;
  const ocsp = { responder, counts, clock };
  let isClosing = false;
  const app = Fastify({
    loggerInstance: log,
    logController: new LogController({ disableRequestLogging: true }),
    // A logger for each request costs more than the request.
    childLoggerFactory: (logger) => logger,
    serverFactory: (passOn) =>
      createFront(
        {
          ...ocsp,
          keepAliveMs: KEEP_ALIVE_MS,
          requestTimeoutMs: REQUEST_TIMEOUT_MS,
          connectionTimeoutMs: CONNECTION_TIMEOUT_MS,
          isClosing: () => isClosing,
        },
        passOn,
      ),
    clientErrorHandler: refuse,
    return503OnClosing: false,
    forceCloseConnections: "idle",
    // A path that is not percent-encoded UTF-8 never reaches a route.
    frameworkErrors: (_error, request, reply) => {
      if (OCSP_URL.test(request.raw.url ?? "")) sendMalformed(reply);
      else sendProblem(reply, 400);
    },
  });
  app.addHook("preClose", async () => {
    isClosing = true;
  });
  pauseBeforeClose(app);
  limitPipelining(app);
  app.setErrorHandler((error, _request, reply) => {
    const { statusCode = 500 } = error as { statusCode?: number };
    if (statusCode >= 500) log.error({ err: error }, "a request failed");
    return sendProblem(reply, statusCode);
  });
  app.setNotFoundHandler((request, reply) => notFound(request, reply));
  // Bodies that no route wants are not read.
  app.removeAllContentTypeParsers();
  app.addContentTypeParser("*", (_request, _payload, done) => done(null));

  await app.register(ocspRoutes, ocsp);
  await app.register(fileRoutes, { get: publication, clock });
  app.get("/health/live", (_request, reply) =>
    reply.header("cache-control", "no-store").send({ status: "live" }),
  );
  addOperations(app, options);
  return app;
}

function tell(reply: FastifyReply, isReady: boolean, body: object): FastifyReply {
  return reply
    .code(isReady ? 200 : 503)
    .header("cache-control", "no-store")
    .send(body);
}

function addOperations(app: FastifyInstance, { readiness, metrics }: VaAppOptions): void {
  app.get("/health/ready", async (_request, reply) => {
    const state = await readiness();
    return tell(reply, state.ready, state);
  });
  if (metrics === undefined) return;
  app.get("/metrics", async (request, reply) =>
    isLocal(request)
      ? reply
          .header("cache-control", "no-store")
          .type(metrics.contentType)
          .send(await metrics.metrics())
      : sendProblem(reply, 404),
  );
}

/** Answers what is not HTTP, or did not arrive in time. */
function refuse(error: ConnectionError, socket: Socket): void {
  const problem = connectionProblem(error, socket);
  if (problem === undefined) socket.destroy();
  else endWith(bareProblem(problem.status), socket);
}

function sendMalformed(reply: FastifyReply): void {
  void reply
    .header("content-type", "application/ocsp-response")
    .header("cache-control", "no-store")
    .send(octetsOf(malformedRequest()));
}

function notFound(request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const path = request.url.replace(/[?#].*$/, "");
  // Node.js would read a body to its end, however long, to use the connection again.
  if (
    request.headers["transfer-encoding"] !== undefined ||
    request.headers["content-length"] !== undefined
  )
    reply.header("connection", "close");
  const allow = ALLOWED.find(([pattern]) => pattern.test(path))?.[1];
  if (allow === undefined || allow.split(", ").includes(request.method)) {
    return sendProblem(reply, 404);
  }
  return sendProblem(reply.header("allow", allow), 405);
}
