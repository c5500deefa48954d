import type { JsonObject } from "../../audit/record.ts";
import type { MailKind, MailOccasion } from "../../delivery/mail-delivery.ts";
import type { MailContent } from "../../delivery/mail-message.ts";
import { dayOf, timeOf } from "../dates.ts";
import type { EnrolmentMailsDeps, EnrolmentMailSettings } from "../enrolment-mail.ts";
import { mailEnding } from "../factors/factor-mail.ts";
import type { FactorKind } from "../factors/factor-rows.ts";
import { inGroups, type MailBlock, mailPage, paragraph } from "../mail-page.ts";
import { LIFECYCLE_MESSAGES } from "../messages.ts";
import { EMERGENCY_MAILS } from "../messages/emergency.ts";
import type { FirstHow } from "./emergency-row.ts";
import { drawEmergencyCode } from "./first-factor.ts";

interface CodeFacts {
  readonly visitId: string;
  readonly corporationId: string;
  readonly name: string;
}

/** What was so when it began. Without a name the mailbox is a shared one; the corporation is the operators' to know. */
interface BegunFacts {
  readonly name?: string;
  readonly corporation?: string;
  readonly pharmacy: string;
  readonly person: string;
  readonly device: string;
  readonly standsInFor: string;
  readonly supportNumber: string;
  readonly firstHow: FirstHow;
  readonly secondHow: FactorKind;
  readonly at: string;
}

/** The mail with a code. */
export function writeEmergencyCodeMail(
  { facts, language }: MailOccasion,
  code: string,
  settings: EnrolmentMailSettings,
): MailContent {
  const { name } = facts as JsonObject & CodeFacts;
  const { code: words } = EMERGENCY_MAILS[language];
  const { accent, automatic, help } = mailEnding(language, settings);
  const spoken = inGroups(code, 3);
  return mailPage({
    language,
    accent,
    subject: words.subject(spoken),
    greeting: LIFECYCLE_MESSAGES[language].enrolment.greeting(name),
    title: words.title(spoken),
    blocks: [
      paragraph(words.what),
      { kind: "fact", name: words.code, value: spoken, isMain: true },
    ],
    todo: words.todo,
    isTodoFirst: true,
    button: { label: words.button, link: `${settings.appUrl}/emergency/next` },
    help,
    foot: [words.unexpected, automatic],
  });
}

/** None where there is nothing to tell. */
const fact = (name: string, value: string | undefined, isMain = false): readonly MailBlock[] =>
  value === undefined ? [] : [{ kind: "fact", name, value, isMain }];

/** What tells those who have to know. There is nothing in it that opens anything. */
export function writeEmergencyMail(
  { facts, language }: MailOccasion,
  settings: EnrolmentMailSettings,
): MailContent {
  const begun = facts as JsonObject & BegunFacts;
  const { enrolment } = LIFECYCLE_MESSAGES[language];
  const { begun: words } = EMERGENCY_MAILS[language];
  const { accent, automatic, help } = mailEnding(language, settings);
  const style = { language, timeZone: settings.timeZone };
  const when = new Date(begun.at);
  return mailPage({
    language,
    accent,
    subject: words.subject(begun.pharmacy),
    ...(begun.name !== undefined && { greeting: enrolment.greeting(begun.name) }),
    title: words.title(begun),
    blocks: [
      paragraph(words.what(begun.standsInFor)),
      paragraph(words.ends),
      ...fact(words.corporation, begun.corporation),
      ...fact(words.pharmacy, begun.pharmacy, true),
      ...fact(words.person, begun.person),
      ...fact(words.device, begun.device),
      ...fact(words.standsInFor, begun.standsInFor),
      ...fact(words.how, `${words.first[begun.firstHow]} + ${words.second[begun.secondHow]}`),
      ...fact(words.when, enrolment.untilDay(dayOf(when, style), timeOf(when, style))),
      ...fact(words.supportNumber, inGroups(begun.supportNumber, 3)),
    ],
    todo: words.todo,
    help,
    foot: [automatic],
  });
}

/** The codes as a kind of mail. A code is drawn when its mail is written: before, it lies nowhere. */
export function emergencyCodeMails(
  { database, worker, clock, random, digest }: Omit<EnrolmentMailsDeps, "newId">,
  settings: EnrolmentMailSettings,
): MailKind {
  return {
    write: async (occasion) => {
      const { visitId, corporationId } = occasion.facts as JsonObject & CodeFacts;
      const code = await database.tenant(corporationId, (sql) =>
        drawEmergencyCode(sql, { visitId, at: clock() }, { digest, random }),
      );
      // Tried again, and by then dropped.
      if (code === undefined) throw new Error("nobody waits for this code");
      return writeEmergencyCodeMail(occasion, code, settings);
    },
    dropStale: () => worker.query("select app.drop_emergency_codes($1)", [clock()]),
  };
}

/** What tells those who have to know, as a kind of mail. */
export function emergencyMails(settings: EnrolmentMailSettings): MailKind {
  return { write: async (occasion) => writeEmergencyMail(occasion, settings) };
}
