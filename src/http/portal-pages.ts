import type { FastifyReply, FastifyRequest } from "fastify";

import type { Assets } from "../web/assets.ts";
import type { Html } from "../web/html.ts";
import { WAY_EN } from "../web/messages/way-en.ts";
import { WAY_JA } from "../web/messages/way-ja.ts";
import type { PortalContext } from "../web/portal-layout.ts";
import type { SiteFacts } from "../web/site.ts";
import { troublePage } from "../web/trouble-page.ts";
import type { ShowTrouble } from "./error-replies.ts";
import { languageOf, pathOf } from "./language-choice.ts";

export interface PortalPagesOptions {
  readonly assets: Assets;
  /** The IANA zone in which dates are written. */
  readonly timeZone: string;
  readonly site: SiteFacts;
}

/** Pages of the portal that need no script, as answers. */
export interface PortalPages {
  contextOf(request: FastifyRequest): PortalContext;
  send(reply: FastifyReply, page: Html): FastifyReply;
  /** For a person whose request failed. */
  readonly showTrouble: ShowTrouble;
}

const WORDS = { ja: WAY_JA, en: WAY_EN } as const;

/** Forms that stand on another page than their address begins with. */
const STANDS_ON: Readonly<Record<string, string>> = {
  "/emergency": "/emergency/next",
  "/sign-out": "/sign-in",
};

/** Where somebody goes on whose request has failed. */
function goOnPath(request: FastifyRequest): string {
  const path = pathOf(request);
  return request.method === "GET" ? path : (STANDS_ON[path] ?? path);
}

const send: PortalPages["send"] = (reply, page) =>
  reply
    .headers({
      "content-type": "text/html; charset=utf-8",
      "cache-control": "no-store",
      // Not no-referrer: under it forms say that they come from nowhere (Fetch §3.2, "Origin: null").
      "referrer-policy": "same-origin",
      vary: "Accept, Accept-Language, Cookie",
    })
    .serializer(String)
    .send(page);

export function createPortalPages(options: PortalPagesOptions): PortalPages {
  const contextOf: PortalPages["contextOf"] = (request) => {
    const language = languageOf(request);
    return { ...options, language, words: WORDS[language], path: pathOf(request) };
  };
  return {
    contextOf,
    send,
    showTrouble: (request, reply, trouble) =>
      send(reply, troublePage(trouble, { ...contextOf(request), path: goOnPath(request) })),
  };
}

/** A page with a script that only speaks with this very host. */
const POLICY = [
  "default-src 'none'",
  "style-src 'self'",
  "img-src 'self'",
  "script-src 'self'",
  "connect-src 'self'",
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join("; ");

/** Sends what `draw` draws, in the language of who looks. */
export type ShowPage = (
  request: FastifyRequest,
  reply: FastifyReply,
  draw: (context: PortalContext) => Html,
) => FastifyReply;

/** Pages of the portal with a script, that belong together below `path`: a form's answer has its other language there. */
export function scriptedPages(pages: PortalPages, path: string): ShowPage {
  return (request, reply, draw) => {
    const context = pages.contextOf(request);
    const own = request.method === "GET" ? context.path : path;
    reply.header("content-security-policy", POLICY);
    return pages.send(reply, draw({ ...context, path: own }));
  };
}
