import type { FastifyPluginAsyncTypebox } from "@fastify/type-provider-typebox";

import type { CertificateState, DeviceStatus } from "../ca/device-status.ts";
import type { Successor, SuccessorOf } from "../ca/successor.ts";
import type { RenewalTimes } from "../lifecycle/renewal-times.ts";
import type { Clock } from "../pki/clock.ts";
import { parseSerial } from "../pki/serial.ts";
import type { Principal } from "../registry/principal.ts";
import { type Banner, bannerOf } from "../web/banner.ts";
import type { PublicUrls } from "../web/home-page.ts";
import { inLanguage } from "../web/language.ts";
import { firstNamed } from "./accept.ts";
import { principalOf } from "./authentication.ts";
import { bodyProblems, named, problems, SerialParams } from "./schemas/common.ts";
import { BannerQuery, RenewalBanner, RenewalOrder, RenewalTime } from "./schemas/renewals.ts";

export interface RenewalRoutesOptions {
  readonly renewalTimes: RenewalTimes;
  readonly deviceStatus: DeviceStatus;
  readonly successorOf: SuccessorOf;
  readonly clock: Clock;
  readonly urls: PublicUrls;
}

const HTML = "text/html";
const BANNER_TYPES = ["application/json", HTML] as const;

interface Told {
  readonly kind: "renew" | "replaced";
  readonly daysLeft?: number;
  readonly successor?: Successor;
}

/** Whether it has ended by itself or by its successor, or works still: what somebody has stopped is not the device's to mend. */
const isInItsLine = ({ status, reason }: CertificateState): boolean =>
  status === "good" || status === "expired" || (status === "revoked" && reason === "superseded");

/**
 * What the device is to be told: to show the successor that it has, or to renew. A successor that nobody has proven is none:
 * it may never have reached the device.
 */
async function bannerDue(
  { clock, renewalTimes, successorOf }: RenewalRoutesOptions,
  principal: Principal,
  state: CertificateState,
): Promise<Told | undefined> {
  const { daysLeft, serialNumber, status } = state;
  if (!isInItsLine(state)) return undefined;
  const successor = await successorOf(serialNumber);
  if (successor !== undefined) return { kind: "replaced", successor };
  if (status !== "good") return undefined;
  const time = await renewalTimes.of(principal, serialNumber);
  const isDue = time !== undefined && time.renewFrom <= clock();
  return isDue ? { kind: "renew", daysLeft } : undefined;
}

/** For programs: without the names of what stands on a screen. */
function answerOf({ kind, successor }: Told, { text, link }: Banner) {
  if (successor === undefined) return { due: true, state: kind, text, link };
  const { serialNumber, notAfter, daysLeft } = successor;
  return { due: true, state: kind, text, link, successor: { serialNumber, notAfter, daysLeft } };
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
        summary:
          "What a product shows while a device is to renew its certificate, or to show the one that it has renewed to",
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
      const told = await bannerDue(options, principal, state);
      const { daysLeft } = state;
      const wantsHtml =
        format === "html" || firstNamed(request.headers.accept, BANNER_TYPES) === HTML;
      reply
        .header("vary", "Accept")
        .type(wantsHtml ? `${HTML}; charset=utf-8` : "application/json");
      if (told === undefined) return wantsHtml ? "" : { due: false, daysLeft };
      const address = `${options.urls.mtls}/renew`;
      const link = wantsHtml ? inLanguage(address, request.query.lang) : address;
      const banner = bannerOf({ ...told, link });
      return wantsHtml
        ? String(banner.fragment(language))
        : { daysLeft, ...answerOf(told, banner) };
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
