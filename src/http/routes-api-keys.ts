import type { FastifyPluginAsyncTypebox } from "@fastify/type-provider-typebox";

import type { ApiKeys } from "../staff/api-keys.ts";
import { principalOf } from "./authentication.ts";
import { ApiKey, ApiKeyQuery } from "./schemas/api-keys.ts";
import { Done, IdParams, named, page, problems } from "./schemas/common.ts";

export interface ApiKeyRoutesOptions {
  readonly apiKeys: Pick<ApiKeys, "list" | "revoke">;
}

/** Looking at API keys and revoking them. Making one is the command's, which shows the secret to a person. */
export const apiKeyRoutes: FastifyPluginAsyncTypebox<ApiKeyRoutesOptions> = async (
  app,
  { apiKeys },
) => {
  const tags = ["API keys"];
  app.get(
    "/api-keys",
    {
      config: { permission: "keys:manage" },
      schema: {
        summary: "A page of them, by id",
        tags,
        querystring: ApiKeyQuery,
        response: { 200: page(named(ApiKey)), ...problems(422) },
      },
    },
    (request) => apiKeys.list(principalOf(request), request.query),
  );
  app.delete(
    "/api-keys/:id",
    {
      config: { permission: "keys:manage" },
      schema: {
        summary: "Revoke an API key",
        description: "For good. Revoking twice is revoking once.",
        tags,
        params: IdParams,
        response: { 204: Done, ...problems(404) },
      },
    },
    async (request, reply) => {
      await apiKeys.revoke(principalOf(request), request.params.id);
      return reply.code(204).send(undefined);
    },
  );
};
