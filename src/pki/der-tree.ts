import { compareBytes } from "./bytes.ts";
import { TAG } from "./der.ts";
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

/** X.690 §11.6: whether a member of a SET OF may stand behind the one before it. */
function isInOrder(before: Tlv | undefined, member: Tlv): boolean {
  return before === undefined || compareBytes(whole(before), whole(member)) <= 0;
}

function walk(value: Tlv, depth: number): boolean {
  if (depth > DEEPEST || !hasRightForm(value.tag))
    throw new MalformedDerError("the structure is not DER");
  if ((value.tag & 0x20) === 0) {
    if (isCanonical(value)) return true;
    throw new MalformedDerError(`the content of tag 0x${value.tag.toString(16)} is not DER`);
  }
  let isSorted = true;
  let before: Tlv | undefined;
  for (const members = new Cursor(value); !members.done;) {
    const member = members.next();
    isSorted = walk(member, depth + 1) && isSorted;
    if (value.tag !== TAG.set) continue;
    isSorted &&= isInOrder(before, member);
    before = member;
  }
  return isSorted;
}

/**
 * Reads one value to its leaves without knowing its type. True says that its encoding is the one that DER has for it, as
 * far as that can be told without the type, so that encoding it again would give the same bytes: the reader takes
 * minimal lengths only, every content is canonical, and every SET OF stands in order. False says that all holds but the
 * order. Throws MalformedDerError where no encoding is right.
 */
export function walkDer(der: Uint8Array): boolean {
  return walk(readOnly(der), 0);
}
