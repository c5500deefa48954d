import type { Digest, DigestName, Random } from "./crypto.ts";
import {
  TAG,
  context,
  contextPrimitive,
  integer,
  nullValue,
  octetString,
  oid,
  sequence,
  setOf,
  tlv,
} from "./der.ts";
import { PURPOSE, bmpPassword, pkcs12Kdf } from "./pkcs12-kdf.ts";

/** WebCrypto, in a page, makes a promise of everything; node:crypto does not. */
type Soon = Uint8Array | Promise<Uint8Array>;

/** Encrypts in CBC mode with the padding of PKCS#7. */
type Cbc = (key: Uint8Array, iv: Uint8Array, data: Uint8Array) => Soon;

/** The primitives under a bundle. The same writer works in a thread of the server and in a person's browser. */
export interface Pkcs12Crypto {
  /** Synchronous everywhere: RFC 7292's derivation calls it a hundred thousand times, each for the next. */
  readonly digest: Digest;
  readonly hmac: (name: DigestName, key: Uint8Array, data: Uint8Array) => Soon;
  readonly pbkdf2Sha256: Pbkdf2;
  readonly aes256Cbc: Cbc;
  readonly des3Cbc: Cbc;
  readonly random: Random;
}

export type Pbkdf2 = (
  password: Uint8Array,
  parameters: { readonly salt: Uint8Array; readonly iterations: number; readonly octets: number },
) => Soon;

/**
 * `modern` for Windows 10 1709 and later, Linux and ChromeOS; `compatible` for Apple's importers and older Androids, which
 * call everything else a wrong password. What protects either is the random password.
 */
export type Pkcs12Style = "modern" | "compatible";

export interface Pkcs12Input {
  /** The private key as PKCS#8 (RFC 5958). */
  readonly key: Uint8Array;
  readonly certificate: Uint8Array;
  /** The certificates above it, the root not among them: Windows warns of one that it does not trust. */
  readonly chain: readonly Uint8Array[];
  /** The name that the person will see when asked for a certificate. */
  readonly friendlyName: string;
  readonly localKeyId: Uint8Array;
  readonly password: string;
  readonly style: Pkcs12Style;
}

interface StyleFacts {
  readonly saltOctets: number;
  /** For each derivation. Windows and .NET refuse over 300,000 for one, 600,000 in all. */
  readonly iterations: number;
  readonly macDigest: "sha1" | "sha256";
  readonly macOctets: number;
}

/** FIPS readers refuse salts below 16 octets; some macOS versions refuse salts over 8. */
const STYLES: Readonly<Record<Pkcs12Style, StyleFacts>> = {
  modern: { saltOctets: 16, iterations: 100_000, macDigest: "sha256", macOctets: 32 },
  compatible: { saltOctets: 8, iterations: 10_000, macDigest: "sha1", macOctets: 20 },
};

const OID = {
  data: oid("1.2.840.113549.1.7.1"),
  encryptedData: oid("1.2.840.113549.1.7.6"),
  pkcs8ShroudedKeyBag: oid("1.2.840.113549.1.12.10.1.2"),
  certBag: oid("1.2.840.113549.1.12.10.1.3"),
  x509Certificate: oid("1.2.840.113549.1.9.22.1"),
  friendlyName: oid("1.2.840.113549.1.9.20"),
  localKeyId: oid("1.2.840.113549.1.9.21"),
  pbes2: oid("1.2.840.113549.1.5.13"),
  pbkdf2: oid("1.2.840.113549.1.5.12"),
  hmacWithSha256: oid("1.2.840.113549.2.9"),
  aes256Cbc: oid("2.16.840.1.101.3.4.1.42"),
  pbeWithShaAnd3KeyTripleDesCbc: oid("1.2.840.113549.1.12.1.3"),
  sha1: oid("1.3.14.3.2.26"),
  sha256: oid("2.16.840.1.101.3.4.2.1"),
} as const;

interface Encrypted {
  /** AlgorithmIdentifier with the salt, the count and, for PBES2, the vector. */
  readonly algorithm: Uint8Array;
  readonly content: Uint8Array;
}

type Encrypt = (plain: Uint8Array) => Promise<Encrypted>;

/** PBES2: PBKDF2 with HMAC-SHA-256 and AES-256-CBC; the password as UTF-8 (RFC 8018 §6.2). */
function pbes2(
  password: string,
  { iterations, saltOctets }: StyleFacts,
  crypto: Pkcs12Crypto,
): Encrypt {
  const secret = new TextEncoder().encode(password);
  return async (plain) => {
    const salt = crypto.random(saltOctets);
    const iv = crypto.random(16);
    const key = await crypto.pbkdf2Sha256(secret, { salt, iterations, octets: 32 });
    const prf = sequence(OID.hmacWithSha256, nullValue());
    const derivation = sequence(OID.pbkdf2, sequence(octetString(salt), integer(iterations), prf));
    const cipher = sequence(OID.aes256Cbc, octetString(iv));
    return {
      algorithm: sequence(OID.pbes2, sequence(derivation, cipher)),
      content: await crypto.aes256Cbc(key, iv, plain),
    };
  };
}

/** pbeWithSHAAnd3-KeyTripleDES-CBC (RFC 7292 §C); key and vector both come from the derivation. */
function pbeTripleDes(
  password: string,
  { iterations, saltOctets }: StyleFacts,
  crypto: Pkcs12Crypto,
): Encrypt {
  return async (plain) => {
    const salt = crypto.random(saltOctets);
    const kdf = { digestName: "sha1", password: bmpPassword(password), salt, iterations } as const;
    const key = pkcs12Kdf({ ...kdf, purpose: PURPOSE.encryptionKey, octets: 24 }, crypto.digest);
    const iv = pkcs12Kdf({ ...kdf, purpose: PURPOSE.initialVector, octets: 8 }, crypto.digest);
    const parameters = sequence(octetString(salt), integer(iterations));
    return {
      algorithm: sequence(OID.pbeWithShaAnd3KeyTripleDesCbc, parameters),
      content: await crypto.des3Cbc(key, iv, plain),
    };
  };
}

/** friendlyName and localKeyId, the same on the key and on its certificate (RFC 2985 §5.5.1, §5.5.2). */
function attributes({ friendlyName, localKeyId }: Pkcs12Input): Uint8Array {
  const name = tlv(TAG.bmpString, bmpPassword(friendlyName).slice(0, -2));
  return setOf(
    sequence(OID.friendlyName, setOf(name)),
    sequence(OID.localKeyId, setOf(octetString(localKeyId))),
  );
}

/** CertBag in its SafeBag (RFC 7292 §4.2.3). Certificates of the chain carry no attributes. */
function certificateBag(certificate: Uint8Array, bagAttributes?: Uint8Array): Uint8Array {
  const bag = sequence(OID.x509Certificate, context(0, octetString(certificate)));
  const parts = [OID.certBag, context(0, bag)];
  return sequence(...parts, ...(bagAttributes === undefined ? [] : [bagAttributes]));
}

/** PKCS8ShroudedKeyBag in its SafeBag (RFC 7292 §4.2.2). */
function keyBag(encrypted: Encrypted, bagAttributes: Uint8Array): Uint8Array {
  const info = sequence(encrypted.algorithm, octetString(encrypted.content));
  return sequence(OID.pkcs8ShroudedKeyBag, context(0, info), bagAttributes);
}

const dataInfo = (content: Uint8Array): Uint8Array =>
  sequence(OID.data, context(0, octetString(content)));

/** ContentInfo of type EncryptedData (RFC 5652 §8, RFC 7292 §3.1). */
function encryptedInfo({ algorithm, content }: Encrypted): Uint8Array {
  const contentInfo = sequence(OID.data, algorithm, contextPrimitive(0, content));
  return sequence(OID.encryptedData, context(0, sequence(integer(0), contentInfo)));
}

/** MacData over the AuthenticatedSafe's octets (RFC 7292 §4, §5.1). */
async function macData(
  safe: Uint8Array,
  input: Pkcs12Input,
  crypto: Pkcs12Crypto,
): Promise<Uint8Array> {
  const { iterations, macDigest, macOctets, saltOctets } = STYLES[input.style];
  const salt = crypto.random(saltOctets);
  const password = bmpPassword(input.password);
  const kdf = { digestName: macDigest, password, salt, iterations, octets: macOctets };
  const key = pkcs12Kdf({ ...kdf, purpose: PURPOSE.macKey }, crypto.digest);
  const algorithm = sequence(OID[macDigest], nullValue());
  const digestInfo = sequence(algorithm, octetString(await crypto.hmac(macDigest, key, safe)));
  return sequence(digestInfo, octetString(salt), integer(iterations));
}

/**
 * A PKCS#12 file (RFC 7292): the key in a PKCS8ShroudedKeyBag, the certificates in an EncryptedData, a MAC over both,
 * all under one password. Takes 40 to 200 ms of key derivation on purpose.
 */
export async function buildPkcs12(input: Pkcs12Input, crypto: Pkcs12Crypto): Promise<Uint8Array> {
  const style = STYLES[input.style];
  const scheme = input.style === "modern" ? pbes2 : pbeTripleDes;
  const encrypt = scheme(input.password, style, crypto);
  const named = attributes(input);

  // 1. The certificates, the person's own first.
  const chain = input.chain.map((certificate) => certificateBag(certificate));
  const certificates = sequence(certificateBag(input.certificate, named), ...chain);
  // 2. The key, encrypted by itself.
  const key = sequence(keyBag(await encrypt(input.key), named));
  // 3. Both in the AuthenticatedSafe, under the MAC.
  const safe = sequence(encryptedInfo(await encrypt(certificates)), dataInfo(key));
  return sequence(integer(3), dataInfo(safe), await macData(safe, input, crypto));
}
