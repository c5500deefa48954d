import { latin1Text } from "./bytes.ts";
import { TAG } from "./der.ts";
import {
  booleanValue,
  contentOf,
  Cursor,
  oidText,
  readOnly,
  smallInteger,
  type Tlv,
} from "./der-reader.ts";
import { MalformedDerError } from "./errors.ts";
import { EXTENSION, KEY_USAGES, type KeyUsage } from "./oids.ts";

/** One extension (RFC 5280 §4.1.2.9). */
export interface Extension {
  readonly oid: string;
  readonly critical: boolean;
  /** The content of its OCTET STRING. */
  readonly value: Uint8Array;
}

/** A GeneralName: its tag number, and its text where it is one (RFC 5280 §4.2.1.6). */
export interface GeneralName {
  /** 1 rfc822Name, 2 dNSName, 6 uniformResourceIdentifier, 7 iPAddress, … */
  readonly tag: number;
  /** The text of an IA5String, one character an octet; otherwise undefined. */
  readonly text: string | undefined;
  readonly content: Uint8Array;
}

export interface AuthorityKeyIdentifier {
  readonly keyIdentifier: Uint8Array | undefined;
  readonly hasIssuerAndSerial: boolean;
}

export interface KeyUsageForm {
  readonly usages: readonly KeyUsage[];
  /** No trailing zero bits (X.690 §11.2.2), and no bit without a name. */
  readonly isMinimal: boolean;
}

export interface BasicConstraints {
  readonly ca: boolean;
  readonly pathLength: number | undefined;
}

export interface PolicyInformation {
  readonly oid: string;
  readonly hasQualifiers: boolean;
}

export interface DistributionPoint {
  /** The names of fullName; undefined where there is none. */
  readonly fullName: readonly GeneralName[] | undefined;
  readonly hasReasons: boolean;
  readonly hasCrlIssuer: boolean;
}

export interface AccessDescription {
  readonly method: string;
  readonly location: GeneralName;
}

/** The extensions that we know, each undefined where it is absent. */
export interface ExtensionForms {
  readonly authorityKeyIdentifier: AuthorityKeyIdentifier | undefined;
  readonly subjectKeyIdentifier: Uint8Array | undefined;
  readonly keyUsage: KeyUsageForm | undefined;
  readonly basicConstraints: BasicConstraints | undefined;
  readonly extKeyUsage: readonly string[] | undefined;
  readonly certificatePolicies: readonly PolicyInformation[] | undefined;
  readonly subjectAltName: readonly GeneralName[] | undefined;
  readonly cRLDistributionPoints: readonly DistributionPoint[] | undefined;
  readonly authorityInfoAccess: readonly AccessDescription[] | undefined;
}

/** Reads one Extension. A FALSE that is written out is not DER (X.690 §11.5). Throws MalformedDerError. */
export function readExtension(value: Tlv): Extension {
  const members = new Cursor(value);
  const name = oidText(members.next(TAG.oid));
  const flag = members.optional(TAG.boolean);
  const octets = contentOf(members.next(TAG.octetString));
  members.finish();
  if (flag !== undefined && !booleanValue(flag))
    throw new MalformedDerError("critical FALSE is the default and not written");
  return { oid: name, critical: flag !== undefined, value: octets };
}

/** The members of a SEQUENCE inside a SEQUENCE OF. A cursor alone would take any constructed value for one. */
function sequenceMembers(value: Tlv): Cursor {
  if (value.tag !== TAG.sequence) throw new MalformedDerError("a sequence was expected");
  return new Cursor(value);
}

/** Every member of a SEQUENCE OF that has at least one. */
function listOf<T>(der: Uint8Array | Tlv, read: (value: Tlv) => T): T[] {
  const cursor = new Cursor(der instanceof Uint8Array ? readOnly(der, TAG.sequence) : der);
  const members: T[] = [];
  do members.push(read(cursor.next()));
  while (!cursor.done);
  return members;
}

/** Tag numbers of GeneralName whose content is an IA5String. */
const TEXT_NAMES = new Set([1, 2, 6]);

function readGeneralName(value: Tlv): GeneralName {
  const number = value.tag & 0x1f;
  const isConstructed = [0, 3, 4, 5].includes(number);
  if (value.tag !== (0x80 | number | (isConstructed ? 0x20 : 0)) || number > 8)
    throw new MalformedDerError("not a general name");
  const content = contentOf(value);
  return {
    tag: number,
    text: TEXT_NAMES.has(number) ? latin1Text(content) : undefined,
    content,
  };
}

function readAuthorityKeyIdentifier(der: Uint8Array): AuthorityKeyIdentifier {
  const members = new Cursor(readOnly(der, TAG.sequence));
  const identifier = members.optional(0x80);
  const issuer = members.optional(0xa1);
  const serial = members.optional(0x82);
  members.finish();
  return {
    keyIdentifier: identifier === undefined ? undefined : contentOf(identifier),
    hasIssuerAndSerial: issuer !== undefined || serial !== undefined,
  };
}

function readKeyUsage(der: Uint8Array): KeyUsageForm {
  const content = contentOf(readOnly(der, TAG.bitString));
  const [unused = 8, ...octets] = content;
  const last = octets.at(-1) ?? 0;
  if (unused > 7 || (octets.length === 0 && unused > 0) || (last & ((1 << unused) - 1)) !== 0) {
    throw new MalformedDerError("the bit string has a wrong number of unused bits");
  }
  const usages = KEY_USAGES.filter(
    (_, bit) => ((octets[bit >> 3] ?? 0) & (0x80 >> (bit & 7))) !== 0,
  );
  const hasNamelessBits = octets.length > 2 || ((octets[1] ?? 0) & 0x7f) !== 0;
  return { usages, isMinimal: ((last >> unused) & 1) === 1 && !hasNamelessBits };
}

function readBasicConstraints(der: Uint8Array): BasicConstraints {
  const members = new Cursor(readOnly(der, TAG.sequence));
  const flag = members.optional(TAG.boolean);
  const length = members.optional(TAG.integer);
  members.finish();
  if (flag !== undefined && !booleanValue(flag))
    throw new MalformedDerError("cA FALSE is the default and not written");
  return {
    ca: flag !== undefined,
    pathLength: length === undefined ? undefined : smallInteger(length),
  };
}

function readPolicyInformation(value: Tlv): PolicyInformation {
  const members = sequenceMembers(value);
  const name = oidText(members.next(TAG.oid));
  const qualifiers = members.optional(TAG.sequence);
  members.finish();
  return { oid: name, hasQualifiers: qualifiers !== undefined };
}

/** DistributionPointName: fullName [0] or nameRelativeToCRLIssuer [1]. */
function readFullName(value: Tlv): readonly GeneralName[] | undefined {
  const choice = new Cursor(value);
  const name = choice.next();
  choice.finish();
  if (name.tag === 0xa0) return listOf(name, readGeneralName);
  if (name.tag === 0xa1) return undefined;
  throw new MalformedDerError("not the name of a distribution point");
}

function readDistributionPoint(value: Tlv): DistributionPoint {
  const members = sequenceMembers(value);
  const name = members.optional(0xa0);
  const reasons = members.optional(0x81);
  const issuer = members.optional(0xa2);
  members.finish();
  return {
    fullName: name === undefined ? undefined : readFullName(name),
    hasReasons: reasons !== undefined,
    hasCrlIssuer: issuer !== undefined,
  };
}

function readAccessDescription(value: Tlv): AccessDescription {
  const members = sequenceMembers(value);
  const method = oidText(members.next(TAG.oid));
  const location = readGeneralName(members.next());
  members.finish();
  return { method, location };
}

/** Reads the extensions that we know. Throws MalformedDerError. */
export function readForms(extensions: readonly Extension[]): ExtensionForms {
  const read = <T>(oid: string, how: (der: Uint8Array) => T): T | undefined => {
    const extension = findExtension(extensions, oid);
    return extension === undefined ? undefined : how(extension.value);
  };
  return {
    authorityKeyIdentifier: read(EXTENSION.authorityKeyIdentifier, readAuthorityKeyIdentifier),
    subjectKeyIdentifier: read(EXTENSION.subjectKeyIdentifier, (der) =>
      contentOf(readOnly(der, TAG.octetString)),
    ),
    keyUsage: read(EXTENSION.keyUsage, readKeyUsage),
    basicConstraints: read(EXTENSION.basicConstraints, readBasicConstraints),
    extKeyUsage: read(EXTENSION.extKeyUsage, (der) => listOf(der, oidText)),
    certificatePolicies: read(EXTENSION.certificatePolicies, (der) =>
      listOf(der, readPolicyInformation),
    ),
    subjectAltName: read(EXTENSION.subjectAltName, (der) => listOf(der, readGeneralName)),
    cRLDistributionPoints: read(EXTENSION.cRLDistributionPoints, (der) =>
      listOf(der, readDistributionPoint),
    ),
    authorityInfoAccess: read(EXTENSION.authorityInfoAccess, (der) =>
      listOf(der, readAccessDescription),
    ),
  };
}

/** The first extension with this OID, or undefined. */
export function findExtension(
  extensions: readonly Extension[],
  oid: string,
): Extension | undefined {
  for (const extension of extensions) if (extension.oid === oid) return extension;
  return undefined;
}
