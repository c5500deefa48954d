import { toHex } from "./bytes.ts";
import { type EntryColumns, EntryWriter, entriesLength, firstOctet } from "./crl-entry-writer.ts";
import type { ReasonCode } from "./revocation-reason.ts";
import { ascendingRows, compareSlots, SERIAL_SLOT } from "./serial-order.ts";
import { type Serial, serialBytes } from "./serial.ts";

/** An entry by itself. The date is the published one, already set back by the caller. */
export interface CrlEntry {
  readonly serial: Serial;
  readonly revokedAt: Date;
  readonly reason: ReasonCode;
}

function hexOf(serials: Uint8Array, row: number): string {
  return toHex(serials.subarray(firstOctet(serials, row), SERIAL_SLOT * (row + 1)));
}

/** A slot is copied by words: octet by octet it takes longer than all the rest of sorting. */
const SLOT_WORDS = SERIAL_SLOT / 4;

const wordsOf = ({ buffer, byteOffset, length }: Uint8Array): Uint32Array =>
  new Uint32Array(buffer, byteOffset, length / 4);

/** Rows of other columns, by themselves: what is read from one end to the other should lie so. */
class Gathering {
  readonly columns: EntryColumns;
  readonly #words: Uint32Array;
  #count = 0;

  constructor(room: number) {
    this.columns = {
      serials: new Uint8Array(SERIAL_SLOT * room),
      revokedAt: new Float64Array(room),
      reasons: new Uint8Array(room),
      shards: new Uint8Array(room),
    };
    this.#words = wordsOf(this.columns.serials);
  }

  /** Takes a row; `words` are those of its column of serials. */
  take({ reasons, revokedAt, shards }: EntryColumns, words: Uint32Array, row: number): void {
    const to = this.#count++;
    const own = this.columns;
    for (let i = 0; i < SLOT_WORDS; i++)
      this.#words[SLOT_WORDS * to + i] = words[SLOT_WORDS * row + i] ?? 0;
    own.revokedAt[to] = revokedAt[row] ?? Number.NaN;
    own.reasons[to] = reasons[row] ?? 0;
    own.shards[to] = shards[row] ?? 0;
  }
}

/** What stands on a list: serial, published revocation date and reason, in ascending order of the serial as a number. */
export class CrlEntries {
  readonly #columns: EntryColumns;

  private constructor(columns: EntryColumns) {
    this.#columns = columns;
  }

  /**
   * Entries that come in columns. Throws RangeError when a serial comes twice or a date is none: that is a fault of the
   * query behind it.
   */
  static sorted(columns: EntryColumns): CrlEntries {
    const words = wordsOf(columns.serials);
    const own = new Gathering(columns.reasons.length);
    for (const row of ascendingRows(columns.serials)) own.take(columns, words, row);
    const { revokedAt, serials } = own.columns;
    for (let row = 0; row < revokedAt.length; row++) {
      if (Number.isNaN(revokedAt[row])) throw new RangeError("a revocation date is no date");
      if (row > 0 && compareSlots(serials, row - 1, row) === 0)
        throw new RangeError(`the serials of a list must be unique: ${hexOf(serials, row)}`);
    }
    return new CrlEntries(own.columns);
  }

  /** A few entries, in any order. Throws RangeError as `sorted` does. */
  static of(entries: readonly CrlEntry[] = []): CrlEntries {
    const serials = new Uint8Array(SERIAL_SLOT * entries.length);
    for (const [row, { serial }] of entries.entries()) {
      const octets = serialBytes(serial);
      serials.set(octets, SERIAL_SLOT * (row + 1) - octets.length);
    }
    return CrlEntries.sorted({
      serials,
      revokedAt: Float64Array.from(entries, ({ revokedAt }) => revokedAt.getTime()),
      reasons: Uint8Array.from(entries, ({ reason }) => reason),
      shards: new Uint8Array(entries.length),
    });
  }

  get length(): number {
    return this.#columns.reasons.length;
  }

  /** Those of each of so many shards. */
  split(count: number): readonly CrlEntries[] {
    const { serials, shards } = this.#columns;
    const sizes = new Uint32Array(count);
    for (const shard of shards) sizes[shard] = (sizes[shard] ?? 0) + 1;
    const parts = Array.from(sizes, (size) => new Gathering(size));
    const words = wordsOf(serials);
    for (let row = 0; row < this.length; row++)
      parts[shards[row] ?? 0]?.take(this.#columns, words, row);
    return parts.map(({ columns }) => new CrlEntries(columns));
  }

  /** How many octets all entries have together in DER. */
  get encodedLength(): number {
    return entriesLength(this.#columns);
  }

  /** Writes all entries into octets of just that length (RFC 5280 §5.1.2.6). Throws RangeError for a date that no Time can hold. */
  encode(into: Uint8Array): void {
    const writer = new EntryWriter(into);
    for (let row = 0; row < this.length; row++) writer.write(this.#columns, row);
  }
}
