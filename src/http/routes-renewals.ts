import type { FastifyPluginAsyncTypebox } from "@fastify/type-provider-typebox";

import type { Certificates } from "../ca/certificates.ts";
import type { CertificateState, DeviceStatus } from "../ca/device-status.ts";
import type { RenewalTimes } from "../lifecycle/renewal-times.ts";
import type { Clock } from "../pki/clock.ts";
import { parseSerial } from "../pki/serial.ts";
import type { Principal } from "../registry/principal.ts";
import type { PublicUrls } from "../web/home-page.ts";
import { inLanguage } from "../web/language.ts";
import { renewalBanner, renewalText } from "../web/renewal-banner.ts";
import { firstNamed } from "./accept.ts";
import { principalOf } from "./authentication.ts";
import { bodyProblems, named, problems, SerialParams } from "./schemas/common.ts";
import { BannerQuery, RenewalBanner, RenewalOrder, RenewalTime } from "./schemas/renewals.ts";

export interface RenewalRoutesOptions {
  readonly renewalTimes: RenewalTimes;
  readonly certificates: Certificates;
  readonly deviceStatus: DeviceStatus;
  readonly clock: Clock;
  readonly urls: PublicUrls;
}

const HTML = "text/html";
const BANNER_TYPES = ["application/json", HTML] as const;

/** Whether the device is to be told: an unproven successor may be one that never reached it. */
async function isDue(
  { certificates, clock, renewalTimes }: Omit<RenewalRoutesOptions, "deviceStatus" | "urls">,
  principal: Principal,
  { serialNumber, status, replacedBy }: CertificateState,
): Promise<boolean> {
  if (status !== "good") return false;
  const time = await renewalTimes.of(principal, serialNumber);
  if (time === undefined || time.renewFrom > clock()) return false;
  if (replacedBy === undefined) return true;
  return (await certificates.one(principal, replacedBy)).provenAt === undefined;
}

/** What a product shows on its own page. */
export const bannerRoutes: FastifyPluginAsyncTypebox<RenewalRoutesOptions> = async (
  app,
  options,
) => {
  app.get(
    "/banner/:serialNumber",
    {
      config: { permission: "status:read", mediaTypes: BANNER_TYPES },
      schema: {
        summary: "What a product shows while a device is to renew its certificate",
        description:
          "JSON; or, where Accept names text/html first or with ?format=html, a fragment without script and style, which is empty where nothing is due.",
        tags: ["Status"],
        params: SerialParams,
        querystring: BannerQuery,
        response: {
          200: {
            description: "The banner.",
            content: {
              "application/json": { schema: named(RenewalBanner) },
              [HTML]: { schema: { type: "string" } },
            },
          },
          ...problems(404),
        },
      },
    },
    async (request, reply) => {
      const principal = principalOf(request);
      const serial = parseSerial(request.params.serialNumber);
      const { format, lang: language = "ja" } = request.query;
      const state = await options.deviceStatus.status(principal, serial, {});
      const due = await isDue(options, principal, state);
      const { daysLeft } = state;
      const link = `${options.urls.mtls}/renew`;
      const wantsHtml =
        format === "html" || firstNamed(request.headers.accept, BANNER_TYPES) === HTML;
      reply
        .header("vary", "Accept")
        .type(wantsHtml ? `${HTML}; charset=utf-8` : "application/json");
      if (wantsHtml) {
        const facts = { daysLeft, link: inLanguage(link, request.query.lang), language };
        return due ? String(renewalBanner(facts)) : "";
      }
      return { due, daysLeft, ...(due && { text: renewalText(daysLeft), link }) };
    },
  );
};

/** When certificates are renewed. */
export const renewalRoutes: FastifyPluginAsyncTypebox<RenewalRoutesOptions> = async (
  app,
  { renewalTimes },
) => {
  app.post(
    "/certificates/:serialNumber/renew-now",
    {
      config: { permission: "certificates:replace" },
      schema: {
        summary: "Ask the device to renew at once, and not on the day that was its own",
        description:
          "For incidents. The certificate itself stays as it is. Asked for again, nothing changes.",
        tags: ["Certificates"],
        params: SerialParams,
        body: RenewalOrder,
        response: { 200: named(RenewalTime), ...bodyProblems(404, 409) },
      },
    },
    (request) => {
      const serial = parseSerial(request.params.serialNumber);
      return renewalTimes.orderNow(principalOf(request), serial, request.body.reason);
    },
  );
};
