import type { FastifyReply, FastifyRequest } from "fastify";

import type { Pkcs12Answer } from "../ca/issuance.ts";
import { reachUrl } from "../lifecycle/checks.ts";
import type { Clock } from "../pki/clock.ts";
import type { Assets } from "../web/assets.ts";
import type { AuthorityFacts } from "../web/console-page.ts";
import { equipmentPage } from "../web/equipment-page.ts";
import type { PublicUrls } from "../web/home-page.ts";
import type { Html } from "../web/html.ts";
import type { Language } from "../web/language.ts";
import { WAY_EN } from "../web/messages/way-en.ts";
import type { WayMessages } from "../web/messages/way-words.ts";
import { WAY_JA } from "../web/messages/way-ja.ts";
import type { PortalContext } from "../web/portal-layout.ts";
import { SCRIPT_FILE, windowsScript } from "../web/script/windows-script.ts";
import type { SiteFacts } from "../web/site.ts";
import { scriptPage } from "../web/way/script-page.ts";
import { serverKeyPage, wayPage, type WayView } from "../web/way/way-page.ts";
import { languageOf, pathOf } from "./language-choice.ts";

export interface WayPagesOptions {
  readonly assets: Assets;
  readonly clock: Clock;
  /** The IANA zone in which dates are written. */
  readonly timeZone: string;
  readonly site: SiteFacts;
  /** Below its host each check has one of its own. */
  readonly checkUrl: string;
  readonly urls: PublicUrls;
  readonly authorities: () => Promise<readonly AuthorityFacts[]>;
}

/** For whose machine a script is, and what it has of it. */
interface ScriptMade {
  readonly view: WayView;
  readonly secret: string;
}

/** The pages of the way, as answers. */
export interface WayPages {
  languageOf(request: FastifyRequest): "ja" | "en";
  wordsOf(request: FastifyRequest): WayMessages;
  show(request: FastifyRequest, reply: FastifyReply, view: WayView): FastifyReply;
  /** The page for whoever sets up machines, with its script. */
  showScript(request: FastifyRequest, reply: FastifyReply, view: WayView): FastifyReply;
  /** The script, as a file. */
  sendScript(request: FastifyRequest, reply: FastifyReply, made: ScriptMade): FastifyReply;
  /** What whoever looks after the equipment needs to know. */
  showEquipment(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply>;
  /** The file of a key that we made: sent once, with its password, and kept nowhere. */
  showKey(
    request: FastifyRequest,
    reply: FastifyReply,
    made: { readonly view: WayView; readonly pkcs12: Pkcs12Answer | undefined },
  ): FastifyReply;
}

const WORDS = { ja: WAY_JA, en: WAY_EN } as const;

/** Scripts of our own; a form that leads to a check, whose host is another each time; and the question whether it is there. */
function policyOf(checkUrl: string): string {
  const { protocol, host } = new URL(checkUrl);
  const checks = `${protocol}//*.${host}`;
  return [
    "default-src 'none'",
    "style-src 'self'",
    "img-src 'self'",
    "script-src 'self'",
    `connect-src 'self' ${checks}`,
    `form-action 'self' ${checks}`,
    "base-uri 'none'",
    "frame-ancestors 'none'",
  ].join("; ");
}

function scriptFor(
  { secret, view: { deviceName = "", pharmacyName = "" } }: ScriptMade,
  { site, urls }: WayPagesOptions,
  language: Language,
): string {
  const facts = { secret, appUrl: urls.app, mtlsUrl: urls.mtls, deviceName, pharmacyName };
  return windowsScript({ ...facts, siteName: site.name[language] }, language);
}

export function createWayPages(options: WayPagesOptions): WayPages {
  const { assets, authorities, checkUrl, clock, site, timeZone, urls } = options;
  const policy = policyOf(checkUrl);
  const { hostname, port } = new URL(checkUrl);
  const reach = {
    url: reachUrl(checkUrl),
    host: `*.${hostname}`,
    port: port === "" ? "443" : port,
  };
  const contextOf = (request: FastifyRequest): PortalContext => {
    const language = languageOf(request);
    const path = pathOf(request);
    return { language, words: WORDS[language], assets, timeZone, site, path };
  };
  const send = (reply: FastifyReply, page: Html): FastifyReply =>
    reply
      .headers({
        "content-type": "text/html; charset=utf-8",
        "content-security-policy": policy,
        "cache-control": "no-store",
        // Not no-referrer: under it forms say that they come from nowhere (Fetch §3.2, "Origin: null").
        "referrer-policy": "same-origin",
        vary: "Accept, Accept-Language, Cookie",
      })
      .serializer(String)
      .send(page);
  return {
    languageOf,
    wordsOf: (request) => WORDS[languageOf(request)],
    show: (request, reply, view) =>
      send(reply, wayPage(view, contextOf(request), { now: clock(), reach })),
    showScript: (request, reply, view) => send(reply, scriptPage(contextOf(request), view)),
    sendScript: (request, reply, made) =>
      reply
        .headers({
          "content-type": "application/octet-stream",
          "content-disposition": `attachment; filename="${SCRIPT_FILE}"`,
        })
        .serializer(String)
        .send(scriptFor(made, options, languageOf(request))),
    async showEquipment(request, reply) {
      const facts = { urls, checkUrl, authorities: await authorities() };
      return send(reply, equipmentPage(facts, contextOf(request)));
    },
    showKey(request, reply, { view, pkcs12 }) {
      const context = contextOf(request);
      const page = serverKeyPage(context, {
        ...view,
        data: pkcs12?.data,
        password: pkcs12?.password,
      });
      return send(reply, page);
    },
  };
}
