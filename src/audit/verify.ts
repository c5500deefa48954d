import type { Database } from "../storage/database.ts";
import type { Sql } from "../storage/sql.ts";
import { AUDIT_COLUMNS, type AuditRow, rowHash } from "./leaf.ts";
import { type MerkleTree, merkleTree } from "./merkle.ts";

/** How far the log had come, and what its root was then (RFC 9162 §4.9 calls it a tree head). */
export interface TreeHead {
  readonly entries: number;
  /** Lower-case hex. */
  readonly root: string;
}

/** Something that cannot be so in a log that nobody has touched. */
export type AuditFault =
  /** Positions from `from` up to but not including `to` are empty. */
  | { readonly kind: "gap"; readonly from: number; readonly to: number }
  /** The log commits to a row that is gone. */
  | { readonly kind: "row-missing"; readonly position: number; readonly id: string }
  /** The row is not what it was when it got its place. */
  | { readonly kind: "row-changed"; readonly position: number; readonly id: string }
  /** A row that lies before the log's last one, but not in it: it was put in behind the sequencer's back. */
  | { readonly kind: "row-inserted"; readonly id: string }
  /** The log does not continue the one whose head was given. */
  | { readonly kind: "head-differs"; readonly entries: number };

export interface AuditReport extends TreeHead {
  readonly ok: boolean;
  /** The first faults, at most MAX_FAULTS of them. */
  readonly faults: readonly AuditFault[];
}

/** Who finds a thousand faults needs no more of them. */
const MAX_FAULTS = 1_000;

/** Rows read at a time: some hundred kilobytes. */
const PAGE = 1_000;

interface LeafRow extends AuditRow {
  readonly position: string;
  readonly audit_id: string;
  readonly leaf_hash: Buffer;
  /** False where only the leaf is left, and every column of AuditRow is null. */
  readonly present: boolean;
}

/** A left join, because whoever can switch triggers off can also delete a row from under its foreign key. */
const LEAVES = `
  select l.position, l.audit_id::text as audit_id, l.leaf_hash, a.id is not null as present, ${AUDIT_COLUMNS}
  from app.audit_leaf l left join app.audit a on a.id = l.audit_id
  where l.position > $1::bigint order by l.position limit ${PAGE}`;

const INSERTED = `
  with last as (
    select a.xid, a.id from app.audit_leaf l join app.audit a on a.id = l.audit_id order by l.position desc limit 1)
  select a.id::text as id from app.audit a, last
  where (a.xid < last.xid or a.xid = last.xid and a.id < last.id)
    and not exists (select from app.audit_leaf l where l.audit_id = a.id)
  order by a.xid, a.id limit ${MAX_FAULTS}`;

/**
 * Recomputes every leaf and the root from the rows, in one snapshot and page by page. Whoever owns the database can write
 * a consistent log anew; that shows only against a head that was kept elsewhere, which is what `head` is for.
 * Needs a database opened as suido_worker.
 */
export function verifyAudit(database: Database, head?: TreeHead): Promise<AuditReport> {
  return database.transaction(
    async (sql) => {
      const check = createCheck(head);
      for (let after = -1; ;) {
        const page = await sql.query<LeafRow>(LEAVES, [after]);
        for (const row of page) check.leaf(row);
        const last = page.at(-1);
        if (last === undefined || page.length < PAGE) break;
        after = Number(last.position);
      }
      for (const fault of await insertedRows(sql)) check.fault(fault);
      return check.report();
    },
    { isolation: "repeatable read", readOnly: true },
  );
}

async function insertedRows(sql: Sql): Promise<AuditFault[]> {
  const rows = await sql.query<{ id: string }>(INSERTED);
  return rows.map(({ id }) => ({ kind: "row-inserted", id }));
}

interface Check {
  leaf(row: LeafRow): void;
  fault(fault: AuditFault): void;
  report(): AuditReport;
}

/** The state of one run: the tree so far, and what was wrong so far. */
function createCheck(head: TreeHead | undefined): Check {
  const tree = merkleTree();
  const faults: AuditFault[] = [];
  let expected = 0;
  let sameHead = head === undefined || headMatches(tree, head);
  const fault = (found: AuditFault): void => {
    if (faults.length < MAX_FAULTS) faults.push(found);
  };
  return {
    fault,
    leaf: (row) => {
      const position = Number(row.position);
      if (position !== expected) fault({ kind: "gap", from: expected, to: position });
      expected = position + 1;
      const computed = row.present ? rowHash(row) : undefined;
      if (computed === undefined) fault({ kind: "row-missing", position, id: row.audit_id });
      else if (!computed.equals(row.leaf_hash))
        fault({ kind: "row-changed", position, id: row.audit_id });
      tree.append(computed ?? row.leaf_hash);
      sameHead ||= head !== undefined && headMatches(tree, head);
    },
    report: () => {
      if (head !== undefined && !sameHead) fault({ kind: "head-differs", entries: head.entries });
      return {
        ok: faults.length === 0,
        entries: tree.size,
        root: tree.root().toString("hex"),
        faults,
      };
    },
  };
}

function headMatches(tree: MerkleTree, head: TreeHead): boolean {
  return tree.size === head.entries && tree.root().toString("hex") === head.root;
}
