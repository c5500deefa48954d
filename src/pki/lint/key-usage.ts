import { findExtension } from "../extension-view.ts";
import type { CertificateLint } from "../lint.ts";
import { EXTENSION, KEY_USAGES } from "../oids.ts";

/** Present and critical, without trailing zero bits (X.690 §11.2.2), exactly the profile's bits. */
export const keyUsage: CertificateLint = {
  name: "key_usage",
  cites: "RFC 5280 §4.2.1.3",
  check({ extensions, forms }, { profile }) {
    if (forms.keyUsage === undefined) return "the key usage is missing";
    if (findExtension(extensions, EXTENSION.keyUsage)?.critical !== true)
      return "the key usage is not critical";
    if (!forms.keyUsage.isMinimal)
      return "the key usage has trailing zero bits, or bits without a name";
    const { usages } = forms.keyUsage;
    const asPromised = KEY_USAGES.every(
      (usage) => usages.includes(usage) === profile.keyUsage.includes(usage),
    );
    return asPromised ? undefined : "the key usage is not the profile's";
  },
};
