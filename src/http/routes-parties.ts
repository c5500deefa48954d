import type { FastifyPluginAsyncTypebox } from "@fastify/type-provider-typebox";

import type { Acknowledge } from "../ca/acknowledgement.ts";
import type { Propagate } from "../ca/propagation.ts";
import { parseSerial } from "../pki/serial.ts";
import type { RelyingParties } from "../registry/relying-parties.ts";
import { principalOf } from "./authentication.ts";
import { addCollection } from "./collection.ts";
import { bodyProblems, named, problems, SerialParams } from "./schemas/common.ts";
import * as schemas from "./schemas/parties.ts";

export interface PartyRoutesOptions {
  readonly relyingParties: RelyingParties;
  readonly acknowledge: Acknowledge;
  readonly propagate: Propagate;
}

/** `/relying-parties`, what they acknowledge, and who enforces a revocation. */
export const partyRoutes: FastifyPluginAsyncTypebox<PartyRoutesOptions> = async (
  app,
  { acknowledge, propagate, relyingParties },
) => {
  const tags = ["Relying parties"];
  addCollection(app, {
    path: "/relying-parties",
    one: "a relying party",
    tag: "Relying parties",
    removal: "It is retired: its keys are dead, it holds up nothing, and its history stays.",
    permissions: { read: "parties:read", write: "parties:write" },
    schemas: {
      item: schemas.RelyingParty,
      create: schemas.NewRelyingParty,
      change: schemas.RelyingPartyChange,
      query: schemas.RelyingPartyQuery,
    },
    ...relyingParties,
  });
  app.post(
    "/acknowledgements",
    {
      config: { permission: "parties:acknowledge" },
      schema: {
        summary: "Say what is in force at the relying party of this key",
        description:
          "The whole of it, after each change and every few minutes: what is not named is not in force.",
        tags,
        body: schemas.InForce,
        response: { 200: named(schemas.Acknowledged), ...bodyProblems() },
      },
    },
    (request) => acknowledge(principalOf(request), request.body),
  );
  app.get(
    "/certificates/:serialNumber/propagation",
    {
      config: { permission: "certificates:read" },
      schema: {
        summary: "Who enforces a revocation or hold, since when, and who lags",
        tags,
        params: SerialParams,
        response: { 200: named(schemas.Propagation), ...problems(404, 409) },
      },
    },
    (request) => propagate(principalOf(request), parseSerial(request.params.serialNumber)),
  );
};
