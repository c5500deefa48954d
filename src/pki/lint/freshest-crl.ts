import { findExtension } from "../extension-view.ts";
import type { CertificateLint } from "../lint.ts";
import { EXTENSION } from "../oids.ts";

/** "MUST be marked as non-critical"; stricter: absent, because proxies let revoked certificates in when they find a delta. */
export const freshestCrl: CertificateLint = {
  name: "freshest_crl",
  cites: "RFC 5280 §4.2.1.15",
  check: ({ extensions }) =>
    findExtension(extensions, EXTENSION.freshestCRL) === undefined
      ? undefined
      : "a delta list is announced",
};
