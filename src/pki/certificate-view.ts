import { TAG } from "./der.ts";
import {
  bitStringOctets,
  Cursor,
  integerContent,
  oidText,
  readOnly,
  smallInteger,
  timeValue,
  type Tlv,
  whole,
} from "./der-reader.ts";
import { type Extension, type ExtensionForms, readExtension, readForms } from "./extension-view.ts";
import { MalformedDerError } from "./errors.ts";
import { type Rdn, readName } from "./name.ts";

/** A date with the tag that it was written with. */
export interface TimeView {
  readonly tag: number;
  readonly date: Date;
}

/** A TBSCertificate as it was read: every field, every extension. The bytes are shared with the source. */
export interface CertificateView {
  readonly bytes: Uint8Array;
  /** As encoded: 0 for v1, 2 for v3. */
  readonly version: number;
  /** The content octets of the INTEGER, with its sign octet if there is one. */
  readonly serialNumber: Uint8Array;
  /** The whole AlgorithmIdentifier. */
  readonly signature: Uint8Array;
  readonly issuer: Uint8Array;
  readonly issuerName: readonly Rdn[];
  readonly notBefore: TimeView;
  readonly notAfter: TimeView;
  readonly subject: Uint8Array;
  readonly subjectName: readonly Rdn[];
  readonly spki: Uint8Array;
  /** The OID of the key's algorithm. */
  readonly keyAlgorithm: string;
  /** The octets of the key's BIT STRING. */
  readonly keyOctets: Uint8Array;
  readonly hasUniqueIdentifiers: boolean;
  readonly extensions: readonly Extension[];
  /** The extensions that we know, read; of one that stands twice the first. */
  readonly forms: ExtensionForms;
}

/** A whole certificate. */
export interface CertificateParts {
  readonly tbs: Uint8Array;
  readonly view: CertificateView;
  /** The outer AlgorithmIdentifier, whole. */
  readonly signatureAlgorithm: Uint8Array;
  readonly signature: Uint8Array;
}

function readVersion(members: Cursor): number {
  const tagged = members.optional(0xa0);
  if (tagged === undefined) return 0;
  const inner = new Cursor(tagged);
  const version = smallInteger(inner.next(TAG.integer));
  inner.finish();
  if (version === 0 || version > 2)
    throw new MalformedDerError("the version is the default, or unknown");
  return version;
}

const readTime = (value: Tlv): TimeView => ({ tag: value.tag, date: timeValue(value) });

/** The OID of an AlgorithmIdentifier, which has at most one parameter (RFC 5280 §4.1.1.2). */
function readAlgorithm(value: Tlv): string {
  const members = new Cursor(value);
  const name = oidText(members.next(TAG.oid));
  if (!members.done) members.next();
  members.finish();
  return name;
}

/** An AlgorithmIdentifier's bytes, once it was seen to be one. */
function checkAlgorithm(value: Tlv): Uint8Array {
  readAlgorithm(value);
  return whole(value);
}

function readSpki(value: Tlv): Pick<CertificateView, "spki" | "keyAlgorithm" | "keyOctets"> {
  const members = new Cursor(value);
  const keyAlgorithm = readAlgorithm(members.next(TAG.sequence));
  const keyOctets = bitStringOctets(members.next(TAG.bitString));
  members.finish();
  return { spki: whole(value), keyAlgorithm, keyOctets };
}

function readExtensions(members: Cursor): Extension[] {
  const tagged = members.optional(0xa3);
  if (tagged === undefined) return [];
  const inner = new Cursor(tagged);
  const list = new Cursor(inner.next(TAG.sequence));
  inner.finish();
  const extensions: Extension[] = [];
  do extensions.push(readExtension(list.next(TAG.sequence)));
  while (!list.done);
  return extensions;
}

function readTbs(value: Tlv): CertificateView {
  const members = new Cursor(value);
  const version = readVersion(members);
  const serialNumber = integerContent(members.next(TAG.integer));
  const signature = checkAlgorithm(members.next(TAG.sequence));
  const issuer = whole(members.next(TAG.sequence));
  const dates = new Cursor(members.next(TAG.sequence));
  const notBefore = readTime(dates.next());
  const notAfter = readTime(dates.next());
  dates.finish();
  const subject = whole(members.next(TAG.sequence));
  const key = readSpki(members.next(TAG.sequence));
  const issuerUniqueId = members.optional(0x81);
  const subjectUniqueId = members.optional(0x82);
  const extensions = readExtensions(members);
  members.finish();
  return {
    bytes: whole(value),
    version,
    serialNumber,
    signature,
    issuer,
    issuerName: readName(issuer),
    notBefore,
    notAfter,
    subject,
    subjectName: readName(subject),
    spki: key.spki,
    keyAlgorithm: key.keyAlgorithm,
    keyOctets: key.keyOctets,
    hasUniqueIdentifiers: issuerUniqueId !== undefined || subjectUniqueId !== undefined,
    extensions,
    forms: readForms(extensions),
  };
}

/** Reads a TBSCertificate as strict DER (RFC 5280 §4.1). Throws MalformedDerError. */
export function parseTbs(bytes: Uint8Array): CertificateView {
  return readTbs(readOnly(bytes, TAG.sequence));
}

/** Reads a Certificate as strict DER (RFC 5280 §4.1.1). Throws MalformedDerError. */
export function parseCertificate(der: Uint8Array): CertificateParts {
  const members = new Cursor(readOnly(der, TAG.sequence));
  const tbs = members.next(TAG.sequence);
  const signatureAlgorithm = checkAlgorithm(members.next(TAG.sequence));
  const signature = bitStringOctets(members.next(TAG.bitString));
  members.finish();
  const view = readTbs(tbs);
  return { tbs: view.bytes, view, signatureAlgorithm, signature };
}
