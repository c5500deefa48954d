import type { GeneralName } from "../extension-view.ts";
import type { CertificateLint } from "../lint.ts";

/** RFC 3986 §3: a scheme, and something behind it; visible ASCII only. */
const ABSOLUTE_URI = /^[A-Za-z][A-Za-z0-9+.-]*:[\x21-\x7e]+$/;
/** RFC 1034 §3.5 with underscores left out and, as RFC 6125 §6.4.3 has it, one star as the whole first label. */
const DNS_NAME =
  /^(?:\*\.)?(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)*[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?$/;
const MAILBOX = /^[\x21-\x3f\x41-\x7e]+@[A-Za-z0-9.-]+$/;

function fault({ tag, text = "", content }: GeneralName): string | undefined {
  switch (tag) {
    case 1:
      return MAILBOX.test(text) ? undefined : "an rfc822Name is no ASCII mailbox";
    case 2:
      return text.length <= 253 && DNS_NAME.test(text) ? undefined : "a dNSName is no host name";
    case 6:
      return ABSOLUTE_URI.test(text) ? undefined : "a URI is not absolute, or not ASCII";
    case 7:
      return content.length === 4 || content.length === 16
        ? undefined
        : "an iPAddress has neither 4 nor 16 octets";
    default:
      return "a name of a kind that we do not use";
  }
}

/** Each name has the form of its kind; the parser has seen that there is at least one. */
export const subjectAlternativeName: CertificateLint = {
  name: "subject_alternative_name",
  cites: "RFC 5280 §4.2.1.6",
  check({ forms }) {
    for (const name of forms.subjectAltName ?? []) {
      const found = fault(name);
      if (found !== undefined) return found;
    }
    return undefined;
  },
};
