import type { JsonObject } from "../audit/record.ts";
import type { NewId } from "../pki/uuid.ts";
import type { Database } from "../storage/database.ts";
import type { Sql } from "../storage/sql.ts";
import { recordTasks } from "./task-facts.ts";

/** A mail that this process has taken, to send it. */
export interface ClaimedMail {
  readonly id: string;
  readonly key: string;
  readonly kind: string;
  readonly recipient: string;
  readonly language: "ja" | "en";
  readonly facts: JsonObject;
  readonly dueAt: Date;
  /** How often it has been tried, this time included. */
  readonly attempt: number;
}

/** What became of a claimed mail. */
export type MailOutcome =
  | { readonly kind: "sent" }
  /** Given up. */
  | { readonly kind: "failed"; readonly reason: string }
  /** Refused for good: nobody was told by it. */
  | { readonly kind: "returned"; readonly reason: string }
  | { readonly kind: "retry"; readonly at: Date; readonly reason: string };

interface MailRow {
  readonly id: string;
  readonly key: string;
  readonly kind: string;
  readonly recipient: string;
  readonly locale: "ja" | "en";
  readonly facts: JsonObject;
  readonly due_at: Date;
  readonly attempts: number;
}

/** Takes up to `size` mails that are due. Until `until` nobody else takes them. */
export async function claimMails(
  database: Database,
  { now, until, size }: { readonly now: Date; readonly until: Date; readonly size: number },
): Promise<readonly ClaimedMail[]> {
  const rows = await database.query<MailRow>(
    "select id, key, kind, recipient, locale, facts, due_at, attempts from app.claim_mails($1, $2, $3)",
    [now, until, size],
    "claim-mails",
  );
  return rows.map((row) => ({
    id: row.id,
    key: row.key,
    kind: row.kind,
    recipient: row.recipient,
    language: row.locale,
    facts: row.facts,
    dueAt: row.due_at,
    attempt: row.attempts,
  }));
}

/** What became of a mail, and when. */
interface Finishing {
  readonly outcome: MailOutcome;
  readonly now: Date;
  readonly newId: NewId;
}

/**
 * Writes what became of it, and the audit row of the task that a returned one is. False when the lease ran out and somebody else
 * has it now.
 */
export async function finishMail(
  database: Database,
  mail: Pick<ClaimedMail, "id" | "attempt">,
  finishing: Finishing,
): Promise<boolean> {
  const { outcome, now: at, newId } = finishing;
  if (outcome.kind !== "returned") return finish(database, mail, finishing);
  return database.transaction(async (sql) => {
    const isFinished = await finish(sql, mail, finishing);
    await recordTasks(sql, { at, actor: "worker" }, newId);
    return isFinished;
  });
}

async function finish(
  sql: Pick<Sql, "query">,
  { id, attempt }: Pick<ClaimedMail, "id" | "attempt">,
  { outcome, now }: Finishing,
): Promise<boolean> {
  const state = outcome.kind === "retry" ? "due" : outcome.kind;
  const [row] = await sql.query<{ finished: boolean }>(
    "select app.finish_mail($1, $2, $3, $4, $5, $6) as finished",
    [
      id,
      attempt,
      state,
      now,
      outcome.kind === "retry" ? outcome.at : null,
      outcome.kind === "sent" ? null : outcome.reason,
    ],
    "finish-mail",
  );
  return row?.finished === true;
}

/** Removes mails that were finished with so long ago that nobody asks for them. Returns how many; safe to repeat. */
export async function forgetMails(database: Database, now: Date): Promise<number> {
  const [row] = await database.query<{ forgotten: number }>(
    "select app.forget_mails($1) as forgotten",
    [new Date(now.getTime() - REMEMBERED_MS)],
  );
  return row?.forgotten ?? 0;
}

/** 400 days: longer than a device's certificate lives, so that no reminder is planned anew because its row is gone. */
const REMEMBERED_MS = 400 * 24 * 60 * 60 * 1000;

/** How mails stand. */
export interface MailFigures {
  readonly due: number;
  /** When the one that waits longest became due. */
  readonly oldestDueAt: Date | undefined;
  readonly failed: number;
  /** Certificates of which nobody could be told. */
  readonly untold: number;
  /** Mailboxes that have returned a mail, and that nobody has looked after yet. */
  readonly returned: number;
}

export async function mailFigures(database: Database): Promise<MailFigures> {
  const [row] = await database.query<{
    due: string;
    oldest: Date | null;
    failed: string;
    untold: string;
    returned: string;
  }>("select * from app.mail_figures()");
  return {
    due: Number(row?.due ?? 0),
    oldestDueAt: row?.oldest ?? undefined,
    failed: Number(row?.failed ?? 0),
    untold: Number(row?.untold ?? 0),
    returned: Number(row?.returned ?? 0),
  };
}
