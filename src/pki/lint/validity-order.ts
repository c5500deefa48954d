import type { CertificateLint } from "../lint.ts";

/** The validity is the time from notBefore through notAfter, and none of it lies behind the issuer's (stricter: the RFC leaves nesting open). */
export const validityOrder: CertificateLint = {
  name: "validity_order",
  cites: "RFC 5280 §4.1.2.5",
  check({ notBefore, notAfter }, { issuer }) {
    if (notBefore.date > notAfter.date) return "the certificate ends before it begins";
    return issuer.notAfter !== undefined && notAfter.date > issuer.notAfter
      ? "the certificate outlives its issuer"
      : undefined;
  },
};
