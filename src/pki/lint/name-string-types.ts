import type { CertificateLint } from "../lint.ts";
import { firstFault, stringTypeFault } from "../name.ts";

/** "CAs MUST use either the PrintableString or UTF8String …"; country, serialNumber, dnQualifier PrintableString; emailAddress, DC IA5String. */
export const nameStringTypes: CertificateLint = {
  name: "name_string_types",
  cites: "RFC 5280 §4.1.2.4, appendix A.1",
  check: ({ issuerName, subjectName }) =>
    firstFault(issuerName, stringTypeFault) ?? firstFault(subjectName, stringTypeFault),
};
