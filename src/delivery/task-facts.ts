import { type Actor, recordAll } from "../audit/record.ts";
import type { NewId } from "../pki/uuid.ts";
import type { Sql } from "../storage/sql.ts";

interface Changed {
  readonly id: string;
  /** Null of a mail to the operators. */
  readonly corporation_id: string | null;
  readonly kind: string;
  readonly subject: string;
  readonly is_open: boolean;
}

/**
 * Writes audit rows and events of the tasks that the transaction has opened, or that it has settled, at this time: `task.opened`
 * and `task.closed`. Called once in it, after all that may do so.
 */
export async function recordTasks(
  sql: Sql,
  { at, actor }: { readonly at: Date; readonly actor: Actor },
  newId: NewId,
): Promise<void> {
  const changes = await sql.query<Changed>("select * from app.task_changes($1)", [at]);
  if (changes.length === 0) return;
  const facts = changes.map(
    ({ id, corporation_id: corporationId, kind, subject, is_open: isOpen }) =>
      Object.assign(
        {
          at,
          actor,
          action: isOpen ? "task.opened" : "task.closed",
          subject: `task/${id}`,
          detail: { kind, about: subject },
        },
        corporationId !== null && { corporationId },
      ),
  );
  await recordAll(sql, facts, newId);
}
