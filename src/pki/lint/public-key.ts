import { PkiError } from "../errors.ts";
import { checkPublicKey, parsePublicKey } from "../key.ts";
import type { CertificateLint } from "../lint.ts";

/** A named curve with an uncompressed point on it, or RSA of a strong size and exponent; a kind that the profile allows. */
export const publicKey: CertificateLint = {
  name: "public_key",
  cites: "RFC 5480 §2, RFC 3279 §2.3.1",
  check({ spki }, { profile }) {
    try {
      checkPublicKey(parsePublicKey(spki), profile.keys);
      return undefined;
    } catch (error) {
      if (error instanceof PkiError) return error.message;
      throw error;
    }
  },
};
