import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";

import type { Clock } from "../pki/clock.ts";
import type { Asset, Assets } from "../web/assets.ts";
import { type AuthorityFacts, consolePage } from "../web/console-page.ts";
import { helpReason } from "../web/help-page.ts";
import { homePage, type PublicUrls } from "../web/home-page.ts";
import type { Html } from "../web/html.ts";
import { catalogue, chooseLanguage } from "../web/language.ts";
import type { PageContext } from "../web/layout.ts";
import { notFoundPage } from "../web/not-found-page.ts";
import { problemPage, problemsPage } from "../web/problem-pages.ts";
import type { SiteFacts } from "../web/site.ts";
import { loadHelpPages } from "./help-pages.ts";
import { askedLanguage } from "./language-choice.ts";
import { createPortalPages } from "./portal-pages.ts";
import { shownProblems } from "./problem.ts";
import type { Readiness } from "./routes-operations.ts";

export interface PagesOptions {
  readonly urls: PublicUrls;
  /** The IANA zone in which dates are written. */
  readonly timeZone: string;
  readonly clock: Clock;
  /** Under which name and look people meet the service. */
  readonly site: SiteFacts;
  readonly readiness: () => Promise<Readiness>;
  /** The authorities as their published certificates and lists say it. Nothing else may come from here: the page is public. */
  readonly authorities: () => Promise<readonly AuthorityFacts[]>;
}

/** What else may answer with a page. */
export interface Pages {
  notFound(request: FastifyRequest, reply: FastifyReply): FastifyReply;
}

/** A year, the longest that caches keep anything; the address changes with the content. */
const FOR_EVER = "public, max-age=31536000, immutable";

function sendPage(reply: FastifyReply, page: Html): FastifyReply {
  return reply
    .headers({
      "content-type": "text/html; charset=utf-8",
      "cache-control": "no-cache",
      vary: "Accept, Accept-Language",
    })
    .send(String(page));
}

/** A serial number as certificates have it (RFC 5280 §4.1.2.2), in hexadecimal: nothing else is shown. */
const SERIAL = /^[0-9a-f]{1,40}$/i;

/** `/help/certificate`, for whoever a proxy sends there. */
function addHelpPage(app: FastifyInstance, { site, urls }: PagesOptions): void {
  const pageOf = loadHelpPages(site, urls.app);
  app.get("/help/certificate", { schema: { hide: true } }, ({ query }, reply) => {
    const { reason, serial } = query as { readonly reason?: unknown; readonly serial?: unknown };
    const asked = {
      reason: helpReason(reason),
      ...(typeof serial === "string" && SERIAL.test(serial) && { serialNumber: serial }),
    };
    return sendPage(reply, pageOf(reply, asked));
  });
}

/** The pages for people, and what they load. */
export function addPages(
  app: FastifyInstance,
  options: PagesOptions & { readonly assets: Assets },
): Pages {
  const { assets, site } = options;
  const problems = shownProblems();
  const schema = { hide: true };
  const contextOf = (request: FastifyRequest, path: string): PageContext => ({
    catalogue: catalogue(
      chooseLanguage({
        asked: askedLanguage(request),
        acceptLanguage: request.headers["accept-language"],
      }),
    ),
    assets,
    site,
    path,
  });
  const people = createPortalPages(options);
  const notFound: Pages["notFound"] = (request, reply) =>
    people.send(reply.code(404), notFoundPage({ ...people.contextOf(request), path: "/" }));

  addHelpPage(app, options);
  const { icon, logo, passkeys, portal, style, way } = assets;
  const files = [style, icon, logo, portal, way, passkeys];
  for (const { path, type, body } of files.filter((file): file is Asset => file !== undefined)) {
    app.get(path, { schema }, (_request, reply) =>
      reply.headers({ "content-type": type, "cache-control": FOR_EVER }).send(body),
    );
  }
  app.get("/", { schema }, (request, reply) =>
    sendPage(reply, homePage(contextOf(request, "/"), options.urls)),
  );
  app.get("/console", { schema }, async (request, reply) => {
    const { urls, timeZone, clock, readiness } = options;
    const [{ ready, roles }, authorities] = await Promise.all([readiness(), options.authorities()]);
    const facts = { now: clock(), timeZone, urls, ready, roles, authorities };
    return sendPage(reply, consolePage(contextOf(request, "/console"), facts));
  });
  app.get("/problems", { schema }, (request, reply) =>
    sendPage(reply, problemsPage(contextOf(request, "/problems"), problems)),
  );
  for (const problem of problems) {
    const path = `/problems/${problem.code}`;
    app.get(path, { schema }, (request, reply) =>
      sendPage(reply, problemPage(contextOf(request, path), problem)),
    );
  }
  return { notFound };
}
