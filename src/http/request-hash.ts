import { createHash } from "node:crypto";

import { canonicalJson } from "../pki/canonical-json.ts";

/** SHA-256 over method, path and body: what makes two requests the same for an Idempotency-Key. */
export function requestHash(request: {
  readonly method: string;
  readonly path: string;
  readonly body: unknown;
}): Uint8Array {
  const body = request.body === undefined ? "" : canonicalJson(request.body);
  return createHash("sha256").update(`${request.method}\n${request.path}\n${body}`).digest();
}
