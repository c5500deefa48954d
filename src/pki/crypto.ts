/** Hash functions that appear in certificates, CRLs, OCSP and PKCS#12. */
export type DigestName = "sha1" | "sha256" | "sha384" | "sha512";

/** The digest of some bytes. Synchronous: it is called for every OCSP request and every certificate. */
export type Digest = (name: DigestName, bytes: Uint8Array) => Uint8Array;

/** Cryptographically strong random octets. */
export type Random = (octets: number) => Uint8Array;

/** Whether a signature over `data` verifies with the key of this SubjectPublicKeyInfo. False, never a throw, for any fault. */
// oxlint-disable-next-line max-params -- the four things that verifying takes, everywhere
export type Verify = (
  spki: Uint8Array,
  algorithm: string,
  data: Uint8Array,
  signature: Uint8Array,
) => boolean;
