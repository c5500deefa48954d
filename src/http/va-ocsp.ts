import type { IncomingMessage, ServerResponse } from "node:http";

import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";

import type { Clock } from "../pki/clock.ts";
import { decodeOcspPath } from "../pki/ocsp-request.ts";
import { malformedRequest, type OcspAnswer, type Responder } from "../va/responder.ts";
import type { OcspCounts } from "../va/ocsp-counts.ts";
import { namesTag } from "./va-conditional.ts";

export interface OcspOptions {
  readonly responder: Responder;
  readonly counts: OcspCounts;
  readonly clock: Clock;
}

/** Sixteen certificates, a nonce and a signature take less. */
export const MAX_REQUEST_OCTETS = 4096;

/** nginx compares it letter by letter, so it has no parameters. */
const CONTENT_TYPE = "application/ocsp-response";

/** Gives an answer to whoever asked. */
export type SendAnswer = (
  answer: OcspAnswer,
  request: IncomingMessage,
  response: ServerResponse,
) => void;

/** RFC 9919 §5.2: for as long as the answer may be relied on, seen from now. */
function cacheControl(remainingMs: number): string {
  const seconds = Math.max(0, Math.floor(remainingMs / 1000));
  return `max-age=${seconds}, public, no-transform, must-revalidate`;
}

/** Writes answers with one array of headers and one string: thousands of them a second go out this way. */
export function answerSender({ clock, counts }: Omit<OcspOptions, "responder">): SendAnswer {
  return ({ freshness, outcome, text }, { headers, method }, response) => {
    counts[outcome]++;
    const fields = ["content-type", CONTENT_TYPE, "content-length", String(text.length)];
    if (freshness === undefined) {
      fields.push("cache-control", "no-store");
      response.writeHead(200, fields).end(text, "latin1");
      return;
    }
    const { etag, expires, freshUntil, lastModified } = freshness;
    fields.push("cache-control", cacheControl(freshUntil - clock().getTime()), "etag", etag);
    fields.push("last-modified", lastModified, "expires", expires);
    const tags = headers["if-none-match"];
    if (tags !== undefined && method !== "POST" && namesTag(tags, etag)) {
      response.writeHead(304, fields.toSpliced(2, 2)).end();
      return;
    }
    response.writeHead(200, fields).end(text, "latin1");
  };
}

/** The path's own base64; everything else of the URL is none of it. */
interface GetParams {
  readonly "*": string;
}

/**
 * OCSP over HTTP (RFC 6960 §A, RFC 9919 §4). Whatever comes, the answer is 200 with an OCSPResponse: clients read nothing
 * else.
 */
export async function ocspRoutes(app: FastifyInstance, options: OcspOptions): Promise<void> {
  const { responder } = options;
  const write = answerSender(options);

  const send = (answer: OcspAnswer, request: FastifyRequest, to: FastifyReply): FastifyReply => {
    write(answer, request.raw, to.hijack().raw);
    return to;
  };

  const reply = (
    der: Uint8Array,
    request: FastifyRequest,
    to: FastifyReply,
  ): FastifyReply | Promise<FastifyReply> => {
    const path = request.method === "POST" ? undefined : request.raw.url;
    const answer = responder.answer(der, path);
    if (!(answer instanceof Promise)) return send(answer, request, to);
    return answer.then((late) => send(late, request, to));
  };

  // Wrong media type, no body, too long a body, an unreadable path: all of them are no OCSP request.
  app.setErrorHandler((_error, request, to) => send(malformedRequest(), request, to));
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
