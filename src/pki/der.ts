import { compareBytes, concat, put, utf8Bytes } from "./bytes.ts";

/** DER, written: each function returns one whole TLV (X.690). Lengths are definite and minimal. */

export const TAG = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  null: 0x05,
  oid: 0x06,
  enumerated: 0x0a,
  utf8String: 0x0c,
  printableString: 0x13,
  ia5String: 0x16,
  utcTime: 0x17,
  generalizedTime: 0x18,
  bmpString: 0x1e,
  sequence: 0x30,
  set: 0x31,
} as const;

/** The octets of a DER length (X.690 §8.1.3, §10.1). */
function lengthOctets(length: number): number {
  if (length < 0x80) return 1;
  if (length < 0x100) return 2;
  if (length < 0x1_0000) return 3;
  return length < 0x100_0000 ? 4 : 5;
}

/** Writes tag and length at `at` and returns where the content starts. */
export function writeHeader(
  into: Uint8Array,
  at: number,
  header: { tag: number; length: number },
): number {
  const { tag, length } = header;
  into[at++] = tag;
  const octets = lengthOctets(length);
  if (octets > 1) into[at++] = 0x7f + octets;
  for (let shift = 8 * (octets > 1 ? octets - 2 : 0); shift >= 0; shift -= 8)
    into[at++] = (length >>> shift) & 0xff;
  return at;
}

/** How many octets a TLV with so much content takes. */
export function tlvLength(contentLength: number): number {
  return 1 + lengthOctets(contentLength) + contentLength;
}

/** One TLV. The content may come in parts. */
export function tlv(tag: number, ...parts: readonly Uint8Array[]): Uint8Array {
  let length = 0;
  for (const part of parts) length += part.length;
  const out = new Uint8Array(tlvLength(length));
  let at = writeHeader(out, 0, { tag, length });
  for (const part of parts) at = put(out, at, part);
  return out;
}

export const sequence = (...parts: readonly Uint8Array[]): Uint8Array =>
  tlv(TAG.sequence, ...parts);

/** SET OF: the encodings in ascending order (X.690 §11.6). */
export function setOf(...parts: readonly Uint8Array[]): Uint8Array {
  // oxlint-disable-next-line unicorn/no-array-sort -- pages run this too, and Safari 15 has no toSorted
  return tlv(TAG.set, concat([...parts].sort(compareBytes)));
}

/** A constructed context tag [n], as EXPLICIT tagging and constructed IMPLICIT types have it. */
export const context = (n: number, ...parts: readonly Uint8Array[]): Uint8Array =>
  tlv(0xa0 | n, ...parts);

/** A primitive context tag [n], as an IMPLICIT primitive type has it. */
export const contextPrimitive = (n: number, content: Uint8Array): Uint8Array =>
  tlv(0x80 | n, content);

export const boolean = (value: boolean): Uint8Array =>
  new Uint8Array([TAG.boolean, 1, value ? 0xff : 0]);
export const nullValue = (): Uint8Array => new Uint8Array([TAG.null, 0]);
export const octetString = (...content: readonly Uint8Array[]): Uint8Array =>
  tlv(TAG.octetString, ...content);
export const utf8String = (value: string): Uint8Array => tlv(TAG.utf8String, utf8Bytes(value));
export const printableString = (value: string): Uint8Array =>
  tlv(TAG.printableString, utf8Bytes(value));
export const ia5String = (value: string): Uint8Array => tlv(TAG.ia5String, utf8Bytes(value));

/** A NamedBitList: bit 0 is the most significant, trailing zero bits are left out (X.690 §11.2.2). */
export function namedBits(bits: readonly number[]): Uint8Array {
  const highest = Math.max(-1, ...bits);
  const octets = new Uint8Array(Math.floor(highest / 8) + 1);
  for (const bit of bits) octets[bit >> 3] = (octets[bit >> 3] ?? 0) | (0x80 >> (bit & 7));
  return tlv(TAG.bitString, new Uint8Array([highest < 0 ? 0 : 7 - (highest & 7)]), octets);
}

/** A non-negative INTEGER from its magnitude: leading zeros go, a sign octet comes where the top bit is set (X.690 §8.3). */
export function unsignedInteger(magnitude: Uint8Array): Uint8Array {
  let from = 0;
  while (from < magnitude.length - 1 && magnitude[from] === 0) from++;
  // Not a view without need: making the first one of a short array moves its octets out of the heap.
  const trimmed = from === 0 ? magnitude : magnitude.subarray(from);
  const content = trimmed.length === 0 ? new Uint8Array([0]) : trimmed;
  return (content[0] ?? 0) >= 0x80
    ? tlv(TAG.integer, new Uint8Array([0]), content)
    : tlv(TAG.integer, content);
}

/** A non-negative INTEGER. */
export function integer(value: number | bigint): Uint8Array {
  if (value < 0) throw new RangeError("only non-negative integers are written here");
  const hex = value.toString(16);
  return unsignedInteger(
    Uint8Array.from((hex.length % 2 === 0 ? hex : `0${hex}`).match(/../g) ?? [], (pair) =>
      Number.parseInt(pair, 16),
    ),
  );
}

export const enumerated = (value: number): Uint8Array => new Uint8Array([TAG.enumerated, 1, value]);

/** An OBJECT IDENTIFIER from its dotted form (X.690 §8.19). */
export function oid(dotted: string): Uint8Array {
  const arcs = dotted.split(".").map(Number);
  const [first = 0, second = 0, ...rest] = arcs;
  const content: number[] = [];
  for (const arc of [first * 40 + second, ...rest]) {
    const groups: number[] = [];
    let left = arc;
    do {
      groups.unshift((left % 128) | (groups.length > 0 ? 0x80 : 0));
      left = Math.floor(left / 128);
    } while (left > 0);
    content.push(...groups);
  }
  return tlv(TAG.oid, Uint8Array.from(content));
}

const twoDigits = (number: number): string => (number < 10 ? `0${number}` : `${number}`);

/** `YYYYMMDDHHMMSSZ`, always UTC, with seconds, never a fraction. */
function digits(at: Date): string {
  const year = at.getUTCFullYear();
  if (!(year >= 1950 && year <= 9999)) throw new RangeError(`no DER time for the year ${year}`);
  const date = `${year}${twoDigits(at.getUTCMonth() + 1)}${twoDigits(at.getUTCDate())}`;
  return `${date}${twoDigits(at.getUTCHours())}${twoDigits(at.getUTCMinutes())}${twoDigits(at.getUTCSeconds())}Z`;
}

/** A validity date: through 2049 a UTCTime, from 2050 a GeneralizedTime (RFC 5280 §4.1.2.5, §5.1.2.4). */
export function time(at: Date): Uint8Array {
  const all = digits(at);
  return at.getUTCFullYear() < 2050
    ? tlv(TAG.utcTime, utf8Bytes(all.slice(2)))
    : tlv(TAG.generalizedTime, utf8Bytes(all));
}

/** Always a GeneralizedTime, as OCSP wants it (RFC 6960 §4.2.2.1). */
export const generalizedTime = (at: Date): Uint8Array =>
  tlv(TAG.generalizedTime, utf8Bytes(digits(at)));
