import { equal } from "../bytes.ts";
import type { CertificateLint } from "../lint.ts";

/** Clients chain names byte for byte, whatever §7.1 allows: the issuer's name is copied, never encoded anew. */
export const issuerName: CertificateLint = {
  name: "issuer_name",
  cites: "RFC 5280 §4.1.2.4, §7.1",
  check({ issuer, issuerName: name }, { issuer: facts }) {
    if (name.length === 0) return "the issuer's name is empty";
    return equal(issuer, facts.subject)
      ? undefined
      : "the issuer's name is not the issuer's subject, byte for byte";
  },
};
