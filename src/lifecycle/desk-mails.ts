import type { JsonObject } from "../audit/record.ts";
import type { MailKind, MailOccasion } from "../delivery/mail-delivery.ts";
import type { MailContent } from "../delivery/mail-message.ts";
import type { Sql } from "../storage/sql.ts";
import { dayOf, timeOf } from "./dates.ts";
import type { HoldReason } from "./desk.ts";
import type { EnrolmentMailSettings } from "./enrolment-mail.ts";
import { mailEnding } from "./factors/factor-mail.ts";
import { type MailBlock, mailPage, paragraph } from "./mail-page.ts";
import { LIFECYCLE_MESSAGES } from "./messages.ts";
import { DESK_MAILS } from "./messages/desk.ts";

/** What a mail of the one kind or the other tells. */
interface Telling {
  readonly "device-hold": {
    readonly change: "held" | "released";
    readonly device: string;
    readonly reason: HoldReason;
  };
  readonly deputy: { readonly change: "named" | "ended"; readonly deputy: string };
}

interface DeskMail<Kind extends keyof Telling> {
  readonly kind: Kind;
  /** The same key is the same mail. */
  readonly key: string;
  /** What it is about, as in the log. */
  readonly subject: string;
  readonly pharmacyId: string;
  /** Who has done it, and is not told. */
  readonly actorId: string;
  /** Whom it concerns, beside the pharmacy's managers. */
  readonly personId?: string;
  readonly what: Telling[Kind];
  readonly at: Date;
}

/** Plans what tells of it: the pharmacy's other managers, or the head office where there is none, and whom it concerns. */
export async function planDeskMails<Kind extends keyof Telling>(
  sql: Sql,
  { actorId, at, key, kind, personId, pharmacyId, subject, what }: DeskMail<Kind>,
): Promise<void> {
  await sql.query(
    "select app.plan_desk_mails($1, $2, $3, $4, $5, $6, $7, $8)",
    [key, kind, subject, pharmacyId, actorId, personId ?? null, JSON.stringify(what), at],
    "desk-mails",
  );
}

/** What stands in each. Without a name the mailbox is a shared one. */
interface Facts {
  readonly name?: string;
  readonly isPerson: boolean;
  readonly pharmacy: string;
  readonly by: string;
  readonly at: string;
}

const fact = (name: string, value: string, isMain = false): MailBlock => ({
  kind: "fact",
  name,
  value,
  isMain,
});

interface Drawn {
  readonly words: (typeof DESK_MAILS)["ja"]["hold"]["held"];
  /** The name of what, or of whom, it is about. */
  readonly of: string;
  readonly facts: readonly MailBlock[];
  readonly path: string;
}

function draw(
  { facts, language }: Pick<MailOccasion, "facts" | "language">,
  { facts: own, of, path, words }: Drawn,
  settings: EnrolmentMailSettings,
): MailContent {
  const { at, by, name, pharmacy } = facts as JsonObject & Facts;
  const { enrolment } = LIFECYCLE_MESSAGES[language];
  const { pharmacy: pharmacyWord, when } = DESK_MAILS[language];
  const { accent, automatic, help } = mailEnding(language, settings);
  const style = { language, timeZone: settings.timeZone };
  const moment = new Date(at);
  const { button } = words;
  return mailPage({
    language,
    accent,
    subject: words.subject({ pharmacy, of }),
    greeting: name === undefined ? enrolment.greetingPharmacy(pharmacy) : enrolment.greeting(name),
    title: words.title({ pharmacy, of }),
    blocks: [
      paragraph(words.what),
      fact(pharmacyWord, pharmacy),
      ...own,
      fact(words.by, by),
      fact(when, enrolment.untilDay(dayOf(moment, style), timeOf(moment, style))),
    ],
    todo: words.todo,
    ...(button !== undefined && { button: { label: button, link: settings.appUrl + path } }),
    help,
    foot: [automatic],
  });
}

/** That a device was stopped, or let go on. */
export function writeDeviceHoldMail(
  occasion: Pick<MailOccasion, "facts" | "language">,
  settings: EnrolmentMailSettings,
): MailContent {
  const { change, device, reason } = occasion.facts as JsonObject & Telling["device-hold"];
  const own = DESK_MAILS[occasion.language];
  const facts = [fact(own.device, device, true), fact(own.reason, own.reasons[reason])];
  return draw(occasion, { words: own.hold[change], of: device, facts, path: "/manage" }, settings);
}

/** That somebody may have a machine stand in now, or may no longer. */
export function writeDeputyMail(
  occasion: Pick<MailOccasion, "facts" | "language">,
  settings: EnrolmentMailSettings,
): MailContent {
  const { change, deputy, isPerson } = occasion.facts as JsonObject & Telling["deputy"] & Facts;
  const own = DESK_MAILS[occasion.language];
  const words = own[change][isPerson ? "person" : "others"];
  const path = isPerson ? "/factors" : "/manage";
  const facts = [fact(own.deputy, deputy, true)];
  return draw(occasion, { words, of: deputy, facts, path }, settings);
}

/** Both as kinds of mail. What they say has happened: none is ever dropped. */
export const deskMails = (
  settings: EnrolmentMailSettings,
): Readonly<Record<keyof Telling, MailKind>> => ({
  "device-hold": { write: async (occasion) => writeDeviceHoldMail(occasion, settings) },
  deputy: { write: async (occasion) => writeDeputyMail(occasion, settings) },
});
