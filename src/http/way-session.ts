import { fastifyCookie } from "@fastify/cookie";
import { fastifyFormbody } from "@fastify/formbody";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";

import { HttpError } from "./errors.ts";
import { keepChoice } from "./language-choice.ts";

/** Forms have few fields; the longest is a certification request. */
const FORM_LIMIT = 16_384;

/** As long as an invitation lives and a little more, in seconds: the last page is looked at again. */
const MAX_AGE_SECONDS = 15 * 24 * 60 * 60;

/** Where a browser keeps the secret by which it goes on. */
export interface WaySession {
  /** Nothing, where there is none. */
  of(request: FastifyRequest): string;
  keep(reply: FastifyReply, secret: string): void;
}

/**
 * Refuses what another site's page has sent. Browsers say where a request comes from (Fetch §3.2, "Origin" on every POST);
 * a program, which has no cookies of anybody, says nothing.
 */
export function refuseOtherSites(appUrl: string): (request: FastifyRequest) => Promise<void> {
  const own = new URL(appUrl).origin;
  return async ({ method, headers }) => {
    const { origin, host } = headers;
    const site = headers["sec-fetch-site"];
    if (method === "GET" || method === "HEAD") return;
    const isOwn =
      site === undefined
        ? origin === undefined ||
          origin === own ||
          (URL.canParse(origin) && new URL(origin).host === host)
        : site === "same-origin";
    if (!isOwn) throw new HttpError("other-site", "another site's page has sent this");
  };
}

/** Takes forms, keeps cookies and shuts out other sites, for all routes of `app`. */
export async function addWaySession(app: FastifyInstance, appUrl: string): Promise<WaySession> {
  await app.register(fastifyFormbody, { bodyLimit: FORM_LIMIT });
  await app.register(fastifyCookie);
  app.addHook("onRequest", refuseOtherSites(appUrl));
  keepChoice(app, appUrl);
  const secure = appUrl.startsWith("https:");
  // The prefix makes browsers refuse one that another host of the domain has set (RFC 6265bis §4.1.3.2).
  const name = secure ? "__Host-suido-way" : "suido-way";
  return {
    of: ({ cookies }) => cookies[name] ?? "",
    keep: (reply, secret) =>
      void reply.setCookie(name, secret, {
        path: "/",
        httpOnly: true,
        // Lax: a link in a mail leads to where the person was.
        sameSite: "lax",
        secure,
        maxAge: MAX_AGE_SECONDS,
      }),
  };
}
