import type { Brand } from "./brand.ts";
import { fromHex, toHex } from "./bytes.ts";
import type { Random } from "./crypto.ts";
import { InvalidSerialError } from "./errors.ts";

/** A certificate serial number: lower-case hex, whole octets, no leading zero octet, no prefix. */
export type Serial = Brand<string, "Serial">;

/** Every serial that we make has this many octets. */
export const SERIAL_OCTETS = 16;

/** How many CRL shards an issuing CA has. It never changes for what was issued. */
export const SHARDS = 16;

/** RFC 5280 §4.1.2.2: positive, and at most 20 octets once DER has added a sign octet. */
const LIMIT = 1n << 159n;

/** Reads a serial number as people and products write it. Throws InvalidSerialError. */
export function parseSerial(text: string): Serial {
  if (!/^(?!00)(?:[0-9a-f]{2}){1,20}$/.test(text) || BigInt(`0x${text}`) >= LIMIT) {
    throw new InvalidSerialError(
      "a serial number is lower-case hex of whole octets, without a prefix or leading 00",
    );
  }
  return text as Serial;
}

/** 16 random octets with the top bits 01: always positive, never led by zero, 126 bits of entropy (RFC 5280 §4.1.2.2). */
export function newSerial(random: Random): Serial {
  const bytes = random(SERIAL_OCTETS);
  bytes[0] = ((bytes[0] ?? 0) & 0x3f) | 0x40;
  return toHex(bytes) as Serial;
}

/** The content octets of the serial's DER INTEGER, without a sign octet: for a serial of ours exactly 16. */
export function serialBytes(serial: Serial): Uint8Array {
  return fromHex(serial);
}

/** The serial whose DER INTEGER has this content. Throws InvalidSerialError for zero, negative and overlong ones. */
export function serialFromInteger(content: Uint8Array): Serial {
  if ((content[0] ?? 0x80) >= 0x80) throw new InvalidSerialError("a serial number is positive");
  return parseSerial(toHex(content[0] === 0 ? content.subarray(1) : content));
}

/** The CRL shard of a serial: its last octet modulo the number of shards. */
export function shardOf(serial: Serial): number {
  return Number.parseInt(serial.slice(-2), 16) % SHARDS;
}
