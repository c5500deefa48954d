import { latin1Text } from "./bytes.ts";
import { MalformedPemError } from "./errors.ts";

const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const DIGITS = new TextEncoder().encode(ALPHABET);
/** The value of each digit by its code; -1 where there is none. */
const VALUES = Int8Array.from({ length: 128 }, (_, code) =>
  ALPHABET.indexOf(String.fromCharCode(code)),
);
const LINE_CHARACTERS = 64;
const LINE_OCTETS = 48;
const NEWLINE = 0x0a;
const PAD = 0x3d;

const valueOf = (code: number): number => VALUES[code] ?? -1;

/** White space that may break lines (RFC 7468 §3). */
const isBlank = (code: number): boolean =>
  code === 0x20 || code === NEWLINE || code === 0x0d || code === 0x09;

/** Writes the octets as Base64 with its padding and returns where it ends (RFC 4648 §4). */
function writeBase64(into: Uint8Array, start: number, octets: Uint8Array): number {
  let at = start;
  for (let from = 0; from < octets.length; from += 3) {
    const group =
      ((octets[from] ?? 0) << 16) | ((octets[from + 1] ?? 0) << 8) | (octets[from + 2] ?? 0);
    for (let shift = 18; shift >= 0; shift -= 6) into[at++] = DIGITS[(group >> shift) & 63] ?? 0;
  }
  const padding = (3 - (octets.length % 3)) % 3;
  into.fill(PAD, at - padding, at);
  return at;
}

/** Base64 in lines of 64 characters, each with its newline (RFC 7468 §2). Linear, so that lists of 40 MB pass too. */
function base64Lines(der: Uint8Array): string {
  const characters = 4 * Math.ceil(der.length / 3);
  const out = new Uint8Array(characters + Math.ceil(characters / LINE_CHARACTERS));
  let at = 0;
  for (let from = 0; from < der.length; from += LINE_OCTETS) {
    at = writeBase64(out, at, der.subarray(from, from + LINE_OCTETS));
    out[at++] = NEWLINE;
  }
  return latin1Text(out);
}

/** One PEM block with its line ends (RFC 7468 §3). */
export function pemEncode(label: string, der: Uint8Array): string {
  return `-----BEGIN ${label}-----\n${base64Lines(der)}-----END ${label}-----\n`;
}

function malformed(label: string, why: string): MalformedPemError {
  return new MalformedPemError(`no PEM block "${label}" can be read: ${why}`);
}

/** How many digits and how much padding there is. */
function countDigits(text: string, label: string): { count: number; padding: number } {
  let count = 0;
  let padding = 0;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (isBlank(code)) continue;
    if (code === PAD) padding++;
    else if (padding > 0 || valueOf(code) < 0)
      throw malformed(label, "there is a character that is not Base64");
    else count++;
  }
  if (count === 0 || padding > 2 || (count + padding) % 4 !== 0)
    throw malformed(label, "the Base64 is cut off");
  return { count, padding };
}

/** Strict Base64 with its padding and with zero bits behind the last octet (RFC 4648 §3.5); white space may break lines. */
function decodeBase64(text: string, label: string): Uint8Array {
  const { count, padding } = countDigits(text, label);
  const bytes = new Uint8Array(((count + padding) / 4) * 3 - padding);
  let bits = 0;
  let held = 0;
  let to = 0;
  for (let i = 0; i < text.length && to < bytes.length; i++) {
    const value = valueOf(text.charCodeAt(i));
    if (value < 0) continue;
    bits = ((bits << 6) | value) & 0xffff;
    held += 6;
    if (held < 8) continue;
    held -= 8;
    bytes[to++] = (bits >> held) & 0xff;
  }
  if ((bits & ((1 << held) - 1)) !== 0) throw malformed(label, "the Base64 ends in stray bits");
  return bytes;
}

/** Every block with this label, in order; other blocks and text between them are passed over (RFC 7468 §2). Throws MalformedPemError. */
export function pemBlocks(text: string, label: string): Uint8Array[] {
  const begin = `-----BEGIN ${label}-----`;
  const end = `-----END ${label}-----`;
  const blocks: Uint8Array[] = [];
  for (let at = text.indexOf(begin); at >= 0; at = text.indexOf(begin, at)) {
    const from = at + begin.length;
    const to = text.indexOf(end, from);
    if (to < 0) throw malformed(label, "its end is missing");
    blocks.push(decodeBase64(text.slice(from, to), label));
    at = to + end.length;
  }
  return blocks;
}

/** Every block of a text that must hold blocks with this label, at least one, and nothing else but white space. Throws MalformedPemError. */
export function pemFile(text: string, label: string): Uint8Array[] {
  const blocks: Uint8Array[] = [];
  const begin = `-----BEGIN ${label}-----`;
  const end = `-----END ${label}-----`;
  let at = text.search(/\S|$/);
  while (at < text.length) {
    if (!text.startsWith(begin, at)) throw malformed(label, "there is something else beside it");
    const from = at + begin.length;
    const to = text.indexOf(end, from);
    if (to < 0) throw malformed(label, "its end is missing");
    blocks.push(decodeBase64(text.slice(from, to), label));
    at = to + end.length;
    while (at < text.length && " \t\r\n".includes(text.charAt(at))) at++;
  }
  if (blocks.length === 0) throw malformed(label, "there is none");
  return blocks;
}

/** The one block that the text must hold, with nothing but white space around it. Throws MalformedPemError. */
export function pemDecode(text: string, label: string): Uint8Array {
  const trimmed = text.trim();
  if (!trimmed.startsWith(`-----BEGIN ${label}-----`))
    throw malformed(label, "it does not begin with one");
  if (!trimmed.endsWith(`-----END ${label}-----`))
    throw malformed(label, "it does not end with one");
  const [block, ...others] = pemBlocks(trimmed, label);
  if (block === undefined || others.length > 0) throw malformed(label, "there is more than one");
  return block;
}
