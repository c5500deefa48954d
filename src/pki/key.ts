import { toHex } from "./bytes.ts";
import type { Digest } from "./crypto.ts";
import { TAG } from "./der.ts";
import {
  bitStringOctets,
  contentOf,
  Cursor,
  integerContent,
  oidText,
  readOnly,
  type Tlv,
} from "./der-reader.ts";
import { UnsupportedKeyError, WeakKeyError } from "./errors.ts";
import { KEY_ALGORITHM, NAMED_CURVE } from "./oids.ts";
import { rsaWeakness } from "./rsa-weakness.ts";

export type Curve = keyof typeof NAMED_CURVE;

/** The kinds of key that a profile can allow. */
export const KEY_KINDS = ["P-256", "P-384", "RSA-2048", "RSA-3072", "RSA-4096"] as const;
export type KeyKind = (typeof KEY_KINDS)[number];

export interface EcPublicKey {
  readonly kind: "ec";
  readonly curve: Curve;
  /** The uncompressed point: 0x04, x, y. */
  readonly point: Uint8Array;
}

export interface RsaPublicKey {
  readonly kind: "rsa";
  readonly bits: number;
  readonly modulus: bigint;
  readonly exponent: bigint;
}

export type PublicKey = EcPublicKey | RsaPublicKey;

interface CurveFacts {
  readonly octets: number;
  readonly p: bigint;
  readonly b: bigint;
}

/** y² = x³ − 3x + b over the prime field of p (FIPS 186-4 appendix D.1.2); the cofactor is 1. */
const CURVES: Record<Curve, CurveFacts> = {
  "P-256": {
    octets: 32,
    p: 2n ** 256n - 2n ** 224n + 2n ** 192n + 2n ** 96n - 1n,
    b: 0x5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604bn,
  },
  "P-384": {
    octets: 48,
    p: 2n ** 384n - 2n ** 128n - 2n ** 96n + 2n ** 32n - 1n,
    b: 0xb3312fa7e23ee7e4988e056be3f82d19181d9c6efe8141120314088f5013875ac656398d8a2ed19d2a85c8edd3ec2aefn,
  },
};

const CURVE_BY_OID: ReadonlyMap<string, Curve> = new Map([
  [NAMED_CURVE["P-256"], "P-256"],
  [NAMED_CURVE["P-384"], "P-384"],
]);

const toBigInt = (bytes: Uint8Array): bigint =>
  bytes.length === 0 ? 0n : BigInt(`0x${toHex(bytes)}`);

/** The BIT STRING's octets and the algorithm of a SubjectPublicKeyInfo (RFC 5280 §4.1.2.7). */
function readSpki(der: Uint8Array): { algorithm: Tlv; key: Uint8Array } {
  const spki = new Cursor(readOnly(der, TAG.sequence));
  const algorithm = spki.next(TAG.sequence);
  const key = bitStringOctets(spki.next(TAG.bitString));
  spki.finish();
  return { algorithm, key };
}

/** RFC 5480 §2: a named curve and an uncompressed point. Stricter: no compressed point, which Go, Java and browsers refuse. */
function readEcKey(parameters: Tlv | undefined, key: Uint8Array): EcPublicKey {
  if (parameters?.tag !== TAG.oid) throw new UnsupportedKeyError("an EC key must name its curve");
  const curve = CURVE_BY_OID.get(oidText(parameters));
  if (curve === undefined) throw new UnsupportedKeyError("the curve is neither P-256 nor P-384");
  if (key.length !== 1 + 2 * CURVES[curve].octets || key[0] !== 0x04) {
    throw new UnsupportedKeyError("the point must be uncompressed");
  }
  return { kind: "ec", curve, point: key };
}

/** RFC 3279 §2.3.1: NULL parameters, then modulus and exponent. */
function readRsaKey(parameters: Tlv | undefined, key: Uint8Array): RsaPublicKey {
  if (parameters?.tag !== TAG.null || contentOf(parameters).length > 0) {
    throw new UnsupportedKeyError("the parameters of an RSA key are NULL");
  }
  const members = new Cursor(readOnly(key, TAG.sequence));
  const modulus = integerContent(members.next(TAG.integer));
  const exponent = integerContent(members.next(TAG.integer));
  members.finish();
  if ((modulus[0] ?? 0) >= 0x80 || (exponent[0] ?? 0) >= 0x80)
    throw new UnsupportedKeyError("RSA numbers are positive");
  if (modulus.length > 1025)
    throw new UnsupportedKeyError("the RSA modulus has more than 8192 bits");
  const n = toBigInt(modulus);
  return {
    kind: "rsa",
    bits: n === 0n ? 0 : n.toString(2).length,
    modulus: n,
    exponent: toBigInt(exponent),
  };
}

/** Reads a SubjectPublicKeyInfo. Throws MalformedDerError and UnsupportedKeyError. Says nothing of the key's strength. */
export function parsePublicKey(spkiDer: Uint8Array): PublicKey {
  const { algorithm, key } = readSpki(spkiDer);
  const members = new Cursor(algorithm);
  const name = oidText(members.next(TAG.oid));
  const parameters = members.done ? undefined : members.next();
  members.finish();
  switch (name) {
    case KEY_ALGORITHM.ecPublicKey:
      return readEcKey(parameters, key);
    case KEY_ALGORITHM.rsaEncryption:
      return readRsaKey(parameters, key);
    default:
      throw new UnsupportedKeyError("the key is neither EC nor RSA");
  }
}

/** The kind as profiles name it; for RSA of an odd size no profile's kind. */
export function keyKind(key: PublicKey): string {
  return key.kind === "ec" ? key.curve : `RSA-${key.bits}`;
}

/** SEC 1 §3.2.2.1: both coordinates in the field, and on the curve. Infinity has no uncompressed form, so it never gets here. */
function isOnCurve({ curve, point }: EcPublicKey): boolean {
  const { octets, p, b } = CURVES[curve];
  const x = toBigInt(point.subarray(1, 1 + octets));
  const y = toBigInt(point.subarray(1 + octets));
  return x < p && y < p && (y * y - (x * x - 3n) * x - b) % p === 0n;
}

/**
 * Whether a certificate may carry this key. Throws UnsupportedKeyError when its kind is not allowed, WeakKeyError when
 * it can be broken. Debian's predictable keys of 2006–2008 are not looked for: their lists are megabytes, and no device
 * that we serve is that old.
 */
export function checkPublicKey(key: PublicKey, allowed: readonly KeyKind[]): void {
  if (key.kind === "rsa" && key.bits < 2048)
    throw new WeakKeyError("an RSA key has at least 2048 bits");
  const kind = keyKind(key);
  if (!allowed.some((one) => one === kind)) {
    throw new UnsupportedKeyError(
      `a key of kind ${kind} is not allowed here (allowed: ${allowed.join(", ")})`,
    );
  }
  if (key.kind === "ec") {
    if (!isOnCurve(key)) throw new WeakKeyError("the point is not on its curve");
    return;
  }
  const weakness = rsaWeakness(key.modulus, key.exponent);
  if (weakness !== undefined) throw new WeakKeyError(weakness);
}

/** The octets of the key's BIT STRING, which key hashes are taken over (RFC 6960 §4.1.1). Throws MalformedDerError. */
export function keyOctets(spki: Uint8Array): Uint8Array {
  return readSpki(spki).key;
}

/** The key identifier: SHA-1 of the BIT STRING's octets (RFC 5280 §4.2.1.2 (1)). It names the key, it secures nothing. */
export function keyIdentifier(spki: Uint8Array, digest: Digest): Uint8Array {
  return digest("sha1", keyOctets(spki));
}

/** The hash by which a key is recognised again, in lower-case hex. */
export function spkiSha256(spki: Uint8Array, digest: Digest): string {
  return toHex(digest("sha256", spki));
}
