import type { Json, JsonObject } from "./record.ts";

/**
 * The one spelling of a JSON value (RFC 8785): members sorted by the UTF-16 code units of their names (§3.2.3), no white
 * space, numbers and strings as ECMAScript writes them (§3.2.2), so that every program computes the same hash of it.
 */
export function canonicalJson(value: Json): string {
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  if (isArray(value)) return `[${value.map(canonicalJson).join(",")}]`;
  // The default order of toSorted() is that of UTF-16 code units.
  const members = Object.keys(value)
    .toSorted()
    .map((name) => `${JSON.stringify(name)}:${canonicalJson(value[name] ?? null)}`);
  return `{${members.join(",")}}`;
}

/** Array.isArray does not narrow readonly arrays. */
function isArray(value: readonly Json[] | JsonObject): value is readonly Json[] {
  return Array.isArray(value);
}
