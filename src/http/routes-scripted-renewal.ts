import type { TypeBoxTypeProvider } from "@fastify/type-provider-typebox";
import type { FastifyInstance, FastifyRequest } from "fastify";

import type { Identified } from "../ca/identification.ts";
import type { AskRenewal } from "../lifecycle/scripted-renewal.ts";
import { closed } from "./schemas/common.ts";
import { RenewalAnswer } from "./schemas/renewals.ts";
import { refuseOtherSites } from "./way-session.ts";

export interface ScriptedRenewalOptions {
  readonly askRenewal: AskRenewal;
  readonly mtlsUrl: string;
}

/**
 * `POST /v1/renewal`: the script of a machine asks whether its certificate's time has come. The handshake is the sign-in. What it
 * gets then opens one certificate at the app, whose key it makes only now.
 */
export async function addScriptedRenewal(
  app: FastifyInstance,
  { askRenewal, mtlsUrl }: ScriptedRenewalOptions,
  demand: (request: FastifyRequest) => Promise<Identified>,
): Promise<void> {
  await app.register(async (renewing) => {
    renewing.addHook("onRequest", refuseOtherSites(mtlsUrl));
    renewing
      .withTypeProvider<TypeBoxTypeProvider>()
      .post(
        "/v1/renewal",
        { schema: { body: closed({}), response: { 200: RenewalAnswer } } },
        (request) => demand(request).then(askRenewal),
      );
  });
}
