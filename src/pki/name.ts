import { latin1Text, toHex } from "./bytes.ts";
import { ia5String, oid, printableString, sequence, setOf, TAG, utf8String } from "./der.ts";
import { contentOf, Cursor, oidText, readOnly, type Tlv, whole } from "./der-reader.ts";
import { InvalidNameError, MalformedDerError } from "./errors.ts";

type StringType = "utf8" | "printable" | "ia5";

interface AttributeRule {
  readonly oid: string;
  readonly string: StringType;
  /** Upper bound in characters (RFC 5280 appendix A.1). */
  readonly most: number;
}

/** Attributes that we write, with the string type and bound of RFC 5280 §4.1.2.4 and appendix A.1. */
const ATTRIBUTES = {
  CN: { oid: "2.5.4.3", string: "utf8", most: 64 },
  SN: { oid: "2.5.4.4", string: "utf8", most: 32768 },
  serialNumber: { oid: "2.5.4.5", string: "printable", most: 64 },
  C: { oid: "2.5.4.6", string: "printable", most: 2 },
  L: { oid: "2.5.4.7", string: "utf8", most: 128 },
  ST: { oid: "2.5.4.8", string: "utf8", most: 128 },
  O: { oid: "2.5.4.10", string: "utf8", most: 64 },
  OU: { oid: "2.5.4.11", string: "utf8", most: 64 },
  title: { oid: "2.5.4.12", string: "utf8", most: 64 },
  GN: { oid: "2.5.4.42", string: "utf8", most: 32768 },
  dnQualifier: { oid: "2.5.4.46", string: "printable", most: 64 },
  pseudonym: { oid: "2.5.4.65", string: "utf8", most: 128 },
  DC: { oid: "0.9.2342.19200300.100.1.25", string: "ia5", most: 63 },
  emailAddress: { oid: "1.2.840.113549.1.9.1", string: "ia5", most: 255 },
} as const satisfies Record<string, AttributeRule>;

export type AttributeType = keyof typeof ATTRIBUTES;

/** One attribute of a name, in the order of the encoding: the most general first. */
export interface NameAttribute {
  readonly type: AttributeType;
  readonly value: string;
}

/** One attribute as it was read: its type's OID, the tag of its string, and the text. */
export interface ReadAttribute {
  readonly oid: string;
  readonly tag: number;
  readonly text: string;
}

/** A relative distinguished name: one attribute, rarely several. */
export type Rdn = readonly ReadAttribute[];

const BY_OID: ReadonlyMap<string, AttributeRule & { readonly type: string }> = new Map(
  Object.entries(ATTRIBUTES).map(([type, rule]) => [rule.oid, { type, ...rule }]),
);

/** X.680 §41.4. */
const PRINTABLE = /^[A-Za-z0-9 '()+,\-./:=?]*$/;
// oxlint-disable-next-line no-control-regex -- all of ASCII is meant
const ASCII = /^[\u0000-\u007f]*$/;
// oxlint-disable-next-line no-control-regex -- control characters are what is looked for
const CONTROL = /[\u0000-\u001f\u007f-\u009f]/;

/** A BMPString has no surrogates (X.680 §41.15). */
const BASIC_PLANE = /^[^\ud800-\udfff]*$/;

const writers: Record<StringType, (text: string) => Uint8Array> = {
  utf8: utf8String,
  printable: printableString,
  ia5: ia5String,
};

const ALLOWED_TAGS: Record<StringType, readonly number[]> = {
  utf8: [TAG.utf8String, TAG.printableString],
  printable: [TAG.printableString],
  ia5: [TAG.ia5String],
};

/** The length that upper bounds count: characters, not octets or UTF-16 units (X.680 §41). */
function characters(text: string): number {
  let count = 0;
  for (const _ of text) count++;
  return count;
}

function encodeAttribute({ type, value }: NameAttribute): Uint8Array {
  const rule: AttributeRule = ATTRIBUTES[type];
  if (value === "") throw new InvalidNameError(`${type} is empty`);
  if (!value.isWellFormed() || CONTROL.test(value))
    throw new InvalidNameError(`${type} has control characters or broken Unicode`);
  if (characters(value) > rule.most)
    throw new InvalidNameError(`${type} has more than ${rule.most} characters`);
  if (type === "C" && !/^[A-Z]{2}$/.test(value))
    throw new InvalidNameError("C is a country code of two capital letters");
  if (rule.string === "printable" && !PRINTABLE.test(value))
    throw new InvalidNameError(`${type} must be a PrintableString`);
  if (rule.string === "ia5" && !ASCII.test(value))
    throw new InvalidNameError(`${type} must be ASCII`);
  return setOf(sequence(oid(rule.oid), writers[rule.string](value)));
}

/** A Name with one attribute to an RDN, the most general first (RFC 5280 §4.1.2.4). Throws InvalidNameError. */
export function encodeName(attributes: readonly NameAttribute[]): Uint8Array {
  return sequence(...attributes.map(encodeAttribute));
}

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const utf16 = new TextDecoder("utf-16be", { fatal: true, ignoreBOM: true });

/** TeletexString: read as Latin-1, as everybody does. */
const TELETEX_STRING = 0x14;

/** The text, if each of its characters may stand there. */
function held(text: string, to: RegExp): string {
  if (to.test(text)) return text;
  throw new MalformedDerError("an attribute value has a character that its string type has not");
}

function decodeUnicode(decoder: typeof utf8, bytes: Uint8Array): string {
  try {
    return decoder.decode(bytes);
  } catch {
    throw new MalformedDerError("an attribute value is broken Unicode");
  }
}

function decodeString(value: Tlv): string {
  const bytes = contentOf(value);
  switch (value.tag) {
    case TAG.printableString:
      return held(latin1Text(bytes), PRINTABLE);
    case TAG.ia5String:
      return held(latin1Text(bytes), ASCII);
    case TELETEX_STRING:
      return latin1Text(bytes);
    case TAG.utf8String:
      return decodeUnicode(utf8, bytes);
    case TAG.bmpString:
      return held(decodeUnicode(utf16, bytes), BASIC_PLANE);
    default:
      throw new MalformedDerError("an attribute value is no string that we read");
  }
}

function readAttribute(value: Tlv): ReadAttribute {
  const members = new Cursor(value);
  const type = oidText(members.next(TAG.oid));
  const string = members.next();
  members.finish();
  return { oid: type, tag: string.tag, text: decodeString(string) };
}

/** Reads a Name: its RDNs from the most general to the most specific. Throws MalformedDerError. */
export function readName(der: Uint8Array): readonly Rdn[] {
  const rdns: Rdn[] = [];
  const sequenceOf = new Cursor(readOnly(der, TAG.sequence));
  while (!sequenceOf.done) {
    const members = new Cursor(sequenceOf.next(TAG.set));
    const rdn: ReadAttribute[] = [];
    do rdn.push(readAttribute(members.next(TAG.sequence)));
    while (!members.done);
    rdns.push(rdn);
  }
  return rdns;
}

/** What is wrong with an attribute's string type, or undefined (RFC 5280 §4.1.2.4 and appendix A.1). */
export function stringTypeFault({ oid: type, tag }: ReadAttribute): string | undefined {
  const rule = BY_OID.get(type);
  if (rule === undefined) return `the attribute ${type} is none that we write`;
  return ALLOWED_TAGS[rule.string].includes(tag)
    ? undefined
    : `${rule.type} is a string of another type`;
}

/** What is wrong with the length of an attribute, or undefined (RFC 5280 appendix A.1: ub-…, in characters). */
export function upperBoundFault({ oid: type, text }: ReadAttribute): string | undefined {
  const rule = BY_OID.get(type);
  if (rule === undefined) return undefined;
  const length = characters(text);
  if (length === 0) return `${rule.type} is empty`;
  if (rule.type === "C" && length !== 2) return "C has not two characters";
  return length > rule.most ? `${rule.type} has more than ${rule.most} characters` : undefined;
}

/** The first thing that a rule finds wrong in a name, or undefined. */
export function firstFault(
  name: readonly Rdn[],
  rule: (attribute: ReadAttribute) => string | undefined,
): string | undefined {
  for (const rdn of name) {
    for (const attribute of rdn) {
      const fault = rule(attribute);
      if (fault !== undefined) return fault;
    }
  }
  return undefined;
}

/** RFC 4514 §2.4. */
function escapeValue(text: string): string {
  return text
    .replaceAll(/["+,;<>\\]/g, String.raw`\$&`)
    .replaceAll("\0", String.raw`\00`)
    .replace(/^[ #]/, String.raw`\$&`)
    .replace(/(?<!^) $/, String.raw`\ `);
}

function attributeText(attribute: Tlv): string {
  const { oid: type, text } = readAttribute(attribute);
  const known = BY_OID.get(type);
  if (known !== undefined) return `${known.type}=${escapeValue(text)}`;
  const members = new Cursor(attribute);
  members.next();
  return `${type}=#${toHex(whole(members.next()))}`;
}

/** A Name for people, the most specific first (RFC 4514 §2.1). Throws MalformedDerError. */
export function nameText(der: Uint8Array): string {
  const texts: string[] = [];
  const rdns = new Cursor(readOnly(der, TAG.sequence));
  while (!rdns.done) {
    const members = new Cursor(rdns.next(TAG.set));
    const parts: string[] = [];
    do parts.push(attributeText(members.next(TAG.sequence)));
    while (!members.done);
    texts.unshift(parts.join("+"));
  }
  return texts.join(",");
}

/** The most specific common name, if there is one. Throws MalformedDerError. */
export function commonNameOf(der: Uint8Array): string | undefined {
  return readName(der)
    .flat()
    .findLast(({ oid: type }) => type === ATTRIBUTES.CN.oid)?.text;
}
