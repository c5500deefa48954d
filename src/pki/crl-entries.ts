import { EntryRows } from "./crl-entry-rows.ts";
import { EntryWriter, entriesLength } from "./crl-entry-writer.ts";
import type { ReasonCode } from "./revocation-reason.ts";
import { ascendingRows } from "./serial-order.ts";
import { type Serial, serialBytes } from "./serial.ts";

/** An entry by itself. The date is the published one, already set back by the caller. */
export interface CrlEntry {
  readonly serial: Serial;
  readonly revokedAt: Date;
  readonly reason: ReasonCode;
}

/** Rows that are filled from the front. */
class Filling {
  readonly rows: EntryRows;
  #count = 0;

  constructor(length: number) {
    this.rows = new EntryRows(length);
  }

  take(from: EntryRows, row: number): void {
    this.rows.copy(this.#count++, from, row);
  }
}

/** What stands on a list: serial, published revocation date and reason, in ascending order of the serial as a number. */
export class CrlEntries {
  readonly #rows: EntryRows;

  private constructor(rows: EntryRows) {
    this.#rows = rows;
  }

  /**
   * Entries in any order. Throws RangeError when a serial comes twice: that is a fault of the query behind it.
   */
  static sorted(rows: EntryRows): CrlEntries {
    const order = ascendingRows(rows);
    const own = new EntryRows(rows.length);
    for (let row = 0; row < rows.length; row++) own.copy(row, rows, order[row] ?? 0);
    return new CrlEntries(own);
  }

  /** A few entries, in any order. Throws RangeError when a serial comes twice or a date is none. */
  static of(entries: readonly CrlEntry[] = []): CrlEntries {
    const rows = new EntryRows(entries.length);
    for (const [row, { reason, revokedAt, serial }] of entries.entries()) {
      const octets = serialBytes(serial);
      rows.octets.set(octets, rows.serialEnd(row) - octets.length);
      rows.put(row, { revokedAt: revokedAt.getTime(), reason, shard: 0 });
    }
    return CrlEntries.sorted(rows);
  }

  get length(): number {
    return this.#rows.length;
  }

  /** Those of each of so many shards. */
  split(count: number): readonly CrlEntries[] {
    const rows = this.#rows;
    const sizes = new Uint32Array(count);
    for (let row = 0; row < rows.length; row++)
      sizes[rows.shard(row)] = (sizes[rows.shard(row)] ?? 0) + 1;
    const parts = Array.from(sizes, (size) => new Filling(size));
    for (let row = 0; row < rows.length; row++) parts[rows.shard(row)]?.take(rows, row);
    return parts.map((part) => new CrlEntries(part.rows));
  }

  /** How many octets all entries have together in DER. */
  get encodedLength(): number {
    return entriesLength(this.#rows);
  }

  /** Writes all entries into octets of just that length (RFC 5280 §5.1.2.6). Throws RangeError for a date that no Time can hold. */
  encode(into: Uint8Array): void {
    const writer = new EntryWriter(into);
    for (let row = 0; row < this.length; row++) writer.write(this.#rows, row);
  }
}
