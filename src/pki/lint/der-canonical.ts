import { equal } from "../bytes.ts";
import { reencode } from "../der-tree.ts";
import { MalformedDerError } from "../errors.ts";
import type { CertificateLint } from "../lint.ts";

const isCanonical = (der: Uint8Array): boolean => equal(reencode(der), der);

/** Decoded and encoded again, without a look at our templates, the same bytes come out, inside extensions too. */
export const derCanonical: CertificateLint = {
  name: "der_canonical",
  cites: "RFC 5280 §4.1, X.690 §10, §11",
  check({ bytes, extensions }) {
    try {
      return isCanonical(bytes) && extensions.every(({ value }) => isCanonical(value))
        ? undefined
        : "encoded again, other bytes come out";
    } catch (error) {
      if (error instanceof MalformedDerError) return error.message;
      throw error;
    }
  },
};
