import { TLSSocket } from "node:tls";

import type { TypeBoxTypeProvider } from "@fastify/type-provider-typebox";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { Static } from "typebox";

import { canonicalUuid } from "../registry/principal.ts";
import { ForbiddenError, UnauthorizedError } from "../staff/errors.ts";
import { demand } from "../staff/roles.ts";
import type { Authorizer } from "../va/authorizer.ts";
import type { RelyingParty } from "../va/proxy-tables.ts";
import type { SiteFacts } from "../web/site.ts";
import { type Authenticate, bearerOf } from "./authentication.ts";
import { type AnswerFacts, answerOf } from "./authorize-reply.ts";
import { clientCertificateOf } from "./client-certificate-header.ts";
import { replyProblem } from "./error-replies.ts";
import { HttpError, TurnedAwayError } from "./errors.ts";
import { type HelpPages, loadHelpPages } from "./help-pages.ts";
import { problemOf } from "./problem.ts";
import { Authorization, AuthorizeHeaders, AuthorizeQuery } from "./schemas/authorize.ts";
import { named, problems } from "./schemas/common.ts";

/** Tells which registered proxy asks. Throws UnauthorizedError or ForbiddenError; then nothing of what it says is read. */
type Recognise = (request: FastifyRequest) => RelyingParty | Promise<RelyingParty>;

export interface AuthorizeRoutesOptions extends AnswerFacts {
  readonly authorizer: Authorizer;
  readonly site: SiteFacts;
}

declare module "fastify" {
  interface FastifyRequest {
    /** The registered proxy that asks. */
    relyingParty: RelyingParty | undefined;
  }
}

/** By its API key, from memory. The database is asked only of a key that is no proxy's: to tell 401 from 403. */
export function recogniseByKey(authorizer: Authorizer, authenticate: Authenticate): Recognise {
  return async (request) => {
    const presented = bearerOf(request);
    if (presented === undefined) throw new UnauthorizedError();
    const key = await authorizer.partyOfKey(presented);
    if (key !== undefined) {
      request.principal = { id: key.id, actor: `api-key:${key.id}`, role: "proxy" };
      return key.party;
    }
    demand(await authenticate(presented), "authorize");
    throw new ForbiddenError("the API key is bound to no relying party that is at work");
  };
}

/** By the client certificate of its own, which is known by its SHA-256. The handshake has proved possession of its key. */
export function recogniseByCertificate(authorizer: Authorizer): Recognise {
  const digests = new WeakMap<TLSSocket, Buffer>();
  const digestOf = (socket: TLSSocket): Buffer | undefined => {
    const kept = digests.get(socket);
    if (kept !== undefined) return kept;
    const fingerprint = socket.getPeerX509Certificate()?.fingerprint256;
    if (fingerprint === undefined) return undefined;
    const digest = Buffer.from(fingerprint.replaceAll(":", ""), "hex");
    digests.set(socket, digest);
    return digest;
  };
  return ({ raw: { socket } }) => {
    const digest = socket instanceof TLSSocket ? digestOf(socket) : undefined;
    if (digest === undefined)
      throw new HttpError("no-client-certificate", "the connection has no client certificate");
    const party = authorizer.partyOfCertificate(digest);
    if (party === undefined)
      throw new ForbiddenError("the client certificate is no relying party's");
    return party;
  };
}

/** The pharmacy that the product names, once. */
function pharmacyOf({ headers }: FastifyRequest): string | undefined {
  const given = headers["suido-pharmacy"];
  if (given === undefined || given === "") return undefined;
  const id = typeof given === "string" ? canonicalUuid(given) : undefined;
  if (id !== undefined) return id;
  const fault = { field: "Suido-Pharmacy", detail: "must be a UUID, and come once" };
  throw new HttpError("invalid-request", `${fault.field} ${fault.detail}`, [fault]);
}

async function answer(
  { authorizer, clock, appUrl }: AuthorizeRoutesOptions,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<Static<typeof Authorization>> {
  const { relyingParty } = request;
  if (relyingParty === undefined) throw new Error("an unknown proxy was let in");
  const certificate = clientCertificateOf(request.raw.rawHeaders);
  const pharmacyId = pharmacyOf(request);
  const found = await authorizer.authorize(relyingParty, {
    ...(certificate !== undefined && { certificate }),
    ...(pharmacyId !== undefined && { pharmacyId }),
  });
  if (found === undefined)
    throw new HttpError("status-too-old", "what is known of certificates is too old to go by");
  return answerOf(found, { clock, appUrl }, reply);
}

/** Whether the proxy wants pages. Below `/authorize/` the question mark and what follows are the client's. */
function wantsPages({ query, routeOptions }: FastifyRequest): boolean {
  const { refusals } = query as { readonly refusals?: unknown };
  return refusals === "page" && routeOptions.url?.endsWith("/authorize") === true;
}

/** The help page instead of the problem, with its status. */
function refuseWithPage(error: unknown, pageOf: HelpPages, reply: FastifyReply): FastifyReply {
  const asked = error instanceof TurnedAwayError ? error.page : ({ reason: "other" } as const);
  const page = pageOf(reply, asked);
  return reply
    .code(problemOf(error).status)
    .header("content-type", "text/html; charset=utf-8")
    .serializer(String)
    .send(page);
}

/** Whether it says something about the request. Faults of ours are problems, and logged. */
const isRefusal = (error: unknown): boolean =>
  error instanceof HttpError || problemOf(error).status < 500;

const METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"] as const;

/**
 * `GET /v1/authorize`, and the same below it for proxies that append what they were asked for, with its method (Envoy).
 * Whatever else comes with such a request is its client's, and is not read: neither Accept nor a body.
 */
export async function authorizeRoutes(
  scope: FastifyInstance,
  options: AuthorizeRoutesOptions & { readonly recognise: Recognise },
): Promise<void> {
  scope.decorateRequest("relyingParty", undefined);
  scope.removeAllContentTypeParsers();
  scope.addContentTypeParser("*", (_request, payload, done) => {
    payload.resume();
    done(null, undefined);
  });
  const pageOf = loadHelpPages(options.site, options.appUrl);
  scope.setErrorHandler((error, request, reply) =>
    wantsPages(request) && isRefusal(error)
      ? refuseWithPage(error, pageOf, reply)
      : replyProblem(error, request, reply),
  );
  scope.addHook("onRequest", async (request, reply) => {
    reply.header("cache-control", "no-store");
    const party = await options.recognise(request);
    if (!party.asksPerRequest)
      throw new ForbiddenError(`the relying party ${party.name} is not registered for authorize`);
    request.relyingParty = party;
  });
  const app = scope.withTypeProvider<TypeBoxTypeProvider>();
  const response = { 200: named(Authorization), ...problems() };
  app.get(
    "/authorize",
    {
      schema: {
        summary: "May this request pass: asked by a proxy for each of its requests",
        description:
          "The client's certificate comes in exactly one of X-SSL-Client-Cert (nginx, Apache httpd), X-SSL-Client-DER (HAProxy, Caddy), X-Forwarded-Tls-Client-Cert (Traefik), X-Forwarded-Client-Cert (Envoy) and Client-Cert (RFC 9440). They are believed from a proxy key that is bound to a relying party, and on the mTLS listener from a relying party's own certificate. The ids are in the header fields Suido-Device, Suido-Account, Suido-Pharmacy, Suido-Corporation, Suido-Serial, Suido-Days-Left and Suido-Stage too; who is not identified has Suido-Reason, and Suido-Help with the address of a page for the person. 401 and 403 are also the answers to a proxy that may not ask: type tells them apart.",
        tags: ["Status"],
        headers: AuthorizeHeaders,
        querystring: AuthorizeQuery,
        response,
      },
    },
    (request, reply) => answer(options, request, reply),
  );
  app.route({
    method: [...METHODS],
    url: "/authorize/*",
    schema: { hide: true, response },
    handler: (request, reply) => answer(options, request, reply),
  });
}
