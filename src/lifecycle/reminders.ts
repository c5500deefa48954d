import type { JsonObject } from "../audit/record.ts";
import type { MailKind } from "../delivery/mail-delivery.ts";
import type { Clock } from "../pki/clock.ts";
import type { Database } from "../storage/database.ts";
import type { Sql } from "../storage/sql.ts";
import { type ExpiryMailSettings, writeExpiryMail } from "./expiry-mail.ts";
import { type OperatorMail, planOperatorMail } from "./operator-mail.ts";

/** Days before a certificate's last day on which somebody is told. Daily from 7 on, so that a week's holidays matter less. */
export const REMINDER_STAGES = [90, 60, 30, 15, 7, 6, 5, 4, 3, 2, 1, 0] as const;

export interface RemindersDeps {
  /** As suido_worker. */
  readonly database: Database;
  readonly clock: Clock;
  /** The IANA zone whose days are counted. */
  readonly timeZone: string;
  /** Who hears of reminders that nobody can be sent. */
  readonly operator: OperatorMail | undefined;
}

/** What was planned now. */
export interface PlannedReminders {
  readonly planned: number;
  /** Reminders for which there was nobody with an address. */
  readonly untold: number;
}

/** Reminders that certificates end. */
export interface Reminders {
  /**
   * Plans what is due now, each certificate's newest stage only. The reminders of a day are due from nine in the morning;
   * they end with a successor, a revocation, or the certificate itself. Safe to repeat and on several machines at once.
   */
  plan(): Promise<PlannedReminders>;
  /** Drops reminders that wait to be sent and that nobody needs any more. */
  dropStale(): Promise<number>;
}

interface PlanRow {
  readonly planned: string;
  readonly untold: string;
  readonly examples: readonly JsonObject[];
}

export function createReminders({ database, clock, timeZone, operator }: RemindersDeps): Reminders {
  const planWith = async (sql: Sql, now: Date): Promise<PlannedReminders> => {
    const [row] = await sql.query<PlanRow>("select * from app.plan_expiry_mails($1, $2, $3)", [
      now,
      timeZone,
      REMINDER_STAGES,
    ]);
    const planned = Number(row?.planned ?? 0);
    const untold = Number(row?.untold ?? 0);
    if (untold > 0 && operator !== undefined) {
      await planOperatorMail(sql, operator, {
        key: `untold:${now.toISOString()}`,
        about: "reminders",
        facts: { topic: "untold", count: untold, examples: row?.examples ?? [] },
        now,
      });
    }
    return { planned, untold };
  };
  return {
    // In one commit with what nobody can be told: a crash does not keep it from the operators.
    plan: () => database.transaction((sql) => planWith(sql, clock())),
    dropStale: async () => {
      const [row] = await database.query<{ dropped: number }>(
        "select app.drop_expiry_mails($1) as dropped",
        [clock()],
      );
      return row?.dropped ?? 0;
    },
  };
}

/** The reminders as a kind of mail. */
export function expiryMails(reminders: Reminders, settings: ExpiryMailSettings): MailKind {
  return {
    write: (occasion) => writeExpiryMail(occasion, settings),
    dropStale: () => reminders.dropStale(),
  };
}
