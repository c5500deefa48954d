import { equal } from "../bytes.ts";
import { oid } from "../der.ts";
import type { CertificateLint } from "../lint.ts";
import type { SignatureAlgorithm } from "../certificate.ts";
import { SIGNATURE_ALGORITHM } from "../oids.ts";

const SEQUENCE = 0x30;
const NULL = [0x05, 0x00];

/** The one right encoding of each: ECDSA has no parameters, RSA has NULL. Spelled here anew, not taken from the writer. */
function expected(algorithm: SignatureAlgorithm): Uint8Array {
  const name = oid(SIGNATURE_ALGORITHM[algorithm]);
  const parameters = algorithm === "sha256WithRSAEncryption" ? NULL : [];
  return Uint8Array.from([SEQUENCE, name.length + parameters.length, ...name, ...parameters]);
}

const EXPECTED: Record<SignatureAlgorithm, Uint8Array> = {
  "ecdsa-with-SHA256": expected("ecdsa-with-SHA256"),
  "ecdsa-with-SHA384": expected("ecdsa-with-SHA384"),
  sha256WithRSAEncryption: expected("sha256WithRSAEncryption"),
};

/** "This field MUST contain the same algorithm identifier as the signatureAlgorithm field in the sequence Certificate." */
export const signatureAlgorithm: CertificateLint = {
  name: "signature_algorithm",
  cites: "RFC 5280 §4.1.2.3, RFC 5758 §3.2, RFC 4055 §5",
  check: ({ signature }, { issuer }) =>
    equal(signature, EXPECTED[issuer.signatureAlgorithm])
      ? undefined
      : `the algorithm is not ${issuer.signatureAlgorithm}, or not encoded as it must be`,
};
