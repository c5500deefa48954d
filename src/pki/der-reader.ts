import { MalformedDerError } from "./errors.ts";

/** One TLV inside `source`: where it starts, where its content starts, where it ends. No bytes are copied. */
export interface Tlv {
  readonly source: Uint8Array;
  readonly tag: number;
  readonly start: number;
  readonly content: number;
  readonly end: number;
}

/** The length whose first octet, at `at`, says how many more there are (X.690 §8.1.3.5, §10.1). */
function longLength(source: Uint8Array, at: number, limit: number): number {
  const octets = (source[at] ?? 0) - 0x80;
  if (octets === 0 || octets > 4 || at + 1 + octets > limit)
    throw new MalformedDerError("the length is not DER");
  let length = 0;
  for (let i = 1; i <= octets; i++) length = length * 256 + (source[at + i] ?? 0);
  if (length < 0x80 || (octets > 1 && length < 2 ** (8 * (octets - 1)))) {
    throw new MalformedDerError("the length is longer than it needs to be");
  }
  return length;
}

/**
 * Reads one TLV at `at`, not beyond `limit`, as strict DER: definite and minimal lengths, one-octet tags (no
 * structure that we read has others). Throws MalformedDerError.
 */
export function readTlv(source: Uint8Array, at: number, limit: number = source.length): Tlv {
  if (at + 2 > limit) throw new MalformedDerError("the bytes end in the middle of a value");
  const tag = source[at] ?? 0;
  if ((tag & 0x1f) === 0x1f)
    throw new MalformedDerError("a tag of several octets has no place here");
  const first = source[at + 1] ?? 0;
  const content = at + 2 + (first < 0x80 ? 0 : first - 0x80);
  const end = content + (first < 0x80 ? first : longLength(source, at + 1, limit));
  if (end > limit) throw new MalformedDerError("a value is longer than what holds it");
  return { source, tag, start: at, content, end };
}

/** The whole TLV's bytes, shared with the source. */
export const whole = (value: Tlv): Uint8Array => value.source.subarray(value.start, value.end);

/** The content's bytes, shared with the source. */
export const contentOf = (value: Tlv): Uint8Array =>
  value.source.subarray(value.content, value.end);

/** Reads the one value that the bytes must hold, with nothing after it. */
export function readOnly(source: Uint8Array, tag?: number): Tlv {
  const value = readTlv(source, 0);
  if (value.end !== source.length) throw new MalformedDerError("there are bytes after the end");
  if (tag !== undefined && value.tag !== tag) throw unexpected(tag, value.tag);
  return value;
}

function unexpected(wanted: number, found: number): MalformedDerError {
  return new MalformedDerError(
    `expected tag 0x${wanted.toString(16)}, found 0x${found.toString(16)}`,
  );
}

/** Walks the values inside a constructed one, in order. */
export class Cursor {
  readonly #source: Uint8Array;
  readonly #end: number;
  #at: number;

  constructor(parent: Tlv) {
    if ((parent.tag & 0x20) === 0) throw new MalformedDerError("a constructed value was expected");
    this.#source = parent.source;
    this.#at = parent.content;
    this.#end = parent.end;
  }

  get done(): boolean {
    return this.#at >= this.#end;
  }

  /** The next tag without moving, or undefined at the end. */
  peek(): number | undefined {
    return this.done ? undefined : this.#source[this.#at];
  }

  /** The next value; with a tag, exactly that one. Throws MalformedDerError. */
  next(tag?: number): Tlv {
    const value = readTlv(this.#source, this.#at, this.#end);
    if (tag !== undefined && value.tag !== tag) throw unexpected(tag, value.tag);
    this.#at = value.end;
    return value;
  }

  /** The next value if it has this tag, otherwise undefined and no move. */
  optional(tag: number): Tlv | undefined {
    return this.peek() === tag ? this.next(tag) : undefined;
  }

  /** Nothing may be left. Throws MalformedDerError. */
  finish(): void {
    if (!this.done)
      throw new MalformedDerError("there is more in the structure than it has members");
  }
}

/** The first two arcs, which share a number (X.690 §8.19.4). */
function firstArcs(number: number): string {
  const first = Math.min(2, Math.floor(number / 40));
  return `${first}.${number - 40 * first}`;
}

/** The dotted form of an OBJECT IDENTIFIER. Throws MalformedDerError on padding and truncation (X.690 §8.19). */
export function oidText(value: Tlv): string {
  const { source, tag, content, end } = value;
  if (tag !== 0x06 || content === end || (source[end - 1] ?? 0x80) >= 0x80) {
    throw new MalformedDerError("not an object identifier");
  }
  let dotted = "";
  let arc = 0;
  let fresh = true;
  for (let at = content; at < end; at++) {
    const octet = source[at] ?? 0;
    if (fresh && octet === 0x80)
      throw new MalformedDerError("an arc of an object identifier is padded");
    arc = arc * 128 + (octet & 0x7f);
    if (arc > Number.MAX_SAFE_INTEGER / 128)
      throw new MalformedDerError("an arc of an object identifier is too long");
    fresh = octet < 0x80;
    if (!fresh) continue;
    dotted = dotted === "" ? firstArcs(arc) : `${dotted}.${arc}`;
    arc = 0;
  }
  return dotted;
}

/** The content of an INTEGER, checked to be minimal (X.690 §8.3.2). */
export function integerContent(value: Tlv): Uint8Array {
  const bytes = contentOf(value);
  const [first = 0, second = 0] = bytes;
  const padded =
    bytes.length > 1 && ((first === 0 && second < 0x80) || (first === 0xff && second >= 0x80));
  if (value.tag !== 0x02 || bytes.length === 0 || padded)
    throw new MalformedDerError("not a DER integer");
  return bytes;
}

/** A small non-negative INTEGER (below 2^31). Throws MalformedDerError. */
export function smallInteger(value: Tlv): number {
  const bytes = integerContent(value);
  if (bytes.length > 4 || (bytes[0] ?? 0) >= 0x80)
    throw new MalformedDerError("the integer is out of range");
  let number = 0;
  for (const octet of bytes) number = number * 256 + octet;
  return number;
}

/** A BOOLEAN: 0xff or 0x00 only (X.690 §11.1). */
export function booleanValue(value: Tlv): boolean {
  const bytes = contentOf(value);
  if (value.tag !== 0x01 || bytes.length !== 1 || (bytes[0] !== 0 && bytes[0] !== 0xff))
    throw new MalformedDerError("not a DER boolean");
  return bytes[0] === 0xff;
}

/** The octets of a BIT STRING that has no unused bits. */
export function bitStringOctets(value: Tlv): Uint8Array {
  const bytes = contentOf(value);
  if (value.tag !== 0x03 || bytes.length === 0 || bytes[0] !== 0)
    throw new MalformedDerError("not a bit string of whole octets");
  return bytes.subarray(1);
}

/** How many characters the year has, by tag. */
const YEAR_DIGITS: Readonly<Record<number, number>> = { 0x17: 2, 0x18: 4 };

/** The number that decimal digits from `at` on make. Throws MalformedDerError. */
function decimal(bytes: Uint8Array, at: number, count: number): number {
  let number = 0;
  for (let i = at; i < at + count; i++) {
    const digit = (bytes[i] ?? 0) - 0x30;
    if (digit < 0 || digit > 9) throw new MalformedDerError("not a DER time");
    number = number * 10 + digit;
  }
  return number;
}

/** RFC 5280 §4.1.2.5.1: 50 to 99 are of the twentieth century. */
const fullYear = (year: number, yearDigits: number): number =>
  yearDigits === 4 ? year : year + (year < 50 ? 2000 : 1900);

/** A UTCTime or GeneralizedTime in the one form RFC 5280 §4.1.2.5 allows: seconds, Z, no fraction. */
export function timeValue(value: Tlv): Date {
  const { source, tag, content, end } = value;
  const yearDigits = YEAR_DIGITS[tag];
  if (yearDigits === undefined || end - content !== yearDigits + 11 || source[end - 1] !== 0x5a) {
    throw new MalformedDerError("not a DER time");
  }
  const year = fullYear(decimal(source, content, yearDigits), yearDigits);
  const rest = content + yearDigits;
  const [month, day] = [decimal(source, rest, 2), decimal(source, rest + 2, 2)];
  const [hour, minute, second] = [
    decimal(source, rest + 4, 2),
    decimal(source, rest + 6, 2),
    decimal(source, rest + 8, 2),
  ];
  const date = new Date(Date.UTC(2000, month - 1, day, hour, minute, second));
  date.setUTCFullYear(year, month - 1, day);
  if (
    month < 1 ||
    month > 12 ||
    date.getUTCDate() !== day ||
    hour > 23 ||
    minute > 59 ||
    second > 59
  ) {
    throw new MalformedDerError("no such date");
  }
  return date;
}
