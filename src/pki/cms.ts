import { algorithmIdentifier } from "./certificate.ts";
import type { Digest } from "./crypto.ts";
import {
  context,
  integer,
  nullValue,
  octetString,
  oid,
  sequence,
  setOf,
  TAG,
  time,
} from "./der.ts";
import { contentOf, Cursor, readOnly, whole } from "./der-reader.ts";
import { KEY_ALGORITHM } from "./oids.ts";

/** Who signs: with SHA-256, by RSA (PKCS #1 v1.5) or ECDSA. */
export interface CmsSigner {
  /** DER. The signer's own comes first, then those that lead from it towards its root. */
  readonly certificates: readonly Uint8Array[];
  readonly keyType: "rsa" | "ec";
  /** The signature over the SHA-256 of these bytes; ECDSA's as DER. */
  readonly sign: (bytes: Uint8Array) => Uint8Array;
}

export interface CmsOptions {
  readonly signer: CmsSigner;
  readonly signingTime: Date;
  readonly digest: Digest;
}

/** Types and attributes of RFC 5652 §4, §5.1, §11. */
const OID = {
  data: oid("1.2.840.113549.1.7.1"),
  signedData: oid("1.2.840.113549.1.7.2"),
  contentType: oid("1.2.840.113549.1.9.3"),
  messageDigest: oid("1.2.840.113549.1.9.4"),
  signingTime: oid("1.2.840.113549.1.9.5"),
} as const;

/** Without parameters (RFC 5754 §2). */
const SHA256 = sequence(oid("2.16.840.1.101.3.4.2.1"));

/** RSA is named by its key alone, which every reader of CMS knows (RFC 3370 §3.2); ECDSA with its digest (RFC 5753 §2.1.1). */
const SIGNATURE_ALGORITHMS: Readonly<Record<CmsSigner["keyType"], Uint8Array>> = {
  rsa: sequence(oid(KEY_ALGORITHM.rsaEncryption), nullValue()),
  ec: algorithmIdentifier("ecdsa-with-SHA256"),
};

const VERSION = integer(1);

/** How a SignerInfo names its certificate (RFC 5652 §10.2.4). Throws MalformedDerError. */
function issuerAndSerialNumber(certificate: Uint8Array): Uint8Array {
  const tbs = new Cursor(new Cursor(readOnly(certificate, TAG.sequence)).next(TAG.sequence));
  tbs.optional(0xa0); // the version
  const serialNumber = tbs.next(TAG.integer);
  tbs.next(TAG.sequence); // the signature's algorithm
  const issuer = tbs.next(TAG.sequence);
  return sequence(whole(issuer), whole(serialNumber));
}

const attribute = (type: Uint8Array, value: Uint8Array): Uint8Array => sequence(type, setOf(value));

/** What is signed in place of the content (RFC 5652 §5.3), as the SET OF that the signature is over (§5.4). */
function signedAttributes(content: Uint8Array, { digest, signingTime }: CmsOptions): Uint8Array {
  return setOf(
    attribute(OID.contentType, OID.data),
    attribute(OID.signingTime, time(signingTime)),
    attribute(OID.messageDigest, octetString(digest("sha256", content))),
  );
}

/** A DER SET OF under [0] IMPLICIT: its tag changes, its order stays. */
function implicitSet(set: Uint8Array): Uint8Array {
  return context(0, contentOf(readOnly(set, TAG.set)));
}

/**
 * CMS SignedData with its content and its certificates inside (RFC 5652 §5), as DER. Throws MalformedDerError where the
 * signer's certificate is none.
 */
export function buildSignedData(content: Uint8Array, options: CmsOptions): Uint8Array {
  const { certificates, keyType, sign } = options.signer;
  const attributes = signedAttributes(content, options);
  const signerInfo = sequence(
    VERSION,
    issuerAndSerialNumber(certificates[0] ?? new Uint8Array()),
    SHA256,
    implicitSet(attributes),
    SIGNATURE_ALGORITHMS[keyType],
    octetString(sign(attributes)),
  );
  const signedData = sequence(
    VERSION,
    setOf(SHA256),
    sequence(OID.data, context(0, octetString(content))),
    implicitSet(setOf(...certificates)),
    setOf(signerInfo),
  );
  return sequence(OID.signedData, context(0, signedData));
}
