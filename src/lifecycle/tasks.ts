import { type JsonObject, record } from "../audit/record.ts";
import type { Clock } from "../pki/clock.ts";
import type { NewId } from "../pki/uuid.ts";
import { NotFoundError } from "../registry/errors.ts";
import { type Page, type PageRequest, pageOf, windowOf } from "../registry/page.ts";
import { canonicalUuid, type Principal } from "../registry/principal.ts";
import type { Database } from "../storage/database.ts";
import type { Sql } from "../storage/sql.ts";

/** `untold`: of a certificate nobody can be told. `returned`: a mailbox has returned a mail, and gets no more of them. */
export const TASK_KINDS = ["untold", "returned"] as const;
export type TaskKind = (typeof TASK_KINDS)[number];

/** What somebody has to look after, because a mail cannot. */
export interface Task {
  readonly id: string;
  /** Absent where it is about a mail to the operators themselves. */
  readonly corporationId?: string;
  readonly kind: TaskKind;
  /** `certificate/<serial>`, `mail/<id>`. */
  readonly subject: string;
  readonly address?: string;
  readonly pharmacyName?: string;
  readonly deviceName?: string;
  readonly notAfter?: Date;
  /** The server's words. */
  readonly diagnostic?: string;
  readonly openedAt: Date;
  readonly closedAt?: Date;
  /** `worker` where it has settled itself. */
  readonly closedBy?: string;
}

export interface TaskQuery extends PageRequest {
  readonly kind?: TaskKind;
  readonly open?: boolean;
}

export interface Tasks {
  list(principal: Principal, query: TaskQuery): Promise<Page<Task>>;
  /** Somebody has looked after it: the mailbox is written to again. Closed twice is closed once. Throws NotFoundError. */
  close(principal: Principal, id: string): Promise<Task>;
}

export interface TasksDeps {
  /** As suido_app. */
  readonly database: Database;
  readonly clock: Clock;
  readonly newId: NewId;
}

interface Facts {
  readonly pharmacy?: string;
  readonly device?: string;
  readonly notAfter?: string;
  readonly diagnostic?: string;
}

interface Row {
  readonly id: string;
  readonly corporation_id: string | null;
  readonly kind: TaskKind;
  readonly subject: string;
  readonly address: string | null;
  readonly facts: JsonObject & Facts;
  readonly opened_at: Date;
  readonly closed_at: Date | null;
  readonly closed_by: string | null;
}

function taskOf(row: Row): Task {
  const { pharmacy, device, notAfter, diagnostic } = row.facts;
  return {
    id: row.id,
    ...(row.corporation_id !== null && { corporationId: row.corporation_id }),
    kind: row.kind,
    subject: row.subject,
    ...(row.address !== null && { address: row.address }),
    ...(pharmacy !== undefined && { pharmacyName: pharmacy }),
    ...(device !== undefined && { deviceName: device }),
    ...(notAfter !== undefined && { notAfter: new Date(notAfter) }),
    ...(diagnostic !== undefined && { diagnostic }),
    openedAt: row.opened_at,
    ...(row.closed_at !== null && { closedAt: row.closed_at }),
    ...(row.closed_by !== null && { closedBy: row.closed_by }),
  };
}

const WITHIN = `select * from app.task k
  where ($1::uuid is null or k.id > $1) and ($3::text is null or k.kind = $3) and ($4::boolean is null or (k.closed_at is null) = $4)
  order by k.id limit $2`;

async function close(
  sql: Sql,
  { id, corporationId, actor }: { id: string; corporationId: string | null; actor: string },
  { clock, newId }: TasksDeps,
): Promise<Task> {
  const at = clock();
  const [done] = await sql.query<{ is_new: boolean }>(
    "select app.close_task($1, $2, $3) as is_new",
    [id, at, actor],
  );
  // Of a mail to the operators no tenant has a log.
  if (done?.is_new === true && corporationId !== null) {
    const [action, subject] = ["task.closed", `task/${id}`];
    await record(sql, { at, actor, action, subject, corporationId }, newId);
  }
  const [row] = await sql.query<Row>("select * from app.task_of($1)", [id]);
  if (row === undefined) throw new NotFoundError("task", "id");
  return taskOf(row);
}

export function createTasks(deps: TasksDeps): Tasks {
  const { database } = deps;
  return {
    async list({ corporationId }, { kind, open, ...page }) {
      const window = windowOf(page, "tasks");
      const values = [window.after, window.size, kind ?? null, open ?? null];
      const rows =
        corporationId === undefined
          ? await database.query<Row>("select * from app.staff_tasks($1, $2, $3, $4)", values)
          : await database.tenant(corporationId, (sql) => sql.query<Row>(WITHIN, values));
      return pageOf(rows.map(taskOf), window, "tasks");
    },
    async close({ actor, corporationId: own }, given) {
      const id = canonicalUuid(given);
      const [found] = await database.query<{ corporation_id: string | null }>(
        "select * from app.tenant_of_task($1)",
        [id ?? null],
      );
      if (id === undefined || found === undefined) throw new NotFoundError("task", "id");
      const { corporation_id: corporationId } = found;
      if (own !== undefined && own !== corporationId) throw new NotFoundError("task", "id");
      const closing = { id, corporationId, actor };
      return corporationId === null
        ? database.transaction((sql) => close(sql, closing, deps))
        : database.tenant(corporationId, (sql) => close(sql, closing, deps));
    },
  };
}
