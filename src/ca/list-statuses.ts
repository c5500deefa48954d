import { toHex } from "../pki/bytes.ts";
import type { CrlEntryTable } from "../pki/crl-entry-table.ts";
import { type Serial, serialFromInteger } from "../pki/serial.ts";
import type { Sql } from "../storage/sql.ts";
import { timestampAt } from "../storage/timestamp.ts";

/** RFC 5280 §4.1.2.2: no serial number has more octets. */
const SLOT = 20;

/** What the database makes of a row: how long the serial is, the serial's slot, shard and reason, two times. */
const RECORD = 2 + SLOT + 2 + 8 + 8;

/**
 * Everything that is revoked or on hold, whatever the lists before had. Some thousand rows in one, shard after shard: as
 * rows by themselves a million would take the driver longer than all the rest of the check.
 */
const STATUSES = `select string_agg(
    int2send(length(serial)::int2) || serial || substring('\\x${"00".repeat(SLOT)}'::bytea from length(serial) + 1)
      || int2send((shard * 16 + reason)::int2) || timestamptz_send(revoked_at) || timestamptz_send(not_after), '') as page
  from ca.issued where issuer_id = $1 and state in ('hold', 'revoked')
  group by shard`;

/** Certificates whose status has changed since. */
const CHANGED = `select distinct i.serial, i.shard from ca.change c join ca.issued i on i.serial = c.serial
  where c.seq > $2 and i.issuer_id = $1`;

/** Rows that lie together: those of a shard, or all. */
export interface RowRange {
  readonly from: number;
  readonly to: number;
}

/** Serials as the table has them, by their last octets, which are random. */
function fingerprint(source: Uint8Array, at: number, octets: number): number {
  let hash = octets;
  for (let i = at + octets - Math.min(8, octets); i < at + octets; i++)
    hash = Math.imul(hash, 31) + (source[i] ?? 0);
  return Math.imul(hash, 0x9e_37_79_b1) >>> 0;
}

/**
 * What the database says of an issuer's certificates that are revoked or on hold: 44 octets each, where the driver's
 * objects take ten times as many. It is looked up by serial: nothing here relies on the order of a list.
 */
export class ListedStatuses {
  /** The records as they came, one after the other. */
  readonly #records: Buffer;
  readonly #shards = new Map<number, RowRange>();
  /** Row + 1, or 0 where the slot is free. */
  readonly #slots: Uint32Array;
  readonly #changed: ReadonlyMap<Serial, number>;
  readonly length: number;

  private constructor(pages: readonly Buffer[], changed: ReadonlyMap<Serial, number>) {
    this.#records = Buffer.concat(pages);
    this.#changed = changed;
    this.length = this.#records.length / RECORD;
    let from = 0;
    for (const page of pages) {
      const to = from + page.length / RECORD;
      this.#shards.set((page[2 + SLOT + 1] ?? 0) >> 4, { from, to });
      from = to;
    }
    this.#slots = new Uint32Array(2 ** Math.ceil(Math.log2(1.5 * this.length + 2)));
    for (let row = 0; row < this.length; row++) this.#slots[this.#freeSlot(row)] = row + 1;
  }

  /** Reads all of them, inside a transaction. Changes up to the watermark must show on the lists. */
  static async read(
    sql: Sql,
    { issuerId, watermark }: { readonly issuerId: string; readonly watermark: bigint },
  ): Promise<ListedStatuses> {
    const [pages, changed] = await Promise.all([
      sql.query<{ page: Buffer }>(STATUSES, [issuerId]),
      sql.query<{ serial: Buffer; shard: number }>(CHANGED, [issuerId, String(watermark)]),
    ]);
    return new ListedStatuses(
      pages.map(({ page }) => page),
      new Map(changed.map(({ serial, shard }) => [serialFromInteger(serial), shard])),
    );
  }

  /** The rows of a shard, or all of them. */
  range(shard: number | undefined): RowRange {
    if (shard === undefined) return { from: 0, to: this.length };
    return this.#shards.get(shard) ?? { from: 0, to: 0 };
  }

  /** The row of the serial that a list has in this place, or −1. */
  find(table: CrlEntryTable, index: number): number {
    const mask = this.#slots.length - 1;
    let slot = fingerprint(table.source, table.at(index), table.octets(index)) & mask;
    for (;;) {
      const row = (this.#slots[slot] ?? 0) - 1;
      if (row < 0 || this.#isAt(row, table, index)) return row;
      slot = (slot + 1) & mask;
    }
  }

  serial(row: number): Serial {
    const at = RECORD * row + 2;
    return toHex(this.#records.subarray(at, at + this.#octets(row))) as Serial;
  }

  reason(row: number): number {
    return (this.#records[RECORD * row + 2 + SLOT + 1] ?? 0) & 15;
  }

  /** The true time, in milliseconds since 1970. */
  revokedAt(row: number): number {
    return timestampAt(this.#records, RECORD * row + 2 + SLOT + 2);
  }

  /** In milliseconds since 1970. */
  notAfter(row: number): number {
    return timestampAt(this.#records, RECORD * row + 2 + SLOT + 10);
  }

  /** Whether nothing has changed since the lists' watermark, so that they must say what the row says. */
  isSettled(row: number): boolean {
    return this.#changed.size === 0 || !this.#changed.has(this.serial(row));
  }

  /** Whether it may be on the list of this shard, or on the full one, because its status has changed since. */
  hasChanged(serial: Serial, shard: number | undefined): boolean {
    const found = this.#changed.get(serial);
    return found !== undefined && (shard === undefined || found === shard);
  }

  #octets(row: number): number {
    return this.#records[RECORD * row + 1] ?? 0;
  }

  #isAt(row: number, table: CrlEntryTable, index: number): boolean {
    const octets = this.#octets(row);
    if (octets !== table.octets(index)) return false;
    const { source } = table;
    const [at, there] = [RECORD * row + 2, table.at(index)];
    for (let i = 0; i < octets; i++) if (this.#records[at + i] !== source[there + i]) return false;
    return true;
  }

  #freeSlot(row: number): number {
    const mask = this.#slots.length - 1;
    let slot = fingerprint(this.#records, RECORD * row + 2, this.#octets(row)) & mask;
    while (this.#slots[slot] !== 0) slot = (slot + 1) & mask;
    return slot;
  }
}
