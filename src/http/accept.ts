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

/** Whether a caller takes JSON, or the other type that is served. Without the header anything goes. */
export function acceptsJson(accept: string | undefined, other?: string): boolean {
  if (accept === undefined || accept.trim() === "") return true;
  return wanted(accept).some((range) => JSON_RANGES.has(range) || range === other);
}

/** Whether it is a person's browser that asks: browsers name text/html, programs do not. */
export function prefersHtml(accept: string | undefined): boolean {
  return accept !== undefined && wanted(accept).includes("text/html");
}
