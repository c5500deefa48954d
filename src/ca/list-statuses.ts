import { type Serial, serialFromInteger } from "../pki/serial.ts";
import type { Sql } from "../storage/sql.ts";

/** A certificate that is revoked or on hold, or was so when the lists were made, as the check of lists reads it. */
export interface ListedStatus {
  readonly serial: Serial;
  readonly shard: number;
  /** Whether nothing changed since the lists' watermark, and it is revoked or on hold: then they must say so. */
  readonly isSettled: boolean;
  readonly reason: number | undefined;
  readonly revokedAt: Date | undefined;
  readonly notAfter: Date;
}

interface StatusRow {
  readonly serial: Buffer;
  readonly shard: number;
  readonly state: string;
  readonly reason: number | null;
  readonly revoked_at: Date | null;
  readonly not_after: Date;
  readonly has_changed: boolean;
}

const STATUSES = `declare status no scroll cursor for
  select i.serial, i.shard, i.state, i.reason, i.revoked_at, i.not_after,
    exists (select from ca.change c where c.serial = i.serial and c.seq > $2) as has_changed
  from ca.issued i
  where i.issuer_id = $1 and (i.state in ('hold', 'revoked') or i.serial in (select c.serial from ca.change c where c.seq > $2 and c.serial is not null))
  order by length(i.serial), i.serial`;

/** Rows that are objects at the same time. */
const PAGE = 5_000;

/** RFC 5280 §4.1.2.2: no serial number has more octets. */
const SLOT = 20;

const NO_REASON = 255;

/** A page in columns: 39 octets a certificate, where the driver's objects take ten times as many. */
interface Page {
  readonly count: number;
  readonly serials: Uint8Array;
  readonly lengths: Uint8Array;
  readonly shards: Uint8Array;
  readonly settled: Uint8Array;
  readonly reasons: Uint8Array;
  readonly revokedAt: Float64Array;
  readonly notAfter: Float64Array;
}

function pageOf(rows: readonly StatusRow[]): Page {
  const serials = new Uint8Array(SLOT * rows.length);
  for (const [i, { serial }] of rows.entries()) serials.set(serial, SLOT * i);
  return {
    count: rows.length,
    serials,
    lengths: Uint8Array.from(rows, ({ serial }) => serial.length),
    shards: Uint8Array.from(rows, ({ shard }) => shard),
    settled: Uint8Array.from(rows, ({ has_changed, state }) =>
      Number(!has_changed && state !== "good"),
    ),
    reasons: Uint8Array.from(rows, ({ reason }) => reason ?? NO_REASON),
    revokedAt: Float64Array.from(rows, ({ revoked_at }) => revoked_at?.getTime() ?? Number.NaN),
    notAfter: Float64Array.from(rows, ({ not_after }) => not_after.getTime()),
  };
}

function statusAt(page: Page, i: number): ListedStatus {
  const serial = page.serials.subarray(SLOT * i, SLOT * i + (page.lengths[i] ?? 0));
  const reason = page.reasons[i] ?? NO_REASON;
  const revokedAt = page.revokedAt[i] ?? Number.NaN;
  return {
    serial: serialFromInteger(serial),
    shard: page.shards[i] ?? 0,
    isSettled: page.settled[i] === 1,
    reason: reason === NO_REASON ? undefined : reason,
    revokedAt: Number.isNaN(revokedAt) ? undefined : new Date(revokedAt),
    notAfter: new Date(page.notAfter[i] ?? 0),
  };
}

/** What the database says of an issuer's certificates, in the order of a list. */
export class ListedStatuses {
  readonly #pages: readonly Page[];

  private constructor(pages: readonly Page[]) {
    this.#pages = pages;
  }

  /** Reads all of them, inside a transaction. Changes up to the watermark must show on the lists. */
  static async read(
    sql: Sql,
    { issuerId, watermark }: { readonly issuerId: string; readonly watermark: bigint },
  ): Promise<ListedStatuses> {
    await sql.query(STATUSES, [issuerId, String(watermark)]);
    const pages: Page[] = [];
    for (;;) {
      const rows = await sql.query<StatusRow>(`fetch ${PAGE} from status`);
      pages.push(pageOf(rows));
      if (rows.length < PAGE) break;
    }
    await sql.query("close status");
    return new ListedStatuses(pages);
  }

  // Those of one shard, or all.
  *of(shard: number | undefined): Generator<ListedStatus> {
    for (const page of this.#pages) {
      for (let i = 0; i < page.count; i++) {
        if (shard === undefined || page.shards[i] === shard) yield statusAt(page, i);
      }
    }
  }
}
