import type { Database } from "../storage/database.ts";
import type { Sql } from "../storage/sql.ts";
import type { CertificateState, StatusDigest, StatusIndex } from "./status-index.ts";

/** A certificate's status as the database has it. */
interface StatusRow {
  readonly serial: Uint8Array;
  readonly issuer_id: string;
  readonly state: CertificateState;
  readonly reason: number | null;
  readonly revoked_at: number | null;
}

/** How far the feed has read: both are PostgreSQL's own numbers, kept as text. */
export interface Watermark {
  /** The last change in commit order, all of which are read. */
  readonly seq: string;
  /** Every transaction below this number had ended when the certificates were read last. */
  readonly horizon: string;
}

/** A watermark with what a restored database does not turn back. */
export interface Reached extends Watermark {
  /** The highest number of a change that was ever seen: a release at or below it is no news, so it is none. */
  readonly seen: string;
}

const COLUMNS = `i.serial, i.issuer_id, i.state, i.reason, floor(extract(epoch from i.revoked_at))::float8 as revoked_at`;
const ISSUED = `i.state in ('good', 'hold', 'revoked')`;

/** Rows that one statement returns at most, so that nothing waits long for parsing. */
const PAGE_ROWS = 5_000;

function take(index: StatusIndex, row: StatusRow): void {
  index.set(row.serial, {
    issuer: index.issuerNumber(row.issuer_id),
    state: row.state,
    reason: row.reason ?? 0,
    revokedAt: row.revoked_at ?? 0,
  });
}

function takeAll(index: StatusIndex, rows: readonly StatusRow[]): void {
  for (const row of rows) take(index, row);
}

/** Where the database stands. What is read after this misses nothing that comes later. */
export async function readWatermark(sql: Sql): Promise<Watermark> {
  const [row] = await sql.query<Watermark>(
    `select coalesce(max(seq), 0)::text as seq, pg_snapshot_xmin(pg_current_snapshot())::text as horizon from ca.change`,
  );
  return row ?? { seq: "0", horizon: "0" };
}

/**
 * Every certificate, page by page, in the order of the disk: in the order of serials each row would be looked for
 * elsewhere, because serials are random.
 */
export async function readAll(
  database: Pick<Database, "transaction">,
  index: StatusIndex,
): Promise<void> {
  await database.transaction(
    async (sql) => {
      await sql.query(
        `declare status no scroll cursor for select ${COLUMNS} from ca.issued i where ${ISSUED}`,
      );
      for (;;) {
        const rows = await sql.query<StatusRow>(`fetch ${PAGE_ROWS} from status`);
        takeAll(index, rows);
        if (rows.length < PAGE_ROWS) return;
      }
    },
    { readOnly: true },
  );
}

interface ChangeRow extends StatusRow {
  readonly seq: string;
  readonly kind: "revoke" | "hold" | "unhold" | "deny";
}

function takeChange(index: StatusIndex, row: ChangeRow, seen: string): void {
  const isRelease = row.kind === "unhold" && BigInt(row.seq) > BigInt(seen);
  if (isRelease && row.state === "good") index.release(row.serial);
  take(index, row);
}

/**
 * Changes after `seq`, which appear in the order of their numbers; each is read with what the certificate is by now. A
 * hold ends only by a release above `seen`. Returns the last number.
 */
export async function readChanges(
  sql: Sql,
  index: StatusIndex,
  { seq, seen }: Pick<Reached, "seq" | "seen">,
): Promise<string> {
  let reached = seq;
  for (;;) {
    const rows = await sql.query<ChangeRow>(
      `select c.seq::text as seq, c.kind, ${COLUMNS} from ca.change c left join ca.issued i on i.serial = c.serial
       where c.seq > $1 order by c.seq limit ${PAGE_ROWS}`,
      [reached],
    );
    for (const row of rows) if (row.kind !== "deny") takeChange(index, row, seen);
    reached = rows.at(-1)?.seq ?? reached;
    if (rows.length < PAGE_ROWS) return reached;
  }
}

/**
 * Certificates that became good in transactions that had not ended at `horizon`. Those that are still open will be read
 * again: the new horizon is below them. Numbers of another cluster, left by a restored dump, lie in the future and are not
 * looked at. Returns where the database stands.
 */
export async function readIssued(
  sql: Sql,
  index: StatusIndex,
  horizon: string,
): Promise<Watermark> {
  const rows = await sql.query<Watermark & (StatusRow | { serial: null })>(
    `select h.horizon, h.seq, ${COLUMNS}
     from (select pg_snapshot_xmin(pg_current_snapshot())::text as horizon,
                  (select coalesce(max(seq), 0)::text from ca.change) as seq) h
     left join ca.issued i on i.good_xid >= $1::xid8 and i.good_xid < pg_snapshot_xmax(pg_current_snapshot())`,
    [horizon],
  );
  takeAll(
    index,
    rows.filter((row): row is Watermark & StatusRow => row.serial !== null),
  );
  const [first] = rows;
  return { horizon: first?.horizon ?? horizon, seq: first?.seq ?? "0" };
}

/** These serials, as far as they were issued. */
export async function readSerials(
  sql: Sql,
  index: StatusIndex,
  serials: readonly Uint8Array[],
): Promise<void> {
  const rows = await sql.query<StatusRow>(
    `select ${COLUMNS} from ca.issued i where ${ISSUED} and i.serial = any($1::bytea[])`,
    [serials.map((serial) => Buffer.from(serial))],
  );
  takeAll(index, rows);
}

interface DigestRow {
  readonly state: CertificateState;
  readonly reason: number;
  readonly count: number;
  readonly xor: string;
}

/** What `StatusIndex.digests` computes, by the database. */
export async function readDigests(sql: Sql): Promise<ReadonlyMap<string, StatusDigest>> {
  const rows = await sql.query<DigestRow>(
    `select i.state, coalesce(i.reason, 0)::int as reason, count(*)::int as count,
            bit_xor(('x' || encode(substr(i.serial, 9, 8), 'hex'))::bit(64))::text as xor
     from ca.issued i where ${ISSUED} and length(i.serial) = 16 group by 1, 2`,
  );
  return new Map(
    rows.map(({ count, reason, state, xor }) => [
      `${state}/${reason}`,
      { count, xor: BigInt(`0b${xor}`).toString(16).padStart(16, "0") },
    ]),
  );
}

/** Whether both say the same, whatever their order. */
export function sameDigests(
  a: ReadonlyMap<string, StatusDigest>,
  b: ReadonlyMap<string, StatusDigest>,
): boolean {
  if (a.size !== b.size) return false;
  for (const [kind, { count, xor }] of a) {
    const other = b.get(kind);
    if (other?.count !== count || other.xor !== xor) return false;
  }
  return true;
}
