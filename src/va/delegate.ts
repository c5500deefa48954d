import {
  X509Certificate,
  createPrivateKey,
  createPublicKey,
  sign,
  type KeyObject,
} from "node:crypto";

import { algorithmIdentifier } from "../pki/certificate.ts";
import { keyIdentifier } from "../pki/key.ts";
import { STATUS_OID } from "../pki/oids-status.ts";
import { nodeDigest } from "./digest.ts";
import { BadDelegateError } from "./errors.ts";

/** Who signs OCSP answers for an issuer (RFC 6960 §4.2.2.2). */
export interface Delegate {
  readonly issuerId: string;
  readonly certificate: Uint8Array;
  /** SHA-1 of the public key, whatever else is in use (RFC 6960 §4.2.1). */
  readonly keyHash: Uint8Array;
  /** The AlgorithmIdentifier of its signatures. */
  readonly signatureAlgorithm: Uint8Array;
  readonly notBefore: Date;
  readonly notAfter: Date;
  readonly sign: (data: Uint8Array) => Uint8Array;
}

/** A delegate's certificate and its private key, as they are made at a ceremony and kept on disk. */
export interface DelegateMaterial {
  readonly issuerId: string;
  readonly certificate: Uint8Array;
  readonly pkcs8: Uint8Array;
}

/** Whether this certificate lets the holder of the key answer for the issuer now, said as what is wrong with it. */
function faultOf(
  certificate: X509Certificate,
  context: { issuer: X509Certificate; key: KeyObject; now: Date },
): string | undefined {
  const { issuer, key, now } = context;
  if (!certificate.publicKey.equals(createPublicKey(key))) return "it is for another key";
  if (!certificate.checkIssued(issuer) || !certificate.verify(issuer.publicKey)) {
    return "it was not issued by the CA that it is to answer for";
  }
  if (!certificate.keyUsage?.includes(STATUS_OID.ocspSigning)) return "it is not for OCSP signing";
  if (new Date(certificate.validTo) <= now) return "it has expired";
  return undefined;
}

/** The delegate that this key and certificate make. Throws BadDelegateError where they make none. */
export function delegateOf(
  material: DelegateMaterial,
  issuerCertificate: Uint8Array,
  now: Date,
): Delegate {
  const certificate = new X509Certificate(material.certificate);
  const key = createPrivateKey({
    key: Buffer.from(material.pkcs8),
    format: "der",
    type: "pkcs8",
  });
  if (key.asymmetricKeyType !== "ec") throw new BadDelegateError("a delegate's key is elliptic");
  const fault = faultOf(certificate, { issuer: new X509Certificate(issuerCertificate), key, now });
  if (fault !== undefined) {
    throw new BadDelegateError(`the delegate's certificate for ${material.issuerId}: ${fault}`);
  }
  const spki = certificate.publicKey.export({ type: "spki", format: "der" });
  return {
    issuerId: material.issuerId,
    certificate: material.certificate,
    keyHash: keyIdentifier(spki, nodeDigest),
    signatureAlgorithm: algorithmIdentifier("ecdsa-with-SHA256"),
    notBefore: new Date(certificate.validFrom),
    notAfter: new Date(certificate.validTo),
    sign: (data) => sign("sha256", data, key),
  };
}
