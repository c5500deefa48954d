import type { Verify } from "./crypto.ts";
import { TAG } from "./der.ts";
import {
  bitStringOctets,
  contentOf,
  Cursor,
  oidText,
  readOnly,
  smallInteger,
  type Tlv,
  whole,
} from "./der-reader.ts";
import { walkDer } from "./der-tree.ts";
import {
  BadProofOfPossessionError,
  MalformedCsrError,
  MalformedDerError,
  MalformedPemError,
  UnsupportedKeyError,
} from "./errors.ts";
import { parsePublicKey, type PublicKey } from "./key.ts";
import { readName } from "./name.ts";
import { SIGNATURE_ALGORITHM } from "./oids.ts";
import { pemDecode } from "./pem.ts";

export type CsrSignatureAlgorithm = keyof typeof SIGNATURE_ALGORITHM;

/** A certification request as it was read. Nothing of it but the key is ever put into a certificate. */
export interface Csr {
  readonly spki: Uint8Array;
  readonly publicKey: PublicKey;
  /** The Name that the sender wrote, for people to see. */
  readonly subject: Uint8Array;
  readonly signatureAlgorithm: CsrSignatureAlgorithm;
  readonly signature: Uint8Array;
  readonly toBeSigned: Uint8Array;
}

/** Far more than any request needs: RSA-4096 with a dozen attributes is 3 kB. */
const MOST_OCTETS = 16_384;

const ALGORITHM_BY_OID: ReadonlyMap<string, CsrSignatureAlgorithm> = new Map(
  Object.entries(SIGNATURE_ALGORITHM).map(([name, oid]) => [oid, name as CsrSignatureAlgorithm]),
);

/** RFC 5758 §3.2: ECDSA has no parameters; RFC 4055 §5: RSA has NULL. Of an algorithm that we do not take: undefined. */
function readSignatureAlgorithm(value: Tlv): CsrSignatureAlgorithm | undefined {
  const members = new Cursor(value);
  const name = ALGORITHM_BY_OID.get(oidText(members.next(TAG.oid)));
  if (name === undefined) {
    if (!members.done) walkDer(whole(members.next()));
    members.finish();
    return undefined;
  }
  if (name.endsWith("WithRSAEncryption") && contentOf(members.next(TAG.null)).length > 0) {
    throw new MalformedCsrError("the parameters of an RSA signature are NULL");
  }
  members.finish();
  return name;
}

/** RFC 2986 §4.1: attributes are looked at only to be sure that they are attributes. Their order is nobody's concern. */
function walkAttributes(value: Tlv): void {
  for (const attributes = new Cursor(value); !attributes.done;) {
    const attribute = new Cursor(attributes.next(TAG.sequence));
    oidText(attribute.next(TAG.oid));
    const values = new Cursor(attribute.next(TAG.set));
    attribute.finish();
    do walkDer(whole(values.next()));
    while (!values.done);
  }
}

function readRequest(der: Uint8Array): Csr {
  const request = new Cursor(readOnly(der, TAG.sequence));
  const info = request.next(TAG.sequence);
  const signatureAlgorithm = readSignatureAlgorithm(request.next(TAG.sequence));
  const signature = bitStringOctets(request.next(TAG.bitString));
  request.finish();

  const members = new Cursor(info);
  if (smallInteger(members.next(TAG.integer)) !== 0)
    throw new MalformedCsrError("the request has another version than 1");
  const subject = whole(members.next(TAG.sequence));
  readName(subject);
  const spki = whole(members.next(TAG.sequence));
  walkAttributes(members.next(0xa0));
  members.finish();
  // What is well-formed but not taken comes last, and the key before the signature, which follows from it.
  const publicKey = parsePublicKey(spki);
  if (signatureAlgorithm === undefined)
    throw new UnsupportedKeyError(
      "the request must be signed by ECDSA or RSA (PKCS #1) with SHA-256, SHA-384 or SHA-512",
    );
  return {
    spki,
    publicKey,
    subject,
    signatureAlgorithm,
    signature,
    toBeSigned: whole(info),
  };
}

/** Reads a certification request in DER (RFC 2986 §4). Throws MalformedCsrError and UnsupportedKeyError, nothing else. */
export function parseCsr(der: Uint8Array): Csr {
  if (der.length > MOST_OCTETS)
    throw new MalformedCsrError(`a request has at most ${MOST_OCTETS} octets`);
  try {
    return readRequest(der.slice());
  } catch (error) {
    if (error instanceof MalformedDerError)
      throw new MalformedCsrError(error.message, { cause: error });
    throw error;
  }
}

/** A DER SEQUENCE of more than 127 octets, as every request is, begins so. */
const BARE_BASE64 = /^MI[0-9A-Za-z+/=\s]+$/;

const inPem = (base64: string): string =>
  `-----BEGIN CERTIFICATE REQUEST-----\n${base64}\n-----END CERTIFICATE REQUEST-----\n`;

/**
 * Reads a certification request in PEM, under either of its labels (RFC 7468 §7), or its DER in Base64 without them. Throws
 * as `parseCsr` does.
 */
export function csrFromText(given: string): Csr {
  if (given.length > 2 * MOST_OCTETS) throw new MalformedCsrError("the request is too long");
  const text = BARE_BASE64.test(given) ? inPem(given) : given;
  const label = text.includes("BEGIN NEW CERTIFICATE REQUEST")
    ? "NEW CERTIFICATE REQUEST"
    : "CERTIFICATE REQUEST";
  try {
    return parseCsr(pemDecode(text, label));
  } catch (error) {
    if (error instanceof MalformedPemError)
      throw new MalformedCsrError(error.message, { cause: error });
    throw error;
  }
}

/** The sender holds the private key: the request's signature verifies with its own key. Throws BadProofOfPossessionError. */
export function proofOfPossession(csr: Csr, verify: Verify): void {
  const isEc = csr.signatureAlgorithm.startsWith("ecdsa");
  if (
    isEc !== (csr.publicKey.kind === "ec") ||
    !verify(csr.spki, csr.signatureAlgorithm, csr.toBeSigned, csr.signature)
  ) {
    throw new BadProofOfPossessionError(
      "the signature of the request does not verify with its own key",
    );
  }
}
