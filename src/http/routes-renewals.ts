import type { FastifyPluginAsyncTypebox } from "@fastify/type-provider-typebox";

import type { RenewalTimes } from "../lifecycle/renewal-times.ts";
import { parseSerial } from "../pki/serial.ts";
import { principalOf } from "./authentication.ts";
import { bodyProblems, named, SerialParams } from "./schemas/common.ts";
import { RenewalOrder, RenewalTime } from "./schemas/renewals.ts";

export interface RenewalRoutesOptions {
  readonly renewalTimes: RenewalTimes;
}

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
