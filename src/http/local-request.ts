import type { FastifyRequest } from "fastify";

/**
 * Whether a request comes straight from this machine. What a proxy on this machine passes on is not: each of the fields
 * that proxies add says so, and our own configurations for proxies add one.
 */
export function isLocal({ socket, headers }: Pick<FastifyRequest, "socket" | "headers">): boolean {
  const { remoteAddress = "" } = socket;
  const isForwarded = ["forwarded", "x-forwarded-for", "x-real-ip", "via"].some(
    (name) => headers[name] !== undefined,
  );
  return !isForwarded && /^(?:(?:::ffff:)?127\.\d+\.\d+\.\d+|::1)$/.test(remoteAddress);
}
