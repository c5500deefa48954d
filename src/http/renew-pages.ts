import type { FastifyReply, FastifyRequest } from "fastify";

import type { Identification, Refused } from "../ca/identification.ts";
import { renewableUntil } from "../ca/renewal-grace.ts";
import type { Successor } from "../ca/successor.ts";
import type { Clock } from "../pki/clock.ts";
import { loadCheckStyle } from "../web/assets.ts";
import type { Html } from "../web/html.ts";
import { chooseLanguage, chosenLanguage, inLanguage } from "../web/language.ts";
import {
  emergencyRenewPage,
  renewPage,
  type RenewRefusalFacts,
  renewRefusalPage,
} from "../web/renew-page.ts";
import type { SiteFacts } from "../web/site.ts";
import { loadHelpPages, pagePolicy } from "./help-pages.ts";
import { askedLanguage } from "./language-choice.ts";
import { readOn } from "./way-view.ts";

export interface RenewPagesOptions {
  readonly site: SiteFacts;
  readonly clock: Clock;
  readonly timeZone: string;
  /** Where the browser goes on, and where a code is typed. */
  readonly appUrl: string;
}

/** What a device has shown, and what it has instead. */
export interface Seen {
  /** Undefined without a certificate. */
  readonly identification: Identification | undefined;
  readonly successor: Successor | undefined;
  /** Whether a new machine has taken the place of the whole device. */
  readonly isPutAside: boolean;
}

/** The pages of renewal, as answers. */
export type RenewPages = (request: FastifyRequest, reply: FastifyReply, seen: Seen) => FastifyReply;

const send = (reply: FastifyReply, page: Html): FastifyReply =>
  reply
    .headers({
      "content-type": "text/html; charset=utf-8",
      "referrer-policy": "same-origin",
      vary: "Accept, Accept-Language",
    })
    .serializer(String)
    .send(page);

/** What of a refused certificate decides on its page; undefined of one that is none of ours. */
function refusalOf(
  { reason, notAfter }: Refused,
  { appUrl, clock }: RenewPagesOptions,
): RenewRefusalFacts | undefined {
  if (["malformed", "foreign-issuer", "unknown", "not-yet-valid"].includes(reason))
    return undefined;
  if (reason !== "expired" || notAfter === undefined) return { refusal: "stopped" };
  const until = renewableUntil(notAfter);
  return until < clock()
    ? { refusal: "tooLate" }
    : { refusal: "late", until, start: `${appUrl}/start` };
}

/** Why a certificate is not renewed here, if it is not. */
function refusedFor(
  request: FastifyRequest,
  { identification, isPutAside, successor }: Seen,
  options: RenewPagesOptions,
): RenewRefusalFacts | undefined {
  if (identification === undefined) return undefined;
  const { serialNumber } = identification;
  const known = serialNumber !== undefined && { serialNumber };
  const isKept = identification.kind === "identified";
  if (successor === undefined && isPutAside) return { refusal: "stopped", ...known };
  if (successor === undefined) {
    const refusal = isKept ? undefined : refusalOf(identification, options);
    return refusal && { ...refusal, ...known };
  }
  const registered = isKept ? identification.device.platform : undefined;
  return {
    refusal: "replaced",
    newer: successor,
    on: readOn(request, registered),
    ...known,
    ...(isKept && !isPutAside && { action: actionOf(request) }),
  };
}

/** Where the form leads, in the language that was chosen. */
const actionOf = (request: FastifyRequest): string =>
  inLanguage("/renew", chosenLanguage({ asked: askedLanguage(request) }));

/** Loads what the pages share. */
export function loadRenewPages(options: RenewPagesOptions): RenewPages {
  const { appUrl, site, timeZone } = options;
  const style = loadCheckStyle(site);
  const help = loadHelpPages(site, appUrl);
  // A form's answer may lead to the app: Chromium asks the policy about that address too.
  const policy = pagePolicy(style, `'self' ${new URL(appUrl).origin}`);
  return (request, reply, seen) => {
    const [asked, acceptLanguage] = [askedLanguage(request), request.headers["accept-language"]];
    const language = chooseLanguage({ asked, acceptLanguage });
    const context = { style, site, timeZone, language };
    const { identification } = seen;
    const refusal = refusedFor(request, seen, options);
    if (refusal !== undefined) {
      reply.header("content-security-policy", policy);
      return send(reply, renewRefusalPage(refusal, context));
    }
    if (identification?.kind !== "identified")
      return send(reply, help(reply, { reason: identification === undefined ? "none" : "other" }));
    reply.header("content-security-policy", policy);
    const { device, isEmergency, notAfter, pharmacy } = identification;
    const names = { deviceName: device.name, pharmacyName: pharmacy.name };
    const page = isEmergency ? emergencyRenewPage : renewPage;
    return send(reply, page({ ...names, notAfter, action: actionOf(request) }, context));
  };
}
