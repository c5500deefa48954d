import { findExtension } from "../extension-view.ts";
import type { CertificateLint } from "../lint.ts";
import { ACCESS_METHOD, EXTENSION } from "../oids.ts";

/** noRevAvail "MUST NOT" be in a CA certificate, or beside CRL distribution points, freshest CRL, or an OCSP location. */
export const noRevocationAvailable: CertificateLint = {
  name: "no_revocation_available",
  cites: "RFC 9608 §2, §3",
  check({ extensions, forms }) {
    const extension = findExtension(extensions, EXTENSION.noRevAvail);
    if (extension === undefined) return undefined;
    const hasOcsp = (forms.authorityInfoAccess ?? []).some(
      ({ method }) => method === ACCESS_METHOD.ocsp,
    );
    const hasList =
      forms.cRLDistributionPoints !== undefined ||
      findExtension(extensions, EXTENSION.freshestCRL) !== undefined;
    return forms.basicConstraints?.ca === true || hasOcsp || hasList || extension.critical
      ? "a certificate says that it cannot be revoked, and where to find its revocation"
      : undefined;
  },
};
