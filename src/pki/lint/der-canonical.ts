import { walkDer } from "../der-tree.ts";
import { MalformedDerError } from "../errors.ts";
import type { CertificateLint } from "../lint.ts";

/** Decoded and encoded again, without a look at our templates, the same bytes would come out, inside extensions too. */
export const derCanonical: CertificateLint = {
  name: "der_canonical",
  cites: "RFC 5280 §4.1, X.690 §10, §11",
  check({ bytes, extensions }) {
    try {
      return walkDer(bytes) && extensions.every(({ value }) => walkDer(value))
        ? undefined
        : "encoded again, other bytes come out: a SET OF is not in order";
    } catch (error) {
      if (error instanceof MalformedDerError) return error.message;
      throw error;
    }
  },
};
