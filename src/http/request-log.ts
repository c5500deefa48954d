import type { FastifyInstance, FastifyRequest } from "fastify";

/** Told of each answer: for metrics. */
export type OnAnswer = (answer: {
  readonly method: string;
  readonly route: string;
  readonly status: number;
  readonly seconds: number;
}) => void;

/** The pattern of the route, never the address: that holds ids, and whatever somebody typed. */
export function routeOf(request: FastifyRequest): string {
  return request.routeOptions.url ?? "(none)";
}

/** One line for each request, with nothing in it that the caller chose. */
export function installRequestLog(app: FastifyInstance, onAnswer?: OnAnswer): void {
  app.addHook("onResponse", async (request, reply) => {
    const { method } = request;
    const { statusCode: status, elapsedTime: ms } = reply;
    const route = routeOf(request);
    request.log.info(
      {
        method,
        route,
        status,
        ms: Math.round(ms * 10) / 10,
        ...(request.principal !== undefined && { principal: request.principal.id }),
      },
      "answered",
    );
    onAnswer?.({ method, route, status, seconds: ms / 1000 });
  });
}
