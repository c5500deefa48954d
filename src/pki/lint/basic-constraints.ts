import { findExtension } from "../extension-view.ts";
import type { CertificateLint } from "../lint.ts";
import { EXTENSION } from "../oids.ts";

/** Critical in a CA certificate, pathLenConstraint as promised; stricter: absent from all others. */
export const basicConstraints: CertificateLint = {
  name: "basic_constraints",
  cites: "RFC 5280 §4.2.1.9",
  check({ extensions, forms }, { profile }) {
    const extension = findExtension(extensions, EXTENSION.basicConstraints);
    const { ca, pathLength } = profile.basicConstraints;
    if (!ca) return extension === undefined ? undefined : "an end entity has basic constraints";
    if (forms.basicConstraints?.ca !== true) return "a CA does not say that it is one";
    if (extension?.critical !== true) return "the basic constraints are not critical";
    return forms.basicConstraints.pathLength === pathLength
      ? undefined
      : "the path length is not the profile's";
  },
};
