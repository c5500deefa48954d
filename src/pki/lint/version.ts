import type { CertificateLint } from "../lint.ts";

/** "When extensions are used, as expected in this profile, version MUST be 3 (value is 2)." */
export const version: CertificateLint = {
  name: "version",
  cites: "RFC 5280 §4.1.2.1",
  check: ({ version: value }) => (value === 2 ? undefined : "the version is not 3"),
};
