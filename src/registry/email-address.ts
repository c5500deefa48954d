import { InvalidValueError } from "./errors.ts";

/** RFC 5321 §4.5.3.1.1 and §4.5.3.1.3: a path has 256 octets, of which the angle brackets take two. */
const MAX_LOCAL_PART = 64;
const MAX_ADDRESS = 254;

/**
 * Atoms and dots (RFC 5322 §3.2.3). Looser: dots may stand anywhere, since Japanese carriers handed out such addresses
 * for years. Stricter: no quoted local part, so no space, comma, colon, semicolon or bracket that a mailer could take
 * for a second recipient.
 */
const LOCAL_PART = /^[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]+$/;

/** RFC 1034 §3.5 with RFC 1123 §2.1: letters, digits and inner hyphens, at most 63 octets. IDNs come as A-labels. */
const LABEL = /^[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?$/;

/** One plain address (RFC 5321 §4.1.2, Mailbox), trimmed. Throws InvalidValueError. */
export function parseEmailAddress(text: string, field: string): string {
  const address = text.trim();
  const at = address.lastIndexOf("@");
  const localPart = address.slice(0, at);
  const labels = address.slice(at + 1).split(".");
  const fits = at > 0 && at <= MAX_LOCAL_PART && address.length <= MAX_ADDRESS;
  if (!fits || !LOCAL_PART.test(localPart) || !labels.every((label) => LABEL.test(label))) {
    throw new InvalidValueError(field, "is not one plain e-mail address");
  }
  return address;
}
