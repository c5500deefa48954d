import { advisoryLock } from "../storage/advisory-locks.ts";
import type { Database } from "../storage/database.ts";
import type { Sql } from "../storage/sql.ts";
import { AUDIT_COLUMNS, type AuditRow, rowHash } from "./leaf.ts";

/** How many rows get their place in one transaction. */
const BATCH = 1_000;

/** Keeps a second sequencer out until the first has committed. */
const LOCK = `select pg_advisory_xact_lock(${advisoryLock("auditSequencer")})`;

/**
 * Rows of transactions that are over, behind the last row of the log. No transaction below the horizon can still commit,
 * so (xid, id) never goes backwards, and nothing appears later between two rows that have their place.
 */
const NEXT_ROWS = `
  select ${AUDIT_COLUMNS} from app.audit a
  where a.xid < pg_snapshot_xmin(pg_current_snapshot())
    and ($1::xid8 is null or a.xid >= $1::xid8 and (a.xid > $1::xid8 or a.id > $2::uuid))
  order by a.xid, a.id limit ${BATCH}`;

const LAST_LEAF = `
  select l.position, a.xid::text as xid, a.id from app.audit_leaf l join app.audit a on a.id = l.audit_id
  order by l.position desc limit 1`;

/** Gives audit rows their position in the log. */
export interface Sequencer {
  /** Appends what has been committed since. Returns how many rows; may run twice, or on two machines at once. */
  run(): Promise<number>;
}

/** Needs a database opened as suido_worker. */
export function createSequencer({ database }: { readonly database: Database }): Sequencer {
  return {
    run: async () => {
      let total = 0;
      for (;;) {
        const placed = await database.transaction(appendBatch);
        total += placed;
        if (placed < BATCH) return total;
      }
    },
  };
}

/** The lock and the reads are statements of their own: each sees what was committed before it began (READ COMMITTED). */
async function appendBatch(sql: Sql): Promise<number> {
  await sql.query(LOCK);
  const [last] = await sql.query<{ position: string; xid: string; id: string }>(LAST_LEAF);
  const rows = await sql.query<AuditRow>(NEXT_ROWS, [last?.xid ?? null, last?.id ?? null]);
  if (rows.length === 0) return 0;
  const first = last === undefined ? 0 : Number(last.position) + 1;
  await sql.query(
    "insert into app.audit_leaf (position, audit_id, leaf_hash) select * from unnest($1::bigint[], $2::uuid[], $3::bytea[])",
    [rows.map((_, offset) => first + offset), rows.map(({ id }) => id), rows.map(rowHash)],
  );
  return rows.length;
}
