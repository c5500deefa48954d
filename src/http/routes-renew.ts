import { fastifyFormbody } from "@fastify/formbody";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";

import type { Identification, Identified, Identify } from "../ca/identification.ts";
import type { RenewalStart } from "../lifecycle/renewal-start.ts";
import { loadCheckStyle } from "../web/assets.ts";
import type { HelpReason } from "../web/messages/help-en.ts";
import { chooseLanguage, chosenLanguage, inLanguage } from "../web/language.ts";
import { emergencyRenewPage, renewPage } from "../web/renew-page.ts";
import type { SiteFacts } from "../web/site.ts";
import { certificateRefused } from "./certificate-refusals.ts";
import { handshakeCertificate } from "./client-certificate.ts";
import { HttpError } from "./errors.ts";
import { loadHelpPages, pagePolicy } from "./help-pages.ts";
import { askedLanguage } from "./pages.ts";
import { prefersHtml } from "./accept.ts";
import { refuseOtherSites } from "./way-session.ts";

export interface RenewOptions {
  readonly identify: Identify;
  readonly renewalStart: RenewalStart;
  readonly site: SiteFacts;
  readonly timeZone: string;
  /** Where the device's own address is, and where its browser goes on. */
  readonly mtlsUrl: string;
  readonly appUrl: string;
}

/** Which help page says why a certificate does not renew itself. */
function helpOf(identification: Identification | undefined): HelpReason {
  if (identification === undefined) return "none";
  if (identification.kind === "identified") return "other";
  const { reason } = identification;
  if (reason === "expired") return "expired";
  return reason === "unknown" || reason === "malformed" || reason === "foreign-issuer"
    ? "other"
    : "revoked";
}

const send = (reply: FastifyReply, page: object): FastifyReply =>
  reply
    .headers({
      "content-type": "text/html; charset=utf-8",
      "referrer-policy": "same-origin",
      vary: "Accept, Accept-Language",
    })
    .serializer(String)
    .send(page);

/** The page of renewal, and the button on it: whoever shows a good certificate in the handshake has said who it is. */
export async function addRenew(app: FastifyInstance, options: RenewOptions): Promise<void> {
  const { appUrl, identify, mtlsUrl, renewalStart, site, timeZone } = options;
  const style = loadCheckStyle(site);
  const help = loadHelpPages(site);
  // A form's answer may lead to the app: Chromium asks the policy about that address too.
  const policy = pagePolicy(style, `'self' ${new URL(appUrl).origin}`);
  const own = refuseOtherSites(mtlsUrl);
  const shown = async (request: FastifyRequest): Promise<Identification | undefined> => {
    const certificate = handshakeCertificate(request);
    return certificate === undefined ? undefined : identify(certificate);
  };
  const refuse = (
    request: FastifyRequest,
    reply: FastifyReply,
    identification: Identification | undefined,
  ): FastifyReply => {
    if (prefersHtml(request.headers.accept))
      return send(reply.code(403), help(reply, { reason: helpOf(identification) }));
    if (identification?.kind === "refused") throw certificateRefused(identification.reason);
    throw new HttpError("no-client-certificate", "the connection has no client certificate");
  };

  const page = (request: FastifyRequest, reply: FastifyReply, found: Identified): FastifyReply => {
    const [asked, acceptLanguage] = [askedLanguage(request), request.headers["accept-language"]];
    const language = chooseLanguage({ asked, acceptLanguage });
    const action = inLanguage("/renew", chosenLanguage({ asked }));
    const { device, isEmergency, notAfter, pharmacy } = found;
    const facts = { deviceName: device.name, pharmacyName: pharmacy.name, notAfter, action };
    reply.header("content-security-policy", policy);
    const shownPage = isEmergency ? emergencyRenewPage : renewPage;
    return send(reply, shownPage(facts, { style, site, timeZone, language }));
  };

  await app.register(async (renewing) => {
    await renewing.register(fastifyFormbody, { bodyLimit: 1024 });
    renewing.addHook("onRequest", own);
    renewing.get("/renew", async (request, reply) => {
      const found = await shown(request);
      return found?.kind === "identified"
        ? page(request, reply, found)
        : refuse(request, reply, found);
    });
    renewing.post("/renew", async (request, reply) => {
      const found = await shown(request);
      if (found?.kind !== "identified") return refuse(request, reply, found);
      if (found.isEmergency && prefersHtml(request.headers.accept))
        return page(request, reply.code(409), found);
      const token = await renewalStart.begin(found);
      const chosen = chosenLanguage({ asked: askedLanguage(request) });
      return reply.redirect(inLanguage(`${appUrl}/renewals/${token}`, chosen), 303);
    });
  });
}
