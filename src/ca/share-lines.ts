import { createHash } from "node:crypto";

import { KeyStoreError } from "./errors.ts";

/** Crockford's Base32: no I, L, O or U, so that nobody has to guess which one a printer has left. */
const ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/** What people type for what they see. */
const MISREAD: Readonly<Record<string, string>> = { I: "1", L: "1", O: "0" };

/** So many octets a line: 24 characters in six groups of four, and a seventh group that checks them. */
const LINE_OCTETS = 15;
const CHECK_LENGTH = 4;
const LINE_LENGTH = (LINE_OCTETS * 8) / 5 + CHECK_LENGTH;

/** A multiple of five octets in Base32. */
function toBase32(octets: Uint8Array): string {
  let bits = 0n;
  for (const octet of octets) bits = (bits << 8n) | BigInt(octet);
  let text = "";
  for (let left = (octets.length * 8) / 5; left > 0; left--, bits >>= 5n)
    text = (ALPHABET[Number(bits & 31n)] ?? "") + text;
  return text;
}

/** The octets of characters of the alphabet. */
function fromBase32(text: string): Buffer {
  let bits = 0n;
  for (const character of text) bits = (bits << 5n) | BigInt(ALPHABET.indexOf(character));
  return Buffer.from(bits.toString(16).padStart((text.length * 5) / 4, "0"), "hex");
}

/** Says of a line that it is itself and in its place: 20 bits of a SHA-256. */
function checkOf(line: number, octets: Uint8Array): string {
  const hash = createHash("sha256").update(`suido share line ${line}`).update(octets).digest();
  return toBase32(hash.subarray(0, 5)).slice(0, CHECK_LENGTH);
}

/** Octets as numbered lines that can be printed, read aloud and typed. The last line is filled up with zeros. */
export function writeShareLines(octets: Uint8Array): readonly string[] {
  const lines: string[] = [];
  for (let at = 0; at < octets.length; at += LINE_OCTETS) {
    const part = Buffer.alloc(LINE_OCTETS);
    part.set(octets.subarray(at, at + LINE_OCTETS));
    const number = lines.length + 1;
    const text = toBase32(part) + checkOf(number, part);
    lines.push(`${String(number).padStart(2, "0")}  ${text.match(/.{4}/g)?.join(" ") ?? ""}`);
  }
  return lines;
}

function readLine(typed: string, number: number): Buffer {
  const text = typed
    .toUpperCase()
    .replaceAll(/[\s-]/g, "")
    .replaceAll(/[ILO]/g, (character) => MISREAD[character] ?? "");
  const stranger = text.split("").find((character) => !ALPHABET.includes(character));
  if (stranger !== undefined)
    throw new KeyStoreError(`line ${number} has "${stranger}", which is no character of a share`);
  if (text.length !== LINE_LENGTH)
    throw new KeyStoreError(
      `line ${number} has ${text.length} characters instead of ${LINE_LENGTH}`,
    );
  const octets = fromBase32(text.slice(0, -CHECK_LENGTH));
  if (checkOf(number, octets) !== text.slice(-CHECK_LENGTH))
    throw new KeyStoreError(`line ${number} is mistyped: its last group does not fit the others`);
  return octets;
}

/**
 * Reads what `writeShareLines` wrote, as people type it: in small letters, with other gaps, O for 0, I or L for 1, and with
 * other text around. Returns so many octets. Throws KeyStoreError, which names the line.
 */
export function readShareLines(text: string, octets: number): Uint8Array {
  const typed = new Map<number, string>();
  for (const line of text.split(/\r?\n/)) {
    const [, number, rest] = /^\s*(\d{1,2})[\s.:]+(\S.*)$/.exec(line) ?? [];
    if (number !== undefined && rest !== undefined) typed.set(Number(number), rest);
  }
  const parts: Buffer[] = [];
  for (let number = 1; number <= Math.ceil(octets / LINE_OCTETS); number++) {
    const line = typed.get(number);
    if (line === undefined) throw new KeyStoreError(`line ${number} is missing`);
    parts.push(readLine(line, number));
  }
  return Buffer.concat(parts).subarray(0, octets);
}
