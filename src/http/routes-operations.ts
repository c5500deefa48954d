import type { FastifyPluginAsyncTypebox } from "@fastify/type-provider-typebox";
import { Type } from "typebox";

import { type Authenticate, checkKey } from "./authentication.ts";
import { isLocal } from "./local-request.ts";
import { problems } from "./schemas/common.ts";

const tags = ["Operations"];

/** How a process and its roles are. */
export interface Readiness {
  readonly ready: boolean;
  readonly roles: Readonly<Record<string, RoleState>>;
}

export interface RoleState {
  readonly ready: boolean;
  /** Why not, in a sentence that anybody may read. */
  readonly detail?: string;
}

/** What `/metrics` shows: a registry of prom-client, or anything like it. */
export interface MetricsSource {
  readonly contentType: string;
  metrics(): Promise<string>;
}

export interface OperationsOptions {
  readonly readiness: () => Promise<Readiness>;
  readonly metrics: MetricsSource;
  readonly authenticate: Authenticate;
}

const Live = Type.Object({ status: Type.String({ enum: ["live"] }) });
const Ready = Type.Object({
  ready: Type.Boolean(),
  roles: Type.Unsafe<Readiness["roles"]>({
    type: "object",
    additionalProperties: {
      type: "object",
      properties: { ready: { type: "boolean" }, detail: { type: "string" } },
      required: ["ready"],
    },
  }),
});

/** For those who keep the service running: is it there, and can it work. */
export const healthRoutes: FastifyPluginAsyncTypebox<OperationsOptions> = async (
  app,
  { readiness },
) => {
  const security: [] = [];
  app.get(
    "/health/live",
    {
      schema: { summary: "The process answers", tags, security, response: { 200: Live } },
    },
    async (_request, reply) => {
      reply.header("cache-control", "no-store");
      return { status: "live" };
    },
  );
  app.get(
    "/health/ready",
    {
      schema: {
        summary: "Each role of this process can do its work",
        tags,
        security,
        response: { 200: Ready, 503: Ready },
      },
    },
    async (_request, reply) => {
      const state = await readiness();
      return reply
        .code(state.ready ? 200 : 503)
        .header("cache-control", "no-store")
        .send(state);
    },
  );
};

/** The service's figures. */
export const metricsRoutes: FastifyPluginAsyncTypebox<OperationsOptions> = async (
  app,
  { metrics, authenticate },
) => {
  app.get(
    "/metrics",
    {
      schema: {
        summary: "Figures in Prometheus's text format",
        description:
          "Open to requests from the machine itself. Others, and those that a proxy passed on, need a key with metrics:read.",
        tags,
        response: {
          200: {
            description: "Prometheus's text format.",
            content: { "text/plain": { schema: Type.String() } },
          },
          ...problems(),
        },
      },
      onRequest: async (request) => {
        if (!isLocal(request)) await checkKey(request, "metrics:read", authenticate);
      },
    },
    async (_request, reply) =>
      reply
        .header("cache-control", "no-store")
        .type(metrics.contentType)
        .serializer(String)
        .send(await metrics.metrics()),
  );
};
