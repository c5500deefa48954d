import type { Logger } from "pino";
import type { JsonObject } from "../audit/record.ts";
import type { Clock } from "../pki/clock.ts";
import type { NewId } from "../pki/uuid.ts";
import type { Database } from "../storage/database.ts";
import { DeliveryError, MailRefusedError } from "./errors.ts";
import { claimMails, type ClaimedMail, finishMail, type MailOutcome } from "./mail-rows.ts";
import type { MailContent, Mailer } from "./mail-message.ts";

/** What a mail is written from, at the time it is sent: a mail that waited must not say what was true before. */
export interface MailOccasion {
  /** Of its row. */
  readonly id: string;
  readonly facts: JsonObject;
  readonly language: "ja" | "en";
  readonly now: Date;
}

/** One kind of mail. */
export interface MailKind {
  readonly write: (occasion: MailOccasion) => MailContent | Promise<MailContent>;
  /** Takes mails of this kind out of the queue that nobody needs any more. Done before each round. */
  readonly dropStale?: () => Promise<unknown>;
}

export interface MailDeliveryDeps {
  /** As suido_worker. */
  readonly database: Database;
  readonly mailer: Mailer;
  /** By the kind that their rows name. */
  readonly kinds: Readonly<Record<string, MailKind>>;
  readonly clock: Clock;
  readonly newId: NewId;
  readonly log: Pick<Logger, "info" | "warn">;
}

/** How a round went. */
export interface DeliveryRound {
  readonly sent: number;
  /** Given up. */
  readonly failed: number;
  /** Refused for good. */
  readonly returned: number;
  /** To be tried again later. */
  readonly postponed: number;
}

/** Sends what is due. */
export interface MailDelivery {
  /**
   * Sends until nothing is due, the server takes none any more, or the signal says stop. Any number of workers may do so at
   * once: each mail is claimed by one of them. A mail is sent once a key; only a crash between the server's acceptance
   * and our commit sends it again, with the same Message-ID.
   */
  deliver(signal: AbortSignal): Promise<DeliveryRound>;
}

/** So many are claimed together, and so many are given to the mailer at a time. */
const BATCH = 24;
const AT_ONCE = 3;

/** Far longer than a batch takes on the slowest server, since a lease that ends early is a mail sent twice. */
const LEASE_MS = 15 * 60_000;

/** No mail is begun in the last part of a lease. */
const LEASE_MARGIN_MS = 5 * 60_000;

const FIRST_WAIT_MS = 30_000;
const LONGEST_WAIT_MS = 60 * 60_000;

/** A mail that could not be sent for so long is given up. Reminders are dropped earlier, when a newer one takes over. */
const GIVEN_UP_MS = 14 * 24 * 60 * 60_000;

export function createMailDelivery(deps: MailDeliveryDeps): MailDelivery {
  return {
    deliver: async (signal) => {
      const round = { sent: 0, failed: 0, returned: 0, postponed: 0 };
      for (const { dropStale } of Object.values(deps.kinds)) await dropStale?.();
      while (!signal.aborted) {
        const outcomes = await deliverBatch(deps, signal);
        for (const kind of outcomes) round[kind === "retry" ? "postponed" : kind] += 1;
        const isStuck = outcomes.every((kind) => kind === "retry");
        if (outcomes.length < BATCH || isStuck) break;
      }
      if (Object.values(round).some((count) => count > 0)) deps.log.info(round, "mails");
      return round;
    },
  };
}

/** Claims some mails and sends them, a few at a time. */
async function deliverBatch(
  deps: MailDeliveryDeps,
  signal: AbortSignal,
): Promise<readonly MailOutcome["kind"][]> {
  const { clock, database, newId } = deps;
  const now = clock();
  const until = new Date(now.getTime() + LEASE_MS);
  const waiting = [...(await claimMails(database, { now, until, size: BATCH }))];
  const outcomes: MailOutcome["kind"][] = [];
  const last = until.getTime() - LEASE_MARGIN_MS;
  const work = async (): Promise<void> => {
    for (let mail = waiting.shift(); mail !== undefined; mail = waiting.shift()) {
      const mayBegin = !signal.aborted && clock().getTime() < last;
      const outcome = mayBegin ? await deliverOne(deps, mail) : untouched(clock());
      await finishMail(database, mail, { outcome, now: clock(), newId });
      outcomes.push(outcome.kind);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return outcomes;
}

/** Given back as it was taken: the next round has it. */
function untouched(now: Date): MailOutcome {
  return { kind: "retry", at: now, reason: "not begun" };
}

async function deliverOne(deps: MailDeliveryDeps, mail: ClaimedMail): Promise<MailOutcome> {
  const { clock, kinds, log, mailer } = deps;
  const { id, key, facts, language, recipient } = mail;
  const now = clock();
  try {
    const kind = kinds[mail.kind];
    if (kind === undefined) throw new Error(`nobody writes mails of the kind ${mail.kind}`);
    const content = await kind.write({ id, facts, language, now });
    await mailer.send({ ...content, key, to: recipient, language, date: now });
    return { kind: "sent" };
  } catch (error) {
    const outcome = outcomeOf(error, mail, clock());
    // Servers quote the address, which is a person's: the log names the row, and the row has the reason.
    const code = error instanceof DeliveryError ? error.code : "unexpected";
    log.warn(
      { code, mail: mail.id, attempt: mail.attempt, outcome: outcome.kind },
      "a mail was not sent",
    );
    return outcome;
  }
}

function outcomeOf(error: unknown, { attempt, dueAt }: ClaimedMail, now: Date): MailOutcome {
  const reason = error instanceof Error ? error.message : String(error);
  const isHopeless = now.getTime() - dueAt.getTime() > GIVEN_UP_MS;
  if (error instanceof MailRefusedError) return { kind: "returned", reason };
  if (isHopeless) return { kind: "failed", reason };
  return { kind: "retry", at: new Date(now.getTime() + waitMs(attempt)), reason };
}

/** 30 s, 1 min, 2 min … an hour. */
function waitMs(attempt: number): number {
  return Math.min(FIRST_WAIT_MS * 2 ** (attempt - 1), LONGEST_WAIT_MS);
}
