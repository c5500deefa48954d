/**
 * The one spelling of a JSON value (RFC 8785): members sorted by the UTF-16 code units of their names (§3.2.3), no white
 * space, numbers and strings as ECMAScript writes them (§3.2.2), so that every program computes the same hash of it.
 * Members that are undefined are none, as in JSON.stringify.
 */
export function canonicalJson(value: unknown): string {
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(",")}]`;
  const members = Object.entries(value)
    .filter(([, member]) => member !== undefined)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, member]) => `${JSON.stringify(name)}:${canonicalJson(member)}`);
  return `{${members.join(",")}}`;
}
