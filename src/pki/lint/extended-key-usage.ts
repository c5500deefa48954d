import { findExtension } from "../extension-view.ts";
import type { CertificateLint } from "../lint.ts";
import { ANY_EXTENDED_KEY_USAGE, EXTENSION, KEY_PURPOSE } from "../oids.ts";

/** Exactly the profile's purposes in its order, non-critical, never anyExtendedKeyUsage. */
export const extendedKeyUsage: CertificateLint = {
  name: "extended_key_usage",
  cites: "RFC 5280 §4.2.1.12",
  check({ extensions, forms }, { profile }) {
    const purposes = forms.extKeyUsage ?? [];
    if (purposes.includes(ANY_EXTENDED_KEY_USAGE)) return "the key may be used for anything";
    if (findExtension(extensions, EXTENSION.extKeyUsage)?.critical === true)
      return "the extended key usage is critical";
    const promised = profile.extendedKeyUsage.map((purpose) => KEY_PURPOSE[purpose]);
    const asPromised =
      purposes.length === promised.length &&
      promised.every((purpose, i) => purposes[i] === purpose);
    return asPromised ? undefined : "the extended key usage is not the profile's";
  },
};
