import { compareBytes, concat } from "./bytes.ts";
import { TAG, writeHeader } from "./der.ts";
import { Cursor, readOnly, type Tlv, whole } from "./der-reader.ts";
import { MalformedDerError } from "./errors.ts";

const UNIVERSAL_STRING = 0x1c;

/** How deep structures that we write or take may nest. */
const DEEPEST = 24;

/** X.690 §8.3.2. */
function isMinimal({ source, content, end }: Tlv): boolean {
  if (end - content < 2) return end > content;
  const [first, second] = [source[content] ?? 0, source[content + 1] ?? 0];
  return !((first === 0 && second < 0x80) || (first === 0xff && second >= 0x80));
}

/** X.690 §11.2.1: unused bits are zero. */
function hasCanonicalBits({ source, content, end }: Tlv): boolean {
  const unused = end > content ? (source[content] ?? 8) : 8;
  if (unused > 7 || (end - content === 1 && unused > 0)) return false;
  return end - content === 1 || ((source[end - 1] ?? 0) & ((1 << unused) - 1)) === 0;
}

/** X.690 §8.19.2: no arc is padded or cut off. */
function isOid({ source, content, end }: Tlv): boolean {
  let fresh = true;
  for (let at = content; at < end; at++) {
    const octet = source[at] ?? 0;
    if (fresh && octet === 0x80) return false;
    fresh = octet < 0x80;
  }
  return end > content && fresh;
}

/** X.690 §11.1. */
function isBoolean({ source, content, end }: Tlv): boolean {
  return end - content === 1 && (source[content] === 0 || source[content] === 0xff);
}

/** Whether a primitive value's content is the one that DER allows (X.690 §8, §11); of tags that say nothing, any is. */
function isCanonical(value: Tlv): boolean {
  const length = value.end - value.content;
  switch (value.tag) {
    case TAG.boolean:
      return isBoolean(value);
    case TAG.null:
      return length === 0;
    case TAG.bitString:
      return hasCanonicalBits(value);
    case TAG.integer:
    case TAG.enumerated:
      return isMinimal(value);
    case TAG.oid:
      return isOid(value);
    case TAG.bmpString:
      return length % 2 === 0;
    case UNIVERSAL_STRING:
      return length % 4 === 0;
    default:
      return true;
  }
}

/** A universal type must have the form that DER gives it: constructed for SEQUENCE and SET, primitive for all else. */
function hasRightForm(tag: number): boolean {
  const isUniversal = (tag & 0xc0) === 0;
  const isConstructed = (tag & 0x20) !== 0;
  return (
    !isUniversal ||
    (tag !== 0 && isConstructed === ((tag & 0x1f) === 0x10 || (tag & 0x1f) === 0x11))
  );
}

/** Where the encoding grows. */
interface Output {
  readonly bytes: Uint8Array;
  at: number;
}

/** X.690 §11.6: brings the encodings of a SET OF, which stand from `from` on, into ascending order. */
function sortMembers(output: Output, from: number): void {
  const set = { source: output.bytes, tag: TAG.set, start: from, content: from, end: output.at };
  const members: Uint8Array[] = [];
  for (const cursor = new Cursor(set); !cursor.done;) members.push(whole(cursor.next()));
  if (members.length > 1) output.bytes.set(concat(members.toSorted(compareBytes)), from);
}

/** Copied octet by octet: a view of each small content would cost more than its octets do. */
function writePrimitive(value: Tlv, output: Output): void {
  if (!isCanonical(value)) {
    throw new MalformedDerError(`the content of tag 0x${value.tag.toString(16)} is not DER`);
  }
  const { bytes } = output;
  let { at } = output;
  for (let from = value.content; from < value.end; from++) bytes[at++] = value.source[from] ?? 0;
  output.at = at;
}

function writeCanonically(value: Tlv, output: Output, depth: number): void {
  const { tag, content, end } = value;
  if (depth > DEEPEST || !hasRightForm(tag))
    throw new MalformedDerError("the structure is not DER");
  output.at = writeHeader(output.bytes, output.at, { tag, length: end - content });
  if ((tag & 0x20) === 0) {
    writePrimitive(value, output);
    return;
  }
  const from = output.at;
  for (const cursor = new Cursor(value); !cursor.done;)
    writeCanonically(cursor.next(), output, depth + 1);
  if (tag === TAG.set) sortMembers(output, from);
}

/**
 * Decodes one value without knowing its type and encodes it again by the rules of DER: the same bytes come out exactly
 * when they were DER, as far as that can be told without the type. The reader takes minimal lengths only, so the
 * encoding is as long as the source. Throws MalformedDerError where no encoding is right.
 */
export function reencode(der: Uint8Array): Uint8Array {
  const output = { bytes: new Uint8Array(der.length), at: 0 };
  writeCanonically(readOnly(der), output, 0);
  return output.bytes;
}
