import { InvalidValueError } from "./errors.ts";

/**
 * What has no place in a line of text: control characters, line and paragraph separators, and the marks that override
 * the direction of writing (UTR #36 §2.5: with them a name shows as something else than it is).
 */
const FORBIDDEN = /[\p{Cc}\p{Zl}\p{Zp}\u202a-\u202e\u2066-\u2069]/u;

/** Something that one can see: neither a space, nor a format character, nor a mark without a letter. */
const VISIBLE = /[^\p{Z}\p{C}\p{M}]/u;

/**
 * A name as people type it: trimmed, in Normalization Form C (so that equal names are equal bytes), on one line, visible,
 * and of at most `max` characters (code points, as PostgreSQL counts them). Throws InvalidValueError.
 */
export function parseName(text: string, field: string, max: number): string {
  if (!text.isWellFormed()) throw new InvalidValueError(field, "is not well-formed Unicode");
  const name = text.normalize("NFC").trim();
  if (FORBIDDEN.test(name))
    throw new InvalidValueError(field, "contains control characters or direction overrides");
  if (!VISIBLE.test(name)) throw new InvalidValueError(field, "is empty");
  if (lengthOf(name) > max) throw new InvalidValueError(field, `is longer than ${max} characters`);
  return name;
}

/**
 * An identifier that another system gave. It is kept as it came, because that system compares it octet by octet
 * (OpenID Connect Core 1.0 §2: `sub` is case-sensitive). Throws InvalidValueError.
 */
export function parseForeignId(text: string, field: string, max: number): string {
  if (!text.isWellFormed() || FORBIDDEN.test(text)) {
    throw new InvalidValueError(field, "contains control characters or direction overrides");
  }
  if (text === "" || text.trim() !== text)
    throw new InvalidValueError(field, "is empty or has spaces around it");
  if (lengthOf(text) > max) throw new InvalidValueError(field, `is longer than ${max} characters`);
  return text;
}

/** In code points. */
function lengthOf(text: string): number {
  let length = 0;
  for (const _ of text) length += 1;
  return length;
}
