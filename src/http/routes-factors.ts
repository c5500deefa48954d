import type { FastifyPluginAsyncTypebox } from "@fastify/type-provider-typebox";

import type { SecondFactors } from "../lifecycle/factors/second-factors.ts";
import { principalOf } from "./authentication.ts";
import { idempotencyOf } from "./idempotency.ts";
import {
  bodyProblems,
  CreationHeaders,
  Done,
  IdParams,
  named,
  problems,
} from "./schemas/common.ts";
import * as schemas from "./schemas/factors.ts";

export interface FactorRoutesOptions {
  readonly secondFactors: SecondFactors;
}

const tags = ["Accounts"];

/** What support does with the factors of people. */
export const factorRoutes: FastifyPluginAsyncTypebox<FactorRoutesOptions> = async (
  app,
  { secondFactors },
) => {
  app.get(
    "/accounts/:id/second-factors",
    {
      config: { permission: "factors:read" },
      schema: {
        summary: "With what a person can confirm who they are at night",
        tags,
        params: IdParams,
        response: { 200: named(schemas.SecondFactorList), ...problems(404) },
      },
    },
    (request) => secondFactors.list(principalOf(request), request.params.id),
  );
  app.delete(
    "/accounts/:id/second-factors/:factorId",
    {
      config: { permission: "factors:write" },
      schema: {
        summary: "Remove a second factor, as when its telephone is lost",
        description: "The person is told by mail.",
        tags,
        params: schemas.FactorParams,
        response: { 204: Done, ...problems(404) },
      },
    },
    async (request, reply) => {
      const { factorId, id } = request.params;
      await secondFactors.remove(principalOf(request), id, factorId);
      return reply.code(204).send(undefined);
    },
  );
  app.post(
    "/accounts/:id/factor-links",
    {
      config: { permission: "factors:write" },
      schema: {
        summary: "Say that the person was identified, and mail them a link to add a second factor",
        description:
          "The link works once, within an hour. Nobody but the person's own mailbox gets it: with a shared address, or none, it is a conflict.",
        tags,
        params: IdParams,
        headers: CreationHeaders,
        body: schemas.NewFactorInvitation,
        response: { 201: named(schemas.FactorInvitation), ...bodyProblems(404, 409) },
      },
    },
    async (request, reply) => {
      const inviting = { ...request.body, idempotency: idempotencyOf(request, reply) };
      const made = await secondFactors.invite(principalOf(request), request.params.id, inviting);
      return reply.code(201).send(made);
    },
  );
};
