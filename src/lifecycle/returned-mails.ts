import { record } from "../audit/record.ts";
import {
  type BounceReport,
  digestOf,
  isFinalStatus,
  oneLineOf,
  readBounceReport,
} from "../delivery/bounce-report.ts";
import { recordTasks } from "../delivery/task-facts.ts";
import type { Clock } from "../pki/clock.ts";
import type { NewId } from "../pki/uuid.ts";
import { InvalidValueError, NotFoundError } from "../registry/errors.ts";
import type { Principal } from "../registry/principal.ts";
import type { Database } from "../storage/database.ts";
import type { Sql } from "../storage/sql.ts";

/** What a program has read from a report itself. */
export interface SaidReport {
  readonly messageId: string;
  /** RFC 3463: 5.x.x is for good. */
  readonly status: string;
  readonly diagnostic?: string;
}

/** What became of a mail of which a report has come. */
export interface ReturnedMail {
  readonly id: string;
  /** Whether it counts as returned now. A mail that is only late does not. */
  readonly returned: boolean;
}

/**
 * Takes a report that a mail came back: a delivery status notification as it is (RFC 3464), or what somebody has read in one.
 * Whom it was to tell of something is told by another way, and the mailbox is a task. Said twice, nothing changes. Throws
 * InvalidValueError, and NotFoundError where the mail is none of ours, or another tenant's.
 */
export type TakeReport = (
  principal: Principal,
  report: Uint8Array | SaidReport,
) => Promise<ReturnedMail>;

export interface TakeReportDeps {
  /** As suido_app. */
  readonly database: Database;
  readonly clock: Clock;
  readonly newId: NewId;
}

function reportOf(given: Uint8Array | SaidReport): BounceReport {
  if (given instanceof Uint8Array) return readBounceReport(given);
  const { messageId, status, diagnostic = "" } = given;
  const message = digestOf(messageId);
  const isFinal = isFinalStatus(status);
  if (message === undefined) throw new InvalidValueError("messageId", "is no Message-ID of ours");
  if (isFinal === undefined)
    throw new InvalidValueError("status", "must be a status of RFC 3463, such as 5.1.1");
  return { message, isFinal, why: oneLineOf(`${status} ${diagnostic}`) };
}

interface Found {
  readonly id: string;
  /** Null of a mail to the operators. */
  readonly corporation_id: string | null;
}

export function createTakeReport({ database, clock, newId }: TakeReportDeps): TakeReport {
  const take = async (sql: Sql, found: Found, told: { why: string; actor: string }) => {
    const { id, corporation_id: corporationId } = found;
    const at = clock();
    const [row] = await sql.query<{ state: string | null }>(
      "select app.return_mail($1, $2, $3) as state",
      [id, at, told.why],
    );
    await recordTasks(sql, { at, actor: told.actor }, newId);
    // Of a mail to the operators no tenant has a log.
    if (row?.state === "returned now" && corporationId !== null) {
      const [action, subject] = ["mail.returned", `mail/${id}`];
      await record(sql, { at, actor: told.actor, action, subject, corporationId }, newId);
    }
    return { id, returned: row?.state?.startsWith("returned") === true };
  };
  return async (principal, given) => {
    const { message, isFinal, why } = reportOf(given);
    const [found] = await database.query<Found>("select * from app.mail_of_message($1)", [message]);
    const own = principal.corporationId;
    if (found === undefined || (own !== undefined && own !== found.corporation_id))
      throw new NotFoundError("mail", "messageId");
    if (!isFinal) return { id: found.id, returned: false };
    const told = { why, actor: principal.actor };
    return found.corporation_id === null
      ? database.transaction((sql) => take(sql, found, told))
      : database.tenant(found.corporation_id, (sql) => take(sql, found, told));
  };
}
