import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";

import type { Clock } from "../pki/clock.ts";
import type { Publication } from "../va/publication.ts";
import { isUnchanged } from "./va-conditional.ts";
import { sendProblem } from "./va-problem.ts";

export interface FileRoutesOptions {
  /** What is at this path, such as `crl/issuing-g1.crl`. */
  readonly get: (path: string) => Publication | undefined;
  readonly clock: Clock;
}

/** A list that follows an urgent revocation is to be seen within a minute, whatever cache stands between. */
const LIST_SECONDS = 60;

/** A CA's certificate never changes under its name. */
const CERTIFICATE_SECONDS = 24 * 60 * 60;

/** Absent only while a list of a live CA is: without it the bundle would make a proxy refuse everybody. */
const BUNDLE = "crl/bundle.pem";

/** Lists and CA certificates (RFC 5280 §4.2.1.13, §4.2.2.1), unchanged bytes with strong validators. */
export async function fileRoutes(app: FastifyInstance, options: FileRoutesOptions): Promise<void> {
  const { clock, get } = options;

  const answer = (folder: string, request: FastifyRequest, reply: FastifyReply): FastifyReply => {
    const { file } = request.params as { file: string };
    const path = `${folder}/${file}`;
    const publication = get(path);
    if (publication === undefined) return sendProblem(reply, path === BUNDLE ? 503 : 404);
    reply
      .header("content-type", publication.contentType)
      .header("cache-control", cacheControl(publication, clock().getTime()))
      .header("etag", publication.etag)
      .header("last-modified", new Date(publication.modifiedAt).toUTCString());
    if (isUnchanged(request.headers, publication)) return reply.code(304).send();
    return reply.send(publication.body);
  };

  app.get("/crl/:file", (request, reply) => answer("crl", request, reply));
  app.get("/ca/:file", (request, reply) => answer("ca", request, reply));
}

/** At most half of what is left of a list's life, and shorter near its end. */
function cacheControl({ expiresAt }: Publication, now: number): string {
  const seconds =
    expiresAt === undefined
      ? CERTIFICATE_SECONDS
      : Math.max(0, Math.min(LIST_SECONDS, Math.floor((expiresAt - now) / 2000)));
  return `max-age=${seconds}, public, no-transform, must-revalidate`;
}
