import { STATUS_CODES } from "node:http";

import type { FastifyReply } from "fastify";

import type { Problem } from "./problem.ts";

/**
 * A problem document that says no more than its status (RFC 9457 §4.2.1). This listener is for machines that read the
 * status and nothing else.
 */
export function bareProblem(status: number): Problem {
  return { type: "about:blank", title: STATUS_CODES[status] ?? "Error", status };
}

/** Answers with a bare problem, which nobody may keep. */
export function sendProblem(reply: FastifyReply, status: number): FastifyReply {
  return reply
    .code(status)
    .header("cache-control", "no-store")
    .type("application/problem+json")
    .send(JSON.stringify(bareProblem(status)));
}
