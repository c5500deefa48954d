import type { JsonObject } from "../audit/record.ts";
import type { Clock } from "../pki/clock.ts";
import { beginningOfDay, dayNumber } from "../pki/validity.ts";
import type { NewId } from "../pki/uuid.ts";
import { recordTasks } from "../delivery/task-facts.ts";
import type { Database } from "../storage/database.ts";
import type { Sql } from "../storage/sql.ts";
import { type OperatorMail, planOperatorMail } from "./operator-mail.ts";
import { keepWindows } from "./reminder-windows.ts";

/** Days before a certificate's last day on which somebody is told. Daily from 7 on, so that a week's holidays matter less. */
export const REMINDER_STAGES = [90, 60, 30, 15, 7, 6, 5, 4, 3, 2, 1, 0] as const;

/** The first is a notice; from the second on the certificate's own time to renew is waited for. */
const [, SECOND_STAGE] = REMINDER_STAGES;

export interface RemindersDeps {
  /** As suido_worker. */
  readonly database: Database;
  readonly clock: Clock;
  readonly newId: NewId;
  /** The IANA zone whose days are counted. */
  readonly timeZone: string;
  /** Who hears of what no mail can do. */
  readonly operator: OperatorMail | undefined;
  /** For tests: many certificates take long to make. */
  readonly mostAtOnce?: number;
}

/** What was planned now. */
export interface PlannedReminders {
  /** Mails. */
  readonly planned: number;
  /** Certificates of which nobody can be told, or only now nobody any more. */
  readonly untold: number;
}

/** Reminders that certificates end. */
export interface Reminders {
  /**
   * Plans what is due now, each certificate's newest stage only, in one mail a day for each mailbox. The reminders of a day
   * are due from nine in the morning; they end with a proven successor, a revocation, or the certificate itself. Of whom
   * nobody can be told, and of mailboxes that return mails, the operators hear. Safe to repeat and on several machines at once.
   */
  plan(): Promise<PlannedReminders>;
  /** Drops reminders that wait to be sent and that nobody needs any more. */
  dropStale(): Promise<number>;
}

interface PlanRow {
  readonly planned: string;
  readonly untold: string;
}

/** So many of a kind are named in the mail; the others are in the list of tasks. */
const MOST_EXAMPLES = 20;

/** Tells the operators of tasks that have come up since the last time, in one mail for each kind. */
async function tellTasks(sql: Sql, operator: OperatorMail, now: Date): Promise<void> {
  const tasks = await sql.query<{ kind: "untold" | "returned"; facts: JsonObject }>(
    "select * from app.tell_tasks($1)",
    [now],
  );
  for (const topic of ["untold", "returned"] as const) {
    const all = tasks.filter(({ kind }) => kind === topic).map(({ facts }) => facts);
    if (all.length === 0) continue;
    const examples = all.slice(0, MOST_EXAMPLES);
    await planOperatorMail(sql, operator, {
      key: `${topic}:${now.toISOString()}`,
      about: "reminders",
      facts: { topic, count: all.length, examples },
      now,
    });
  }
}

interface Planning {
  readonly now: Date;
  /** From 0. */
  readonly part: number;
  readonly parts: number;
}

/** Of so many certificates reminders are planned at a time: some seconds where all of them are due. */
const MOST_AT_ONCE = 50_000;

/** Into how many parts those are divided of whom nobody was told yet. */
async function partsOf(
  database: Database,
  now: Date,
  { mostAtOnce, timeZone }: { readonly mostAtOnce: number; readonly timeZone: string },
): Promise<number> {
  const [row] = await database.query<{ count: string }>(
    "select app.count_untold_expiries($1, $2, $3) as count",
    [now, timeZone, REMINDER_STAGES],
  );
  return Math.max(1, Math.ceil(Number(row?.count ?? 0) / mostAtOnce));
}

export function createReminders(deps: RemindersDeps): Reminders {
  const { database, clock, newId, timeZone, operator, mostAtOnce = MOST_AT_ONCE } = deps;
  const planWith = async (sql: Sql, { now, part, parts }: Planning): Promise<PlannedReminders> => {
    const [row] = await sql.query<PlanRow>(
      "select * from app.plan_expiry_mails($1, $2, $3, $4, $5)",
      [now, timeZone, REMINDER_STAGES, part, parts],
    );
    await sql.query("select app.settle_tasks($1)", [now]);
    await recordTasks(sql, { at: now, actor: "worker" }, newId);
    if (operator !== undefined && part === parts - 1) await tellTasks(sql, operator, now);
    return { planned: Number(row?.planned ?? 0), untold: Number(row?.untold ?? 0) };
  };
  return {
    plan: async () => {
      const now = clock();
      const beyond = beginningOfDay(dayNumber(now, timeZone) + SECOND_STAGE + 1, timeZone);
      await keepWindows(database, { at: now, beyond, timeZone });
      const parts = await partsOf(database, now, { mostAtOnce, timeZone });
      const sum = { planned: 0, untold: 0 };
      for (let part = 0; part < parts; part += 1) {
        // What was done to tasks is found by its time, so each part has one of its own; none is later than now.
        const planning = { now: new Date(now.getTime() + part + 1 - parts), part, parts };
        // In one commit with what nobody can be told: a crash does not keep it from the operators.
        const { planned, untold } = await database.transaction((sql) => planWith(sql, planning));
        sum.planned += planned;
        sum.untold += untold;
      }
      return sum;
    },
    dropStale: async () => {
      const [row] = await database.query<{ dropped: number }>(
        "select app.drop_expiry_mails($1) as dropped",
        [clock()],
      );
      return row?.dropped ?? 0;
    },
  };
}
