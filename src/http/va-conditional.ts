import type { IncomingHttpHeaders } from "node:http";

/** What a client may already have. */
export interface Validators {
  readonly etag: string;
  /** Whole seconds, in milliseconds since 1970. */
  readonly modifiedAt: number;
}

/** Whether the client has this already (RFC 9110 §13.1.2, §13.1.3): a tag, where there is one, decides alone. */
export function isUnchanged(headers: IncomingHttpHeaders, validators: Validators): boolean {
  const tags = headers["if-none-match"];
  if (tags !== undefined) return namesTag(tags, validators.etag);
  const since = headers["if-modified-since"];
  if (since === undefined) return false;
  return Date.parse(since) >= validators.modifiedAt;
}

/** Weak comparison, as If-None-Match wants it (RFC 9110 §8.8.3.2). */
export function namesTag(tags: string, etag: string): boolean {
  if (tags === etag || tags.trim() === "*") return true;
  return tags.split(",").some((tag) => tag.trim().replace(/^W\//, "") === etag);
}
