import { Gauge, type Registry } from "prom-client";

import { record } from "../audit/record.ts";
import type { Clock } from "../pki/clock.ts";
import type { NewId } from "../pki/uuid.ts";
import type { Database } from "../storage/database.ts";
import type { Sql } from "../storage/sql.ts";

export interface EnrolmentExpiryDeps {
  /** As suido_app. */
  readonly database: Database;
  /** As suido_worker. */
  readonly worker: Database;
  readonly clock: Clock;
  readonly newId: NewId;
}

/** So many are written down in one transaction. */
const AT_ONCE = 200;

const EXPIRE = `update app.enrolment e set state = 'expired', ended_at = e.expires_at
  from (select d.id from app.enrolment d
        where d.state in ('invited', 'started', 'identified', 'issued') and d.expires_at <= $1
        order by d.id limit $2 for update skip locked) due
  where e.id = due.id returning e.id`;

interface Expiring {
  readonly corporationId: string;
  readonly at: Date;
}

async function expireSome(
  sql: Sql,
  { corporationId, at }: Expiring,
  newId: NewId,
): Promise<number> {
  const rows = await sql.query<{ id: string }>(EXPIRE, [at, AT_ONCE], "expire-enrolments");
  for (const { id } of rows) {
    const [action, subject] = ["enrolment.expired", `enrolment/${id}`];
    await record(sql, { at, actor: "worker", action, subject, corporationId }, newId);
  }
  return rows.length;
}

/**
 * Writes down which enrolments are over, each with its audit row and event. They open nothing since their time was over:
 * nobody waits for this. Returns how many; safe to repeat, and on several machines at once.
 */
export async function expireEnrolments(
  { database, worker, clock, newId }: EnrolmentExpiryDeps,
  signal: AbortSignal,
): Promise<number> {
  const at = clock();
  const tenants = await worker.query<{ id: string }>(
    "select t.id from app.tenants_with_overdue_enrolments($1) as t(id)",
    [at],
  );
  let expired = 0;
  for (const { id: corporationId } of tenants) {
    let count = AT_ONCE;
    while (count === AT_ONCE && !signal.aborted) {
      count = await database.tenant(corporationId, (sql) =>
        expireSome(sql, { corporationId, at }, newId),
      );
      expired += count;
    }
  }
  return expired;
}

const OPEN_STATES = ["invited", "started", "identified", "issued"] as const;

/** Registers how many enrolments are open, by how far they are; read when somebody asks, as suido_worker. */
export function registerEnrolmentMetrics(
  registry: Registry,
  database: Pick<Database, "query">,
): void {
  const open = new Gauge({
    name: "suido_enrolments_open",
    help: "Enrolments that have not ended, by state",
    labelNames: ["state"],
    registers: [registry],
    async collect() {
      // With the database away there are no figures, and the other metrics are still given.
      const rows = await database
        .query<{ state: string; count: string }>("select * from app.enrolment_figures()")
        .catch(() => undefined);
      open.reset();
      if (rows === undefined) return;
      for (const state of OPEN_STATES) open.set({ state }, 0);
      for (const { state, count } of rows) open.set({ state }, Number(count));
    },
  });
}
