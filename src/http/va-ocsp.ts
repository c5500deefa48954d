import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";

import type { Clock } from "../pki/clock.ts";
import { decodeOcspPath } from "../pki/ocsp-request.ts";
import { malformedRequest, type OcspAnswer, type Responder } from "../va/responder.ts";
import type { OcspCounts } from "../va/metrics.ts";
import { namesTag } from "./va-conditional.ts";

export interface OcspRoutesOptions {
  readonly responder: Responder;
  readonly counts: OcspCounts;
  readonly clock: Clock;
}

/** Sixteen certificates, a nonce and a signature take less. */
const MAX_REQUEST_OCTETS = 4096;

/** nginx compares it letter by letter, so it has no parameters. */
const CONTENT_TYPE = "application/ocsp-response";

/** The path's own base64; everything else of the URL is none of it. */
interface GetParams {
  readonly "*": string;
}

/**
 * OCSP over HTTP (RFC 6960 §A, RFC 9919 §4). Whatever comes, the answer is 200 with an OCSPResponse: clients read nothing
 * else.
 */
export async function ocspRoutes(app: FastifyInstance, options: OcspRoutesOptions): Promise<void> {
  const { clock, counts, responder } = options;

  const send = (answer: OcspAnswer, request: FastifyRequest, reply: FastifyReply): FastifyReply => {
    counts[answer.outcome]++;
    reply.header("content-type", CONTENT_TYPE);
    const { body, freshness } = answer;
    if (freshness === undefined) return reply.header("cache-control", "no-store").send(body);
    reply.header("cache-control", cacheControl(freshness.freshUntil - clock().getTime()));
    reply.header("etag", freshness.etag);
    reply.header("last-modified", freshness.lastModified);
    reply.header("expires", freshness.expires);
    const tags = request.headers["if-none-match"];
    if (tags !== undefined && request.method !== "POST" && namesTag(tags, freshness.etag)) {
      return reply.code(304).send();
    }
    return reply.send(body);
  };

  const reply = (
    der: Uint8Array,
    request: FastifyRequest,
    to: FastifyReply,
  ): FastifyReply | Promise<FastifyReply> => {
    const answer = responder.answer(der);
    if (!(answer instanceof Promise)) return send(answer, request, to);
    return answer.then((late) => send(late, request, to));
  };

  // Wrong media type, no body, too long a body, an unreadable path: all of them are no OCSP request.
  app.setErrorHandler((_error, request, to) => send(malformedRequest(), request, to.code(200)));
  app.removeAllContentTypeParsers();
  app.addContentTypeParser<Buffer>(
    "application/ocsp-request",
    { parseAs: "buffer", bodyLimit: MAX_REQUEST_OCTETS },
    (_request, body, done) => done(null, body),
  );

  app.get<{ Params: GetParams }>("/ocsp/*", (request, to) =>
    reply(decodeOcspPath(request.params["*"]), request, to),
  );
  for (const path of ["/ocsp", "/ocsp/"]) {
    app.post<{ Body: Uint8Array | undefined }>(path, (request, to) =>
      reply(request.body ?? new Uint8Array(), request, to),
    );
  }
}

/** RFC 9919 §5.2: for as long as the answer may be relied on, seen from now. */
function cacheControl(remainingMs: number): string {
  const seconds = Math.max(0, Math.floor(remainingMs / 1000));
  return `max-age=${seconds}, public, no-transform, must-revalidate`;
}
