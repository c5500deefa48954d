import type { FastifyReply, FastifyRequest } from "fastify";

import type { IdempotentRequest } from "../registry/idempotency.ts";
import { principalOf } from "./authentication.ts";
import { requestHash } from "./request-hash.ts";

/**
 * The Idempotency-Key of a request with what it stands for, or undefined: what was asked is its body, unless told
 * otherwise. A replayed answer will say so.
 */
export function idempotencyOf(
  request: FastifyRequest,
  reply: FastifyReply,
  asked: unknown = request.body,
): IdempotentRequest | undefined {
  const key = request.headers["idempotency-key"];
  if (typeof key !== "string") return undefined;
  const path = request.url.split("?", 1)[0] ?? "";
  return {
    apiKeyId: principalOf(request).id,
    key,
    requestHash: requestHash({ method: request.method, path, body: asked }),
    onReplayed: () => void reply.header("idempotency-replayed", "true"),
  };
}
