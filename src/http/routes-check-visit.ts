import type { TypeBoxTypeProvider } from "@fastify/type-provider-typebox";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";

import { isReachHost, nonceOfHost } from "../lifecycle/checks.ts";
import type { Visit, VisitCheck } from "../lifecycle/proof.ts";
import { loadCheckStyle } from "../web/assets.ts";
import { checkPage } from "../web/check-page.ts";
import { chooseLanguage } from "../web/language.ts";
import type { SiteFacts } from "../web/site.ts";
import { prefersHtml } from "./accept.ts";
import { handshakeCertificate } from "./client-certificate.ts";
import { HttpError } from "./errors.ts";
import { pagePolicy } from "./help-pages.ts";
import { askedLanguage } from "./language-choice.ts";
import { CheckVisit } from "./schemas/certificates.ts";
import { readOn } from "./way-view.ts";

export interface CheckVisitOptions {
  readonly visitCheck: VisitCheck;
  /** Below its host each check has one of its own. */
  readonly checkUrl: string;
  /** The IANA zone in which dates are written. */
  readonly timeZone: string;
  readonly site: SiteFacts;
}

/** What the page says, for programs. */
function answerOf({ outcome, commonName, device, proof }: Visit): object {
  return {
    outcome,
    ...(commonName !== undefined && { commonName }),
    ...(device !== undefined && { deviceName: device.name, pharmacyName: device.pharmacyName }),
    ...proof,
  };
}

/** `GET /` at the host of a check, on the mTLS listener. At any other host there is nothing. */
export function addCheckVisit(app: FastifyInstance, options: CheckVisitOptions): void {
  const { checkUrl, visitCheck, timeZone, site } = options;
  const style = loadCheckStyle(site);
  const policy = pagePolicy(style);

  const pageOf = (request: FastifyRequest, reply: FastifyReply, visit: Visit): FastifyReply => {
    const acceptLanguage = request.headers["accept-language"];
    const language = chooseLanguage({ asked: askedLanguage(request), acceptLanguage });
    const on = readOn(request, visit.device?.platform);
    const page = checkPage(visit, { style, site, language, timeZone, on });
    return reply
      .headers({
        "content-type": "text/html; charset=utf-8",
        "content-security-policy": policy,
        "referrer-policy": "no-referrer",
      })
      .serializer(String)
      .send(page);
  };

  app
    .withTypeProvider<TypeBoxTypeProvider>()
    .get(
      "/",
      { schema: { response: { "2xx": CheckVisit, 404: CheckVisit } } },
      async (request, reply) => {
        if (isReachHost(request.host, checkUrl)) return reply.code(204).send(undefined as never);
        const nonce = nonceOfHost(request.host, checkUrl);
        if (nonce === undefined)
          throw new HttpError("no-such-route", "nothing is served at this address");
        const visit = await visitCheck(nonce, handshakeCertificate(request));
        reply.code(visit.outcome === "ended" ? 404 : 200).header("vary", "Accept, Accept-Language");
        return prefersHtml(request.headers.accept)
          ? pageOf(request, reply, visit)
          : reply.send(answerOf(visit) as never);
      },
    );
}
