import { findExtension } from "../extension-view.ts";
import type { CertificateLint } from "../lint.ts";
import { EXTENSION } from "../oids.ts";

/** "Conforming CAs MUST mark this extension as non-critical"; stricter: every location is an http URI. */
export const authorityInformationAccess: CertificateLint = {
  name: "authority_information_access",
  cites: "RFC 5280 §4.2.2.1",
  check({ extensions, forms }) {
    if (findExtension(extensions, EXTENSION.authorityInfoAccess)?.critical === true)
      return "the authority information access is critical";
    const isHttp = (forms.authorityInfoAccess ?? []).every(
      ({ location }) => location.tag === 6 && /^http:\/\/[\x21-\x7e]+$/.test(location.text ?? ""),
    );
    return isHttp ? undefined : "an access location is not an http URI";
  },
};
