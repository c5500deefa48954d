const HEX = Array.from({ length: 256 }, (_, octet) => octet.toString(16).padStart(2, "0"));

/** Lower-case hex, two digits an octet. */
export function toHex(bytes: Uint8Array): string {
  let text = "";
  for (const octet of bytes) text += HEX[octet];
  return text;
}

/** The value of a hex digit of either case. */
function digit(text: string, at: number): number {
  const code = text.charCodeAt(at);
  return code < 0x40 ? code - 0x30 : (code & 0x0f) + 9;
}

/** The octets of a hex text of either case. Throws RangeError when it is not whole octets of hex. */
export function fromHex(text: string): Uint8Array {
  if (text.length % 2 !== 0 || !/^[0-9a-fA-F]*$/.test(text)) throw new RangeError("not hex");
  const bytes = new Uint8Array(text.length / 2);
  for (let i = 0; i < bytes.length; i++)
    bytes[i] = (digit(text, 2 * i) << 4) | digit(text, 2 * i + 1);
  return bytes;
}

/** Below this a plain loop is quicker than the call into the engine that `set` is. */
const SHORT = 96;

/** Copies all octets of `part` to `at` and returns where it ends. */
export function put(into: Uint8Array, at: number, part: Uint8Array): number {
  const { length } = part;
  if (length > SHORT) into.set(part, at);
  else for (let i = 0; i < length; i++) into[at + i] = part[i] ?? 0;
  return at + length;
}

/** All parts, one after the other. */
export function concat(parts: readonly Uint8Array[]): Uint8Array {
  let length = 0;
  for (const part of parts) length += part.length;
  const all = new Uint8Array(length);
  let at = 0;
  for (const part of parts) at = put(all, at, part);
  return all;
}

/** Whether both hold the same octets. Not constant-time: for public bytes only. */
export function equal(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** Unsigned lexicographic order of octets, as DER's SET OF wants it (X.690 §11.6). */
export function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const shared = Math.min(a.length, b.length);
  for (let i = 0; i < shared; i++) {
    const difference = (a[i] ?? 0) - (b[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}

const latin1 = new TextDecoder("latin1");

/** One character an octet. */
export const latin1Text = (bytes: Uint8Array): string => latin1.decode(bytes);

const utf8 = new TextEncoder();

/** The UTF-8 octets of a text. Short ASCII, as dates and addresses are, does not take the way through the engine. */
export function utf8Bytes(text: string): Uint8Array {
  const { length } = text;
  if (length > SHORT) return utf8.encode(text);
  const bytes = new Uint8Array(length);
  for (let i = 0; i < length; i++) {
    const code = text.charCodeAt(i);
    if (code >= 0x80) return utf8.encode(text);
    bytes[i] = code;
  }
  return bytes;
}
