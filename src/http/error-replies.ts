import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from "fastify";

import type { Trouble } from "../web/trouble-page.ts";
import { prefersHtml } from "./accept.ts";
import { HttpError, type HttpErrorCode } from "./errors.ts";
import { BODY_LIMIT } from "./limits.ts";
import { hasLines, problemInLines } from "./ndjson-body.ts";
import { problemHeaders, problemOf } from "./problem.ts";
import { faultsOf } from "./validators.ts";

/** What Fastify refuses, in our words. Its other refusals are malformed requests. */
const FASTIFY_CODES: Readonly<
  Record<string, { readonly code: HttpErrorCode; readonly says: string; readonly field?: string }>
> = {
  FST_ERR_CTP_INVALID_JSON_BODY: {
    code: "malformed-request",
    says: "the body is not well-formed JSON, or has a member __proto__ or constructor",
    field: "body",
  },
  FST_ERR_BAD_URL: {
    code: "malformed-request",
    says: "the address is not correctly percent-encoded UTF-8",
  },
  FST_ERR_MAX_PARAM_LENGTH: {
    code: "no-such-route",
    says: "nothing is served at this address",
  },
};

function isFastifyRefusal(error: unknown): error is FastifyError {
  if (!(error instanceof Error) || error instanceof HttpError || !("statusCode" in error))
    return false;
  const { statusCode } = error;
  return typeof statusCode === "number" && statusCode >= 400 && statusCode < 500;
}

/** An error of Fastify's as one of ours; others as they came. */
function translate(error: unknown, { routeOptions }: FastifyRequest): unknown {
  if (!isFastifyRefusal(error)) return error;
  if (error.validation !== undefined) {
    const faults = faultsOf(error.validation, error.validationContext ?? "body");
    const says = faults.map(({ field, detail }) => `${field} ${detail}`).join("; ");
    return new HttpError("invalid-request", says, faults);
  }
  if (error.code === "FST_ERR_CTP_BODY_TOO_LARGE") {
    const says = `the body has more than ${routeOptions.bodyLimit} octets`;
    return new HttpError("content-too-large", says, [{ field: "body", detail: says }]);
  }
  if (error.code === "FST_ERR_CTP_INVALID_MEDIA_TYPE") {
    const { consumes = ["application/json"] } = routeOptions.schema ?? {};
    const says = `the body must be ${consumes.join(" or ")}`;
    return new HttpError("unsupported-media-type", says, [{ field: "Content-Type", detail: says }]);
  }
  const { code, says, field } = FASTIFY_CODES[error.code] ?? {
    code: "malformed-request",
    // JSON.parse and its guard give a SyntaxError without a code; Fastify only adds the status.
    says: error instanceof SyntaxError ? "the body is not JSON that we take" : error.message,
  };
  return new HttpError(code, says, field === undefined ? [] : [{ field, detail: says }]);
}

/**
 * Whether a body is on its way that is too long to take, or does not say how long it is. Refused before it was read,
 * Node.js would otherwise read it to its end, however far that is, to keep the connection.
 */
function isEndless({ raw, headers }: FastifyRequest): boolean {
  if (raw.complete) return false;
  return (
    headers["transfer-encoding"] !== undefined ||
    Number(headers["content-length"] ?? 0) > BODY_LIMIT
  );
}

/** What is done of each error before it is answered. A fault of ours is logged under the request's id, which the answer names. */
function failing(
  thrown: unknown,
  request: FastifyRequest,
  reply: FastifyReply,
): { readonly error: unknown; readonly problem: ReturnType<typeof problemOf> } {
  const error = translate(thrown, request);
  const problem = problemOf(error);
  if (problem.status >= 500 && !(error instanceof HttpError)) {
    request.log.error({ err: error }, "a request failed");
  }
  // What an earlier step meant for a success does not belong to this answer.
  reply.removeHeader("location").removeHeader("idempotency-replayed");
  if (isEndless(request)) reply.header("connection", "close");
  return { error, problem };
}

/** Answers with the problem that an error is. */
export function replyProblem(
  thrown: unknown,
  request: FastifyRequest,
  reply: FastifyReply,
): FastifyReply {
  const { error, problem: found } = failing(thrown, request, reply);
  const problem = hasLines(request) ? problemInLines(found) : found;
  const body = { ...problem, instance: `urn:uuid:${request.id}` };
  return reply
    .code(problem.status)
    .headers({
      ...problemHeaders(error, {
        hasCredentials: request.headers.authorization !== undefined,
      }),
      "x-request-id": request.id,
      "cache-control": "no-store",
      "content-type": "application/problem+json",
    })
    .serializer(JSON.stringify)
    .send(body);
}

/** What a person's browser is shown instead of a problem document. */
export type ShowTrouble = (
  request: FastifyRequest,
  reply: FastifyReply,
  trouble: Trouble,
) => FastifyReply;

/** The same answer for a person: its status and header fields, with a page. */
function replyPage(
  thrown: unknown,
  { request, reply }: { readonly request: FastifyRequest; readonly reply: FastifyReply },
  show: ShowTrouble,
): FastifyReply {
  const { error, problem } = failing(thrown, request, reply);
  const { status } = problem;
  reply
    .code(status)
    .headers({ ...problemHeaders(error, { hasCredentials: false }), "cache-control": "no-store" });
  return show(request, reply, status >= 500 || status === 429 ? "later" : "refused");
}

/**
 * Makes problem documents of every error, and gives each answer the request's id. Who asks for a page gets one from `show`,
 * if there is one, but of the API.
 */
export function installErrorReplies(app: FastifyInstance, show?: ShowTrouble): void {
  app.setErrorHandler((error, request, reply) =>
    show !== undefined && prefersHtml(request.headers.accept) && !request.url.startsWith("/v1/")
      ? replyPage(error, { request, reply }, show)
      : replyProblem(error, request, reply),
  );
  app.addHook("onRequest", async (request, reply) => {
    reply.header("x-request-id", request.id);
  });
}
