import { createHash } from "node:crypto";

/** JSON with the members of each object in the order of their names, so that equal values have equal texts. */
function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_name, member: unknown) =>
    typeof member === "object" && member !== null && !Array.isArray(member)
      ? Object.fromEntries(Object.entries(member).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : member,
  );
}

/** SHA-256 over method, path and body: what makes two requests the same for an Idempotency-Key. */
export function requestHash(request: {
  readonly method: string;
  readonly path: string;
  readonly body: unknown;
}): Uint8Array {
  return createHash("sha256")
    .update(`${request.method}\n${request.path}\n${canonicalJson(request.body) ?? ""}`)
    .digest();
}
