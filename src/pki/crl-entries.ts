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

/** These rows, in this order, by themselves: what is read from one end to the other should lie so. */
function gathered(columns: EntryColumns, rows: Uint32Array): EntryColumns {
  const { reasons, revokedAt, serials, shards } = columns;
  const own = {
    serials: new Uint8Array(SERIAL_SLOT * rows.length),
    revokedAt: new Float64Array(rows.length),
    reasons: new Uint8Array(rows.length),
    shards: new Uint8Array(rows.length),
  };
  const words = wordsOf(serials);
  const ownWords = wordsOf(own.serials);
  for (let to = 0; to < rows.length; to++) {
    const row = rows[to] ?? 0;
    for (let i = 0; i < SLOT_WORDS; i++)
      ownWords[SLOT_WORDS * to + i] = words[SLOT_WORDS * row + i] ?? 0;
    own.revokedAt[to] = revokedAt[row] ?? Number.NaN;
    own.reasons[to] = reasons[row] ?? 0;
    own.shards[to] = shards[row] ?? 0;
  }
  return own;
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
    const own = gathered(columns, ascendingRows(columns.serials));
    const { revokedAt, serials } = own;
    for (let row = 0; row < revokedAt.length; row++) {
      if (Number.isNaN(revokedAt[row])) throw new RangeError("a revocation date is no date");
      if (row > 0 && compareSlots(serials, row - 1, row) === 0)
        throw new RangeError(`the serials of a list must be unique: ${hexOf(serials, row)}`);
    }
    return new CrlEntries(own);
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
    const sizes = new Uint32Array(count);
    for (const shard of this.#columns.shards) sizes[shard] = (sizes[shard] ?? 0) + 1;
    const rows = Array.from(sizes, (size) => new Uint32Array(size));
    sizes.fill(0);
    for (const [row, shard] of this.#columns.shards.entries()) {
      const own = rows[shard];
      const at = sizes[shard] ?? 0;
      if (own !== undefined) own[at] = row;
      sizes[shard] = at + 1;
    }
    return rows.map((own) => new CrlEntries(gathered(this.#columns, own)));
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
