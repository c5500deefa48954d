import type { CertificateLint } from "../lint.ts";

/** keyCertSign and cA are asserted together or not at all; a CA of ours signs its lists too. */
export const keyUsageOfCa: CertificateLint = {
  name: "key_usage_of_ca",
  cites: "RFC 5280 §4.2.1.3, §4.2.1.9",
  check({ forms }) {
    const isCa = forms.basicConstraints?.ca === true;
    const usages = forms.keyUsage?.usages ?? [];
    return usages.includes("keyCertSign") === isCa && usages.includes("cRLSign") === isCa
      ? undefined
      : "keyCertSign and cRLSign go with cA, and with nothing else";
  },
};
