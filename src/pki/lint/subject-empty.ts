import type { CertificateLint } from "../lint.ts";
import { findExtension } from "../extension-view.ts";
import { EXTENSION } from "../oids.ts";

/** A CA's subject is never empty; another's only with a critical subjectAltName. */
export const subjectEmpty: CertificateLint = {
  name: "subject_empty",
  cites: "RFC 5280 §4.1.2.6, §4.2.1.6",
  check({ subjectName, extensions, forms }) {
    const alternative = findExtension(extensions, EXTENSION.subjectAltName);
    if (subjectName.length > 0)
      return alternative?.critical === true
        ? "subjectAltName is critical beside a subject"
        : undefined;
    if (forms.basicConstraints?.ca === true) return "the subject of a CA is empty";
    return alternative?.critical === true
      ? undefined
      : "the subject is empty, and no critical subjectAltName stands for it";
  },
};
