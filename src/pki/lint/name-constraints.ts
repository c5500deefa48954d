import { findExtension } from "../extension-view.ts";
import type { CertificateLint } from "../lint.ts";
import { EXTENSION } from "../oids.ts";

/** "The name constraints extension … MUST be used only in a CA certificate" and "MUST mark this extension as critical". */
export const nameConstraints: CertificateLint = {
  name: "name_constraints",
  cites: "RFC 5280 §4.2.1.10",
  check({ extensions, forms }) {
    const extension = findExtension(extensions, EXTENSION.nameConstraints);
    if (extension === undefined) return undefined;
    return extension.critical && forms.basicConstraints?.ca === true
      ? undefined
      : "name constraints are critical, and a CA's";
  },
};
