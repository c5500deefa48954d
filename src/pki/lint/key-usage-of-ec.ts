import type { CertificateLint } from "../lint.ts";
import { KEY_ALGORITHM } from "../oids.ts";

/** An id-ecPublicKey key "MUST NOT" assert keyEncipherment or dataEncipherment; the leaf's is for signatures only. */
export const keyUsageOfEc: CertificateLint = {
  name: "key_usage_of_ec",
  cites: "RFC 8813 §3",
  check({ keyAlgorithm, forms }) {
    if (keyAlgorithm !== KEY_ALGORITHM.ecPublicKey) return undefined;
    const usages = forms.keyUsage?.usages ?? [];
    return usages.includes("keyEncipherment") || usages.includes("dataEncipherment")
      ? "an EC key is said to encipher"
      : undefined;
  },
};
