import type { FastifyPluginAsyncTypebox } from "@fastify/type-provider-typebox";

import type { FastifyReply, FastifyRequest } from "fastify";

import type { EnrolmentVisit, EnrolmentVisits, InHand } from "../lifecycle/enrolment-visits.ts";
import { prefersHtml } from "./accept.ts";
import { HttpError } from "./errors.ts";
import * as schemas from "./schemas/enrolments.ts";

export interface EnrolmentVisitOptions {
  readonly enrolmentVisits: EnrolmentVisits;
  /** What a browser gets, as long as there is no page. */
  readonly showNoPage: (request: FastifyRequest, reply: FastifyReply) => FastifyReply;
}

function answerOf({ state, isReplaced, open }: EnrolmentVisit) {
  return { state, isReplaced, ...open };
}

/** Throws HttpError unless it is exactly one of the two. */
function inHandOf({ token, code }: { readonly token?: string; readonly code?: string }): InHand {
  if (token !== undefined && code === undefined) return { kind: "link", text: token };
  if (code !== undefined && token === undefined) return { kind: "code", text: code };
  const detail = "or code is needed, and not both";
  throw new HttpError("invalid-request", `token ${detail}`, [{ field: "token", detail }]);
}

/**
 * What a person's page and program do with a link or a code: no key, and JSON only, which no other site's form can send.
 */
export const enrolmentVisitRoutes: FastifyPluginAsyncTypebox<EnrolmentVisitOptions> = async (
  app,
  { enrolmentVisits, showNoPage },
) => {
  app.addHook("onRequest", async (_request, reply) => {
    reply.header("cache-control", "no-store");
  });
  const response = { 200: schemas.EnrolmentVisit };
  app.get("/start/:token", { schema: { hide: true, response } }, async (request, reply) => {
    if (prefersHtml(request.headers.accept)) return showNoPage(request, reply);
    const { token } = request.params as { readonly token: string };
    return answerOf(await enrolmentVisits.open({ kind: "link", text: token }));
  });
  app.post("/start", { schema: { hide: true, body: schemas.InHand, response } }, ({ body }) =>
    enrolmentVisits.start(inHandOf(body)).then(answerOf),
  );
};
