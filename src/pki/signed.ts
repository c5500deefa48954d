import { TAG, tlvLength, writeHeader } from "./der.ts";

/**
 * What X.509 calls SIGNED{…}: SEQUENCE {toBeSigned, AlgorithmIdentifier, BIT STRING}, the outer form of certificates
 * (RFC 5280 §4.1) and CRLs (§5.1). One copy of the signed bytes, however long they are.
 */
export function assembleSigned(
  tbs: Uint8Array,
  algorithm: Uint8Array,
  signature: Uint8Array,
): Uint8Array {
  const length = tbs.length + algorithm.length + tlvLength(signature.length + 1);
  const out = new Uint8Array(tlvLength(length));
  let at = writeHeader(out, 0, { tag: TAG.sequence, length });
  out.set(tbs, at);
  at += tbs.length;
  out.set(algorithm, at);
  at = writeHeader(out, at + algorithm.length, {
    tag: TAG.bitString,
    length: signature.length + 1,
  });
  out.set(signature, at + 1); // the octet before it says that no bits are unused, and is 0 already
  return out;
}
