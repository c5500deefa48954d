import { EXTENSION, KEY_PURPOSE, SIGNATURE_ALGORITHM } from "./oids.ts";

/** Object identifiers of CRLs and OCSP, and the names of what signs them. */

export const STATUS_OID = {
  authorityKeyIdentifier: EXTENSION.authorityKeyIdentifier,
  cRLNumber: "2.5.29.20",
  reasonCode: "2.5.29.21",
  invalidityDate: "2.5.29.24",
  deltaCRLIndicator: "2.5.29.27",
  issuingDistributionPoint: "2.5.29.28",
  freshestCRL: EXTENSION.freshestCRL,
  ocspBasic: "1.3.6.1.5.5.7.48.1.1",
  ocspNonce: "1.3.6.1.5.5.7.48.1.2",
  ocspSigning: KEY_PURPOSE.OCSPSigning,
} as const;

/** Signature algorithms by object identifier, as a Verify function wants them named (RFC 5758 §3.2, RFC 4055 §5). */
const SIGNATURE_ALGORITHM_NAMES: ReadonlyMap<string, string> = new Map(
  Object.entries(SIGNATURE_ALGORITHM).map(([name, id]) => [id, name]),
);

/** The name of a signature algorithm, or its dotted identifier when we do not know it. */
export function signatureAlgorithmName(id: string): string {
  return SIGNATURE_ALGORITHM_NAMES.get(id) ?? id;
}

/** Digests by object identifier, as a CertID names them (RFC 6960 §4.1.1, RFC 5754 §2). */
export const DIGEST_NAMES = {
  "1.3.14.3.2.26": "sha1",
  "2.16.840.1.101.3.4.2.1": "sha256",
  "2.16.840.1.101.3.4.2.2": "sha384",
  "2.16.840.1.101.3.4.2.3": "sha512",
} as const;
