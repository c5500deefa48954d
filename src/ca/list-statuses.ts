import { toHex } from "../pki/bytes.ts";
import type { CrlEntryTable } from "../pki/crl-entry-table.ts";
import { type Serial, serialFromInteger, SHARDS } from "../pki/serial.ts";
import type { OctetSql, Sql } from "../storage/sql.ts";
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

/** The shards of the certificates of an issuer whose status has changed after a change, by serial. Inside a transaction. */
export async function readChanged(
  sql: Sql,
  { issuerId, after }: { readonly issuerId: string; readonly after: bigint },
): Promise<ReadonlyMap<Serial, number>> {
  const rows = await sql.query<{ serial: Buffer; shard: number }>(CHANGED, [
    issuerId,
    String(after),
  ]);
  return new Map(rows.map(({ serial, shard }) => [serialFromInteger(serial), shard]));
}

/** Serials as the table has them, by their last octets, which are random. */
function fingerprint(source: Uint8Array, at: number, octets: number): number {
  let hash = octets;
  for (let i = at + octets - Math.min(8, octets); i < at + octets; i++)
    hash = Math.imul(hash, 31) + (source[i] ?? 0);
  return Math.imul(hash, 0x9e_37_79_b1) >>> 0;
}

/** Those of one shard: few enough to look up within a processor's own memory. */
export class ShardStatuses {
  /** The records as they came, one after the other. */
  readonly #records: Buffer;
  /** Row + 1, or 0 where the slot is free. */
  readonly #slots: Uint32Array;
  readonly length: number;

  constructor(page: Buffer) {
    this.#records = page;
    this.length = page.length / RECORD;
    this.#slots = new Uint32Array(2 ** Math.ceil(Math.log2(1.5 * this.length + 2)));
    for (let row = 0; row < this.length; row++) this.#slots[this.#freeSlot(row)] = row + 1;
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

/** Every record has the shard. */
const shardOfPage = (page: Buffer | undefined): number => (page?.[2 + SLOT + 1] ?? 0) >> 4;

/**
 * What the database says of an issuer's certificates that are revoked or on hold, of each shard by itself: 40 octets each,
 * where the driver's objects take ten times as many. They are looked up by serial: nothing here relies on the order of a
 * list. Inside a transaction.
 */
export async function readStatuses(
  sql: OctetSql,
  issuerId: string,
): Promise<readonly ShardStatuses[]> {
  const rows = await sql.octets(STATUSES, [issuerId]);
  const pages = new Map(rows.map(([page]) => [shardOfPage(page), page]));
  return Array.from(
    { length: SHARDS },
    (_, shard) => new ShardStatuses(pages.get(shard) ?? Buffer.alloc(0)),
  );
}
