/** Object identifiers by the names that their RFCs give them. */

/** Certificate extensions (RFC 5280 §4.2, RFC 6960 §4.2.2.2.1, RFC 9608 §2). */
export const EXTENSION = {
  subjectKeyIdentifier: "2.5.29.14",
  keyUsage: "2.5.29.15",
  subjectAltName: "2.5.29.17",
  basicConstraints: "2.5.29.19",
  nameConstraints: "2.5.29.30",
  cRLDistributionPoints: "2.5.29.31",
  certificatePolicies: "2.5.29.32",
  authorityKeyIdentifier: "2.5.29.35",
  extKeyUsage: "2.5.29.37",
  freshestCRL: "2.5.29.46",
  noRevAvail: "2.5.29.56",
  authorityInfoAccess: "1.3.6.1.5.5.7.1.1",
  ocspNoCheck: "1.3.6.1.5.5.7.48.1.5",
} as const;

/** Purposes of keys (RFC 5280 §4.2.1.12). `anyExtendedKeyUsage` is left out on purpose: nothing of ours may have it. */
export const KEY_PURPOSE = {
  serverAuth: "1.3.6.1.5.5.7.3.1",
  clientAuth: "1.3.6.1.5.5.7.3.2",
  OCSPSigning: "1.3.6.1.5.5.7.3.9",
} as const;

export const ANY_EXTENDED_KEY_USAGE = "2.5.29.37.0";

export const ANY_POLICY = "2.5.29.32.0";

/** Access methods of Authority Information Access (RFC 5280 §4.2.2.1). */
export const ACCESS_METHOD = {
  ocsp: "1.3.6.1.5.5.7.48.1",
  caIssuers: "1.3.6.1.5.5.7.48.2",
} as const;

/** Algorithms of public keys (RFC 3279 §2.3.1, RFC 5480 §2.1.1). */
export const KEY_ALGORITHM = {
  rsaEncryption: "1.2.840.113549.1.1.1",
  ecPublicKey: "1.2.840.10045.2.1",
} as const;

/** Named curves (RFC 5480 §2.1.1.1). */
export const NAMED_CURVE = {
  "P-256": "1.2.840.10045.3.1.7",
  "P-384": "1.3.132.0.34",
} as const;

/** Signature algorithms that we read (RFC 5758 §3.2, RFC 4055 §5). */
export const SIGNATURE_ALGORITHM = {
  "ecdsa-with-SHA256": "1.2.840.10045.4.3.2",
  "ecdsa-with-SHA384": "1.2.840.10045.4.3.3",
  "ecdsa-with-SHA512": "1.2.840.10045.4.3.4",
  sha256WithRSAEncryption: "1.2.840.113549.1.1.11",
  sha384WithRSAEncryption: "1.2.840.113549.1.1.12",
  sha512WithRSAEncryption: "1.2.840.113549.1.1.13",
} as const;

/** The bits of KeyUsage in their order: the index is the bit (RFC 5280 §4.2.1.3). */
export const KEY_USAGES = [
  "digitalSignature",
  "nonRepudiation",
  "keyEncipherment",
  "dataEncipherment",
  "keyAgreement",
  "keyCertSign",
  "cRLSign",
  "encipherOnly",
  "decipherOnly",
] as const;

export type KeyUsage = (typeof KEY_USAGES)[number];
export type KeyPurpose = keyof typeof KEY_PURPOSE;
export type AccessMethod = keyof typeof ACCESS_METHOD;
