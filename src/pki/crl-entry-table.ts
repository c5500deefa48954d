import { toHex } from "./bytes.ts";
import type { Serial } from "./serial.ts";

export interface CrlEntryView {
  readonly serial: Serial;
  readonly revokedAt: Date;
  /** The CRLReason value; 0 when there is none. */
  readonly reason: number;
}

/** An entry as it was read. */
export interface ReadEntry {
  /** Where the first octet of its serial lies that is not a sign octet, and how many there are. */
  readonly at: number;
  readonly octets: number;
  /** Milliseconds since 1970. */
  readonly revokedAt: number;
  readonly reason: number;
}

function grown<Column extends { set(from: Column): void }>(into: Column, from: Column): Column {
  into.set(from);
  return into;
}

/** The entries of a list that was read, in its order: 14 octets each beside the list's own bytes, and no objects. */
export class CrlEntryTable {
  readonly #source: Uint8Array;
  #ats: Uint32Array;
  #octets: Uint8Array;
  #revokedAt: Float64Array;
  #reasons: Uint8Array;
  #length = 0;

  constructor(source: Uint8Array, capacity: number) {
    this.#source = source;
    this.#ats = new Uint32Array(capacity);
    this.#octets = new Uint8Array(capacity);
    this.#revokedAt = new Float64Array(capacity);
    this.#reasons = new Uint8Array(capacity);
  }

  get length(): number {
    return this.#length;
  }

  /** What the places of serials are places in. */
  get source(): Uint8Array {
    return this.#source;
  }

  push({ at, octets, reason, revokedAt }: ReadEntry): void {
    const index = this.#length++;
    if (index === this.#ats.length) this.#grow();
    this.#ats[index] = at;
    this.#octets[index] = octets;
    this.#revokedAt[index] = revokedAt;
    this.#reasons[index] = reason;
  }

  /** Where the serial of an entry begins, and how many octets it has, without a sign octet. */
  at(index: number): number {
    return this.#ats[index] ?? 0;
  }

  octets(index: number): number {
    return this.#octets[index] ?? 0;
  }

  /** Milliseconds since 1970. */
  revokedAt(index: number): number {
    return this.#revokedAt[index] ?? Number.NaN;
  }

  reason(index: number): number {
    return this.#reasons[index] ?? 0;
  }

  serial(index: number): Serial {
    const at = this.at(index);
    return toHex(this.#source.subarray(at, at + this.octets(index))) as Serial;
  }

  /** Negative, zero or positive, as this entry's serial is lower than, equal to or higher than that of another list. */
  compare(index: number, other: CrlEntryTable, otherIndex: number): number {
    const octets = this.octets(index);
    if (octets !== other.octets(otherIndex)) return octets - other.octets(otherIndex);
    const [at, otherAt] = [this.at(index), other.at(otherIndex)];
    for (let i = 0; i < octets; i++) {
      const difference = (this.#source[at + i] ?? 0) - (other.#source[otherAt + i] ?? 0);
      if (difference !== 0) return difference;
    }
    return 0;
  }

  // One after the other, as objects.
  *entries(): Generator<CrlEntryView> {
    for (let i = 0; i < this.#length; i++)
      yield {
        serial: this.serial(i),
        revokedAt: new Date(this.revokedAt(i)),
        reason: this.reason(i),
      };
  }

  #grow(): void {
    const room = Math.max(16, Math.ceil(1.5 * this.#ats.length));
    this.#ats = grown(new Uint32Array(room), this.#ats);
    this.#octets = grown(new Uint8Array(room), this.#octets);
    this.#revokedAt = grown(new Float64Array(room), this.#revokedAt);
    this.#reasons = grown(new Uint8Array(room), this.#reasons);
  }
}
