import { equal } from "../bytes.ts";
import { findExtension } from "../extension-view.ts";
import type { CertificateLint } from "../lint.ts";
import { EXTENSION } from "../oids.ts";

/** In every CA certificate (stricter: in every certificate), non-critical, made from the key by method (1). */
export const subjectKeyIdentifier: CertificateLint = {
  name: "subject_key_identifier",
  cites: "RFC 5280 §4.2.1.2",
  check({ keyOctets, extensions, forms }, { digest }) {
    if (forms.subjectKeyIdentifier === undefined) return "the subject key identifier is missing";
    if (findExtension(extensions, EXTENSION.subjectKeyIdentifier)?.critical === true)
      return "the subject key identifier is critical";
    return equal(forms.subjectKeyIdentifier, digest("sha1", keyOctets))
      ? undefined
      : "the subject key identifier is not the hash of the key";
  },
};
