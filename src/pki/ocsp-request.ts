import type { Digest, DigestName } from "./crypto.ts";
import {
  Cursor,
  bitStringOctets,
  booleanValue,
  contentOf,
  integerContent,
  oidText,
  readOnly,
  smallInteger,
  whole,
  type Tlv,
} from "./der-reader.ts";
import { TAG } from "./der.ts";
import { MalformedOcspRequestError, PkiError } from "./errors.ts";
import { DIGEST_NAMES, STATUS_OID } from "./oids-status.ts";

/** Stricter: RFC 6960 sets no bound, but each certificate asked about costs work. Real clients ask about one or two. */
const MAX_REQUESTS = 16;

/** RFC 9654 §2.1: shorter and longer ones are answered with malformedRequest. */
const NONCE_OCTETS = { min: 1, max: 128 };

/** Which certificate is asked about (RFC 6960 §4.1.1). */
export interface CertId {
  /** The whole CertID as it was sent: echoed byte for byte, or nginx and OpenSSL do not find their answer. */
  readonly raw: Uint8Array;
  /** Undefined for a hash that we do not know: such a certificate is not ours to answer for. */
  readonly hashAlgorithm: DigestName | undefined;
  readonly issuerNameHash: Uint8Array;
  readonly issuerKeyHash: Uint8Array;
  /** The content octets of the INTEGER, with a sign octet where there is one. */
  readonly serial: Uint8Array;
}

export interface OcspNonce {
  /** What the client drew: the content of the inner OCTET STRING. */
  readonly value: Uint8Array;
  /** The whole Extension as it was sent, to be echoed. */
  readonly extensionRaw: Uint8Array;
}

export interface OcspRequest {
  readonly certIds: readonly CertId[];
  readonly nonce?: OcspNonce;
}

interface Extension {
  readonly id: string;
  readonly critical: boolean;
  readonly value: Uint8Array;
  readonly raw: Uint8Array;
}

const digestNames: Readonly<Record<string, DigestName | undefined>> = DIGEST_NAMES;

/** Extensions, one of a kind at most (RFC 5280 §4.2), FALSE never written out (X.690 §11.5). */
function readExtensions(explicit: Tlv): Extension[] {
  const outer = new Cursor(explicit);
  const list = new Cursor(outer.next(TAG.sequence));
  outer.finish();
  const found: Extension[] = [];
  while (!list.done) {
    const member = list.next(TAG.sequence);
    const parts = new Cursor(member);
    const id = oidText(parts.next(TAG.oid));
    const flag = parts.optional(TAG.boolean);
    const critical = flag !== undefined && booleanValue(flag);
    if (flag !== undefined && !critical) throw malformed("a default value is written out");
    const value = contentOf(parts.next(TAG.octetString));
    parts.finish();
    if (found.some((other) => other.id === id)) throw malformed(`extension ${id} comes twice`);
    found.push({ id, critical, value, raw: whole(member) });
  }
  if (found.length === 0) throw malformed("an empty list of extensions");
  return found;
}

const malformed = (what: string): MalformedOcspRequestError => new MalformedOcspRequestError(what);

/** RFC 6960 §4.4: what is critical and not understood makes the request unusable. Only the nonce is. */
function refuseCritical(extensions: readonly Extension[], understood?: string): void {
  const stray = extensions.find(({ critical, id }) => critical && id !== understood);
  if (stray !== undefined) throw malformed(`critical extension ${stray.id} is not understood`);
}

function readNonce(extensions: readonly Extension[]): OcspNonce | undefined {
  const extension = extensions.find(({ id }) => id === STATUS_OID.ocspNonce);
  if (extension === undefined) return undefined;
  const value = contentOf(readOnly(extension.value, TAG.octetString));
  if (value.length < NONCE_OCTETS.min || value.length > NONCE_OCTETS.max) {
    throw malformed(`a nonce of ${value.length} octets`);
  }
  return { value, extensionRaw: extension.raw };
}

/** A hash's AlgorithmIdentifier: parameters NULL or absent, both are in use (RFC 5754 §2). */
function readHashAlgorithm(algorithm: Tlv): DigestName | undefined {
  const parts = new Cursor(algorithm);
  const id = oidText(parts.next(TAG.oid));
  const parameters = parts.optional(TAG.null);
  if (parameters !== undefined && contentOf(parameters).length > 0)
    throw malformed("a NULL with content");
  parts.finish();
  return digestNames[id];
}

function readCertId(value: Tlv): CertId {
  const parts = new Cursor(value);
  const hashAlgorithm = readHashAlgorithm(parts.next(TAG.sequence));
  const issuerNameHash = contentOf(parts.next(TAG.octetString));
  const issuerKeyHash = contentOf(parts.next(TAG.octetString));
  const serial = integerContent(parts.next(TAG.integer));
  parts.finish();
  return { raw: whole(value), hashAlgorithm, issuerNameHash, issuerKeyHash, serial };
}

function readRequestList(value: Tlv): CertId[] {
  const list = new Cursor(value);
  const certIds: CertId[] = [];
  while (!list.done) {
    if (certIds.length === MAX_REQUESTS) throw malformed(`more than ${MAX_REQUESTS} certificates`);
    const parts = new Cursor(list.next(TAG.sequence));
    certIds.push(readCertId(parts.next(TAG.sequence)));
    const extensions = parts.optional(0xa0);
    if (extensions !== undefined) refuseCritical(readExtensions(extensions));
    parts.finish();
  }
  if (certIds.length === 0) throw malformed("no certificate is asked about");
  return certIds;
}

/** The only version is v1, which is the default; clients that write it out are common enough to bear with. */
function readVersion(explicit: Tlv): void {
  const parts = new Cursor(explicit);
  if (smallInteger(parts.next(TAG.integer)) !== 0) throw malformed("a version other than 1");
  parts.finish();
}

/** A signature is allowed and not needed (RFC 6960 §4.1.2): its form is read, what it proves is not. */
function readOptionalSignature(explicit: Tlv): void {
  const outer = new Cursor(explicit);
  const parts = new Cursor(outer.next(TAG.sequence));
  outer.finish();
  parts.next(TAG.sequence);
  bitStringOctets(parts.next(TAG.bitString));
  parts.optional(0xa0);
  parts.finish();
}

function readTbsRequest(value: Tlv): OcspRequest {
  const parts = new Cursor(value);
  const version = parts.optional(0xa0);
  if (version !== undefined) readVersion(version);
  const requestorName = parts.optional(0xa1);
  if (requestorName !== undefined) {
    const name = new Cursor(requestorName);
    name.next();
    name.finish();
  }
  const certIds = readRequestList(parts.next(TAG.sequence));
  const explicit = parts.optional(0xa2);
  parts.finish();
  if (explicit === undefined) return { certIds };
  const extensions = readExtensions(explicit);
  refuseCritical(extensions, STATUS_OID.ocspNonce);
  const nonce = readNonce(extensions);
  return nonce === undefined ? { certIds } : { certIds, nonce };
}

/**
 * Reads an OCSPRequest (RFC 6960 §4.1.1) that anybody may have sent; what it returns shares the bytes. Names and
 * signatures of requestors are tolerated and not looked into. Throws MalformedOcspRequestError, nothing else.
 */
export function parseOcspRequest(der: Uint8Array): OcspRequest {
  try {
    const parts = new Cursor(readOnly(der, TAG.sequence));
    const request = readTbsRequest(parts.next(TAG.sequence));
    const signature = parts.optional(0xa0);
    if (signature !== undefined) readOptionalSignature(signature);
    parts.finish();
    return request;
  } catch (error) {
    if (!(error instanceof PkiError) || error instanceof MalformedOcspRequestError) throw error;
    throw new MalformedOcspRequestError(error.message, { cause: error });
  }
}

/**
 * The request in a GET's path, already percent-decoded once (RFC 6960 §A.1). Slashes in front come from responder URLs
 * that end in one; the base64 of an OCSP request never begins with a slash. Missing padding is tolerated. Throws
 * MalformedOcspRequestError.
 */
export function decodeOcspPath(path: string): Uint8Array {
  const text = path.replace(/^\/+/, "");
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(text)) throw malformed("the path is no base64");
  let binary: string;
  try {
    binary = atob(text);
  } catch (cause) {
    throw new MalformedOcspRequestError("the path is no base64", { cause });
  }
  const der = new Uint8Array(binary.length);
  for (let i = 0; i < der.length; i++) der[i] = binary.charCodeAt(i);
  return der;
}

/** The two hashes by which a CertID names an issuer (RFC 6960 §4.1.1). */
export interface IssuerHashes {
  readonly issuerNameHash: Uint8Array;
  readonly issuerKeyHash: Uint8Array;
}

/** Over the Name's DER, and over the key's BIT STRING without tag, length and unused bits (RFC 6960 §4.1.1). */
export function issuerHashes(
  issuer: { readonly name: Uint8Array; readonly keyOctets: Uint8Array },
  digestName: DigestName,
  digest: Digest,
): IssuerHashes {
  return {
    issuerNameHash: digest(digestName, issuer.name),
    issuerKeyHash: digest(digestName, issuer.keyOctets),
  };
}
