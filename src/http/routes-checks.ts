import type { FastifyPluginAsyncTypebox } from "@fastify/type-provider-typebox";

import type { Checks } from "../lifecycle/checks.ts";
import { parseSerial } from "../pki/serial.ts";
import { ForbiddenError } from "../staff/errors.ts";
import { principalOf } from "./authentication.ts";
import { idempotencyOf } from "./idempotency.ts";
import { bodyOrNone } from "./json-body.ts";
import { Check, Nothing } from "./schemas/certificates.ts";
import { bodyProblems, CreationHeaders, named, SerialParams } from "./schemas/common.ts";

export interface CheckRoutesOptions {
  readonly checks: Checks;
}

/** Making a check of an installation. Visiting it is the mTLS listener's. */
export const checkRoutes: FastifyPluginAsyncTypebox<CheckRoutesOptions> = async (
  app,
  { checks },
) => {
  app.post(
    "/certificates/:serialNumber/checks",
    {
      config: { permission: "certificates:check" },
      schema: {
        summary: "A fresh address at which a device shows that a certificate works on it",
        description:
          "To be opened on the device, in its browser, within ten minutes. The handshake with that very certificate proves it, once: provenAt, and the event certificate.proven. Whatever else is shown there is explained. The address is kept by nobody: with the same Idempotency-Key it is the same check at a new one, and the one before is over.",
        tags: ["Certificates"],
        headers: CreationHeaders,
        params: SerialParams,
        body: Nothing,
        response: { 201: named(Check), ...bodyProblems(404) },
      },
      preValidation: bodyOrNone,
    },
    async (request, reply) => {
      const principal = principalOf(request);
      if (principal.role === "product" && principal.corporationId === undefined)
        throw new ForbiddenError("the key of a product has to be bound to a corporation for this");
      const serial = parseSerial(request.params.serialNumber);
      const idempotency = idempotencyOf(request, reply);
      reply.code(201);
      return checks.create(principal, serial, idempotency);
    },
  );
};
