import { findExtension } from "../extension-view.ts";
import type { CertificateLint } from "../lint.ts";
import { EXTENSION, KEY_PURPOSE } from "../oids.ts";

const NULL = "5,0";

/** A delegate's key has OCSPSigning alone; id-pkix-ocsp-nocheck is NULL, non-critical, and nobody else's. */
export const ocspResponder: CertificateLint = {
  name: "ocsp_responder",
  cites: "RFC 6960 §4.2.2.2, §4.2.2.2.1",
  check({ extensions, forms }) {
    const noCheck = findExtension(extensions, EXTENSION.ocspNoCheck);
    const isCa = forms.basicConstraints?.ca === true;
    const isResponder = !isCa && (forms.extKeyUsage ?? []).includes(KEY_PURPOSE.OCSPSigning);
    if (isResponder && forms.extKeyUsage?.length !== 1)
      return "an OCSP responder's key has another purpose too";
    if ((noCheck !== undefined) !== isResponder)
      return "nocheck goes with OCSP responders, and with nobody else";
    if (noCheck === undefined) return undefined;
    return noCheck.critical || noCheck.value.join(",") !== NULL
      ? "nocheck is critical, or not NULL"
      : undefined;
  },
};
