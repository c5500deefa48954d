import type { CertificateLint } from "../lint.ts";

/** "CAs conforming to this profile MUST NOT generate certificates with unique identifiers." */
export const uniqueIdentifiers: CertificateLint = {
  name: "unique_identifiers",
  cites: "RFC 5280 §4.1.2.8",
  check: ({ hasUniqueIdentifiers }) =>
    hasUniqueIdentifiers ? "there is a unique identifier" : undefined,
};
