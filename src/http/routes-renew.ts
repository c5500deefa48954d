import { fastifyFormbody } from "@fastify/formbody";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";

import type { Identification, Identify } from "../ca/identification.ts";
import type { SuccessorOf } from "../ca/successor.ts";
import type { RenewalStart } from "../lifecycle/renewal-start.ts";
import type { Serial } from "../pki/serial.ts";
import { chosenLanguage, inLanguage } from "../web/language.ts";
import { certificateRefused } from "./certificate-refusals.ts";
import { handshakeCertificate } from "./client-certificate.ts";
import { HttpError } from "./errors.ts";
import { askedLanguage } from "./language-choice.ts";
import { prefersHtml } from "./accept.ts";
import { loadRenewPages, type RenewPagesOptions, type Seen } from "./renew-pages.ts";
import { refuseOtherSites } from "./way-session.ts";

export interface RenewOptions extends RenewPagesOptions {
  readonly identify: Identify;
  readonly successorOf: SuccessorOf;
  readonly renewalStart: RenewalStart;
  /** Where the device's own address is. */
  readonly mtlsUrl: string;
}

/** Of a certificate in whose place a newer one may be: whose device or person is out has none that is of use. */
function ownSerial(identification: Identification | undefined): Serial | undefined {
  if (identification?.kind !== "refused") return identification?.serialNumber;
  const { reason, serialNumber } = identification;
  return reason === "revoked" || reason === "expired" ? serialNumber : undefined;
}

/** The page of renewal, and the button on it: whoever shows a good certificate in the handshake has said who it is. */
export async function addRenew(app: FastifyInstance, options: RenewOptions): Promise<void> {
  const { appUrl, identify, mtlsUrl, renewalStart, successorOf } = options;
  const show = loadRenewPages(options);
  const own = refuseOtherSites(mtlsUrl);
  const seenOf = async (request: FastifyRequest): Promise<Seen> => {
    const certificate = handshakeCertificate(request);
    const identification = certificate === undefined ? undefined : await identify(certificate);
    const serial = ownSerial(identification);
    const successor = serial === undefined ? undefined : await successorOf(serial);
    const isPutAside =
      identification?.kind === "identified" && (await renewalStart.isPutAside(identification));
    return { identification, successor, isPutAside };
  };
  const refuse = (request: FastifyRequest, reply: FastifyReply, seen: Seen): FastifyReply => {
    const { identification } = seen;
    if (prefersHtml(request.headers.accept)) return show(request, reply.code(403), seen);
    if (identification?.kind === "refused") throw certificateRefused(identification.reason);
    throw new HttpError("no-client-certificate", "the connection has no client certificate");
  };

  await app.register(async (renewing) => {
    await renewing.register(fastifyFormbody, { bodyLimit: 1024 });
    renewing.addHook("onRequest", own);
    renewing.get("/renew", async (request, reply) => {
      const seen = await seenOf(request);
      return seen.identification?.kind === "identified"
        ? show(request, reply, seen)
        : refuse(request, reply, seen);
    });
    renewing.post("/renew", async (request, reply) => {
      const seen = await seenOf(request);
      const found = seen.identification;
      if (found?.kind !== "identified") return refuse(request, reply, seen);
      if (seen.isPutAside && prefersHtml(request.headers.accept))
        return show(request, reply.code(409), seen);
      if (found.isEmergency && prefersHtml(request.headers.accept))
        return show(request, reply.code(409), seen);
      // Also beside a newer one: whoever says so is another user of the machine, and has none.
      const token = await renewalStart.begin(found);
      const chosen = chosenLanguage({ asked: askedLanguage(request) });
      return reply.redirect(inLanguage(`${appUrl}/renewals/${token}`, chosen), 303);
    });
  });
}
