/** The media ranges of an Accept header that are wanted at all (RFC 9110 §12.5.1: q=0 excludes). */
function wanted(accept: string): readonly string[] {
  return accept
    .split(",")
    .map((range) => range.trim().toLowerCase())
    .filter((range) => !/;\s*q=0(?:\.0{0,3})?\s*$/.test(range))
    .map((range) => (range.split(";")[0] ?? "").trim());
}

const JSON_RANGES = new Set([
  "application/json",
  "application/problem+json",
  "application/*",
  "*/*",
]);

/** Whether a caller takes JSON, or one of the other types that are served. Without the header anything goes. */
export function acceptsJson(accept: string | undefined, others: readonly string[] = []): boolean {
  if (accept === undefined || accept.trim() === "") return true;
  return wanted(accept).some((range) => JSON_RANGES.has(range) || others.includes(range));
}

/** Which of these types the caller names first; undefined where he names none. */
export function firstNamed<const Types extends readonly string[]>(
  accept: string | undefined,
  types: Types,
): Types[number] | undefined {
  return wanted(accept ?? "").find((range) => types.includes(range));
}

/** Whether it is a person's browser that asks: browsers name text/html, programs do not. */
export function prefersHtml(accept: string | undefined): boolean {
  return accept !== undefined && wanted(accept).includes("text/html");
}
