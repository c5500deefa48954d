import { record } from "../audit/record.ts";
import type { Clock } from "../pki/clock.ts";
import type { NewId } from "../pki/uuid.ts";
import type { Database } from "../storage/database.ts";

export interface EnrolmentForgettingDeps {
  /** As suido_worker. */
  readonly database: Database;
  readonly clock: Clock;
  readonly newId: NewId;
  /** How long one that came to nothing is kept after its end, in milliseconds. */
  readonly keepMs: number;
  /** How long one is evidence after its last certificate's end, in milliseconds. */
  readonly evidenceMs: number;
}

const DAY_MS = 86_400_000;
/** Long enough for the questions after an installation that staff look up by its number. */
const CLEARED_AFTER_MS = 30 * DAY_MS;
/** So many in one transaction: a short one, however many have ended on one day. */
const AT_ONCE = 1000;

const CLEAR = "select app.clear_enrolments($1, $2) as count";
const FORGET_BATCHES = "select app.forget_enrolment_batches($1, $2) as count";
const FORGET = "select app.forget_enrolments($1, $2, $3) as count";

/**
 * Clears what opened an enrolment, its support number and who asked for it, 30 days after its end; and forgets enrolments
 * whose time is over, and files of which no invitation is left. The audit log keeps its rows, and certificates say themselves how their person was identified. Returns
 * how many of each; safe to repeat, and on several machines at once.
 */
export async function forgetEnrolments(
  { database, clock, newId, keepMs, evidenceMs }: EnrolmentForgettingDeps,
  signal: AbortSignal,
): Promise<{ readonly cleared: number; readonly forgotten: number }> {
  const at = clock();
  const before = (ms: number): Date => new Date(at.getTime() - ms);
  const all = async (action: string, text: string, values: readonly unknown[]): Promise<number> => {
    let total = 0;
    let count = AT_ONCE;
    while (count === AT_ONCE && !signal.aborted) {
      count = await database.transaction(async (sql) => {
        const [row] = await sql.query<{ count: number }>(text, [...values, AT_ONCE]);
        const done = row?.count ?? 0;
        const fact = {
          at,
          actor: "worker",
          action,
          subject: action.slice(0, action.indexOf(".")),
          detail: { count: done },
        };
        if (done > 0) await record(sql, fact, newId);
        return done;
      });
      total += count;
    }
    return total;
  };
  const cleared = await all("enrolments.cleared", CLEAR, [before(CLEARED_AFTER_MS)]);
  const times = [before(Math.max(keepMs, CLEARED_AFTER_MS)), before(evidenceMs)];
  const forgotten = await all("enrolments.forgotten", FORGET, times);
  await all("enrolment-batches.forgotten", FORGET_BATCHES, [before(CLEARED_AFTER_MS)]);
  return { cleared, forgotten };
}
