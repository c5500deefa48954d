import { STATUS_CODES } from "node:http";

import type { FastifyReply } from "fastify";

/**
 * A problem document that says no more than its status (RFC 9457 §4.2.1). This listener is for machines that read the
 * status and nothing else; nobody may keep the answer.
 */
export function sendProblem(reply: FastifyReply, status: number): FastifyReply {
  const title = STATUS_CODES[status] ?? "Error";
  return reply
    .code(status)
    .header("cache-control", "no-store")
    .type("application/problem+json")
    .send(JSON.stringify({ type: "about:blank", title, status }));
}
