import { context, integer, oid, sequence, unsignedInteger } from "./der.ts";
import { SIGNATURE_ALGORITHM } from "./oids.ts";
import { assembleSigned } from "./signed.ts";

/** A key pair that makes a request for itself: WebCrypto's in a page. */
export interface RequestingKey {
  /** SubjectPublicKeyInfo. */
  readonly spki: Uint8Array;
  /** Signs by ECDSA with SHA-256; the signature as WebCrypto gives it, r and s one after the other (IEEE P1363). */
  readonly sign: (data: Uint8Array) => Promise<Uint8Array>;
}

/** ECDSA has no parameters (RFC 5758 §3.2). */
const ECDSA_SHA256 = sequence(oid(SIGNATURE_ALGORITHM["ecdsa-with-SHA256"]));

/** Ecdsa-Sig-Value (RFC 3279 §2.2.3) from r and s of equal length. */
function ecdsaSignature(raw: Uint8Array): Uint8Array {
  const half = raw.length / 2;
  return sequence(unsignedInteger(raw.subarray(0, half)), unsignedInteger(raw.subarray(half)));
}

/**
 * A certification request in DER (RFC 2986 §4), without subject and attributes: the authority takes nothing but the key from
 * a request, and what is not in it cannot give anybody away.
 */
export async function buildCsr({ spki, sign }: RequestingKey): Promise<Uint8Array> {
  const info = sequence(integer(0), sequence(), spki, context(0));
  const signature = ecdsaSignature(await sign(info));
  return assembleSigned(info, ECDSA_SHA256, signature);
}
