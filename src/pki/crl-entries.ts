import type { DerWriter } from "./der-writer.ts";
import type { ReasonCode } from "./revocation-reason.ts";
import type { Serial } from "./serial.ts";

/** RFC 5280 §4.1.2.2: no serial number has more octets. */
const SLOT = 20;

const NIBBLES = Uint8Array.from({ length: 128 }, (_, code) => {
  const digit = Number.parseInt(String.fromCharCode(code), 16);
  return Number.isNaN(digit) ? 0 : digit;
});

/** Doubles a column, keeping what is in it. */
function grown<Column extends Uint8Array | Float64Array>(column: Column, into: Column): Column {
  into.set(column);
  return into;
}

/**
 * What stands on a list: serial, published revocation date and reason, in ascending order of the serial as a number.
 * Columns instead of objects: 29 octets an entry, so that a million of them are 29 MB.
 */
export class CrlEntries {
  #serials: Uint8Array;
  #revokedAt: Float64Array;
  #reasons: Uint8Array;
  #length = 0;
  #serialOctets = 0;

  constructor(capacity = 64) {
    const room = Math.max(1, capacity);
    this.#serials = new Uint8Array(SLOT * room);
    this.#revokedAt = new Float64Array(room);
    this.#reasons = new Uint8Array(room);
  }

  get length(): number {
    return this.#length;
  }

  /** How many octets all serials have together. */
  get serialOctets(): number {
    return this.#serialOctets;
  }

  /**
   * Appends an entry. The date is the published one, already set back by the caller. Throws RangeError unless the serial
   * comes after the last one: a duplicate or a wrong order is a fault of the query behind it.
   */
  add(serial: Serial, revokedAt: Date, reason: ReasonCode): void {
    if (this.#length === this.#reasons.length) this.#grow();
    const index = this.#length;
    const octets = serial.length / 2;
    let at = SLOT * (index + 1) - octets;
    this.#serials.fill(0, SLOT * index, at);
    for (let i = 0; i < serial.length; i += 2) {
      const high = NIBBLES[serial.charCodeAt(i)] ?? 0;
      this.#serials[at++] = (high << 4) | (NIBBLES[serial.charCodeAt(i + 1)] ?? 0);
    }
    if (index > 0 && !this.#ascends(index)) {
      throw new RangeError(`the serials of a list must ascend and be unique: ${serial}`);
    }
    const milliseconds = revokedAt.getTime();
    if (Number.isNaN(milliseconds)) throw new RangeError("a revocation date is no date");
    this.#revokedAt[index] = milliseconds;
    this.#reasons[index] = reason;
    this.#length = index + 1;
    this.#serialOctets += octets;
  }

  /** Puts the content octets of the serial's INTEGER in front: no leading zeros, but a sign octet where it needs one. */
  writeSerial(index: number, into: DerWriter): void {
    let from = SLOT * index;
    const end = from + SLOT;
    while (from < end - 1 && this.#serials[from] === 0) from++;
    into.range(this.#serials, from, end);
    if ((this.#serials[from] ?? 0) >= 0x80) into.octet(0);
  }

  /** Milliseconds since 1970. */
  revokedAt(index: number): number {
    return this.#revokedAt[index] ?? Number.NaN;
  }

  reason(index: number): number {
    return this.#reasons[index] ?? 0;
  }

  #ascends(index: number): boolean {
    const here = SLOT * index;
    for (let i = 0; i < SLOT; i++) {
      const difference = (this.#serials[here + i] ?? 0) - (this.#serials[here - SLOT + i] ?? 0);
      if (difference !== 0) return difference > 0;
    }
    return false;
  }

  #grow(): void {
    const room = 2 * this.#reasons.length;
    this.#serials = grown(this.#serials, new Uint8Array(SLOT * room));
    this.#revokedAt = grown(this.#revokedAt, new Float64Array(room));
    this.#reasons = grown(this.#reasons, new Uint8Array(room));
  }
}
