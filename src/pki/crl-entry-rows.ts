import { toHex } from "./bytes.ts";

/** RFC 5280 §4.1.2.2: no serial number has more octets. */
export const SERIAL_SLOT = 20;

/** The time, the serial's slot, reason and shard, two octets of nothing: half a line of a processor's cache. */
const ROW_OCTETS = 32;
const ROW_WORDS = ROW_OCTETS / 4;
const ROW_DOUBLES = ROW_OCTETS / 8;
const SERIAL_AT = 8;
const REASON_AT = SERIAL_AT + SERIAL_SLOT;
const SHARD_AT = REASON_AT + 1;

/** What stands in a row beside its serial. */
export interface EntryFacts {
  /** The published date, in milliseconds since 1970. */
  readonly revokedAt: number;
  /** A ReasonCode. */
  readonly reason: number;
  readonly shard: number;
}

/**
 * Entries to be listed, a row of 32 octets each, so that a million of them are 32 MB. What belongs together lies together:
 * sorting takes rows from all over the memory, and each of them is one way there.
 */
export class EntryRows {
  /** The serial of row r begins at `serialAt(r)`, zeros in front. */
  readonly octets: Uint8Array;
  readonly length: number;
  readonly #words: Uint32Array;
  readonly #doubles: Float64Array;

  constructor(length: number) {
    this.length = length;
    this.octets = new Uint8Array(ROW_OCTETS * length);
    this.#words = new Uint32Array(this.octets.buffer);
    this.#doubles = new Float64Array(this.octets.buffer);
  }

  /** Writes what stands beside a serial; the serial itself goes into `octets`. Throws RangeError for a date that is none. */
  put(row: number, { reason, revokedAt, shard }: EntryFacts): void {
    if (Number.isNaN(revokedAt)) throw new RangeError("a revocation date is no date");
    this.#doubles[ROW_DOUBLES * row] = revokedAt;
    this.octets[ROW_OCTETS * row + REASON_AT] = reason;
    this.octets[ROW_OCTETS * row + SHARD_AT] = shard;
  }

  /** Takes a row of others. */
  copy(row: number, from: EntryRows, fromRow: number): void {
    const to = ROW_WORDS * row;
    const at = ROW_WORDS * fromRow;
    // Word by word: for so few of them a call of `set` takes longer.
    for (let i = 0; i < ROW_WORDS; i++) this.#words[to + i] = from.#words[at + i] ?? 0;
  }

  serialAt(row: number): number {
    return ROW_OCTETS * row + SERIAL_AT;
  }

  /** The first octet of the serial that is not zero, but for the last one. */
  firstOctet(row: number): number {
    let from = ROW_OCTETS * row + SERIAL_AT;
    const last = ROW_OCTETS * row + REASON_AT - 1;
    while (from < last && this.octets[from] === 0) from++;
    return from;
  }

  /** One behind the last octet of the serial. */
  serialEnd(row: number): number {
    return ROW_OCTETS * row + REASON_AT;
  }

  serialHex(row: number): string {
    return toHex(this.octets.subarray(this.firstOctet(row), this.serialEnd(row)));
  }

  revokedAt(row: number): number {
    return this.#doubles[ROW_DOUBLES * row] ?? Number.NaN;
  }

  reason(row: number): number {
    return this.octets[ROW_OCTETS * row + REASON_AT] ?? 0;
  }

  shard(row: number): number {
    return this.octets[ROW_OCTETS * row + SHARD_AT] ?? 0;
  }
}
