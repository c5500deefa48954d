import type { CertificateLint } from "../lint.ts";
import { firstFault, upperBoundFault } from "../name.ts";

/** The upper bounds count characters, so 64 characters of four octets each fit, and 65 letters do not. */
export const nameUpperBounds: CertificateLint = {
  name: "name_upper_bounds",
  cites: "RFC 5280 appendix A.1",
  check: ({ issuerName, subjectName }) =>
    firstFault(issuerName, upperBoundFault) ?? firstFault(subjectName, upperBoundFault),
};
