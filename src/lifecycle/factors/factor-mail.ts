import type { JsonObject } from "../../audit/record.ts";
import type { MailKind, MailOccasion } from "../../delivery/mail-delivery.ts";
import type { MailContent } from "../../delivery/mail-message.ts";
import { toHex } from "../../pki/bytes.ts";
import { dayOf, timeOf } from "../dates.ts";
import type { EnrolmentMailsDeps, EnrolmentMailSettings } from "../enrolment-mail.ts";
import { type MailPage, mailPage, paragraph } from "../mail-page.ts";
import { LIFECYCLE_MESSAGES } from "../messages.ts";
import { FACTOR_MAILS } from "../messages/factors.ts";
import { factorLinkHash } from "./factor-doors.ts";
import type { FactorKind } from "./factor-rows.ts";

interface LinkFacts {
  readonly invitationId: string;
  readonly corporationId: string;
  readonly name: string;
  readonly expiresAt: string;
}

interface ChangeFacts {
  readonly kind: FactorKind;
  readonly change: "added" | "removed";
  readonly at: string;
  /** Absent where others read the same mailbox. */
  readonly name?: string;
}

/** What stands at the end of each of these mails. */
export function mailEnding(
  language: "ja" | "en",
  { site }: EnrolmentMailSettings,
): {
  readonly help: NonNullable<MailPage["help"]>;
  readonly accent: string | undefined;
  readonly automatic: string;
} {
  const { enrolment } = LIFECYCLE_MESSAGES[language];
  const support = site.support?.[language];
  return {
    help:
      support === undefined ? { text: enrolment.help } : { text: enrolment.call, contact: support },
    automatic: enrolment.automatic(site.name[language]),
    accent: site.colours?.light.water,
  };
}

/** The mail with the link to begin with. */
export function writeFactorLinkMail(
  { facts, language }: MailOccasion,
  token: string,
  settings: EnrolmentMailSettings,
): MailContent {
  const { name, expiresAt } = facts as JsonObject & LinkFacts;
  const { enrolment } = LIFECYCLE_MESSAGES[language];
  const { link: words } = FACTOR_MAILS[language];
  const { accent, automatic, help } = mailEnding(language, settings);
  const style = { language, timeZone: settings.timeZone };
  const end = new Date(expiresAt);
  return mailPage({
    language,
    accent,
    subject: words.subject,
    greeting: enrolment.greeting(name),
    title: words.title,
    blocks: [
      paragraph(words.what),
      paragraph(enrolment.check(`${new URL(settings.appUrl).origin}/`)),
      {
        kind: "fact",
        name: words.until,
        value: enrolment.untilDay(dayOf(end, style), timeOf(end, style)),
        isMain: true,
      },
    ],
    todo: words.todo,
    isTodoFirst: true,
    button: { label: words.button, link: `${settings.appUrl}/factors/${token}` },
    help,
    foot: [words.unexpected, automatic],
  });
}

/** What tells a person that something was added or removed, whoever has done it. */
export function writeFactorChangeMail(
  { facts, language }: MailOccasion,
  settings: EnrolmentMailSettings,
): MailContent {
  const { at, change, kind, name } = facts as JsonObject & ChangeFacts;
  const { enrolment } = LIFECYCLE_MESSAGES[language];
  const { change: words, kinds } = FACTOR_MAILS[language];
  const { accent, automatic, help } = mailEnding(language, settings);
  const style = { language, timeZone: settings.timeZone };
  const when = new Date(at);
  return mailPage({
    language,
    accent,
    subject: words[change].subject(kinds[kind]),
    ...(name !== undefined && { greeting: enrolment.greeting(name) }),
    title: words[change].title(kinds[kind]),
    blocks: [
      paragraph(words[change].what),
      { kind: "fact", name: words.kind, value: kinds[kind], isMain: true },
      {
        kind: "fact",
        name: words.when,
        value: enrolment.untilDay(dayOf(when, style), timeOf(when, style)),
        isMain: false,
      },
    ],
    todo: words.todo,
    button: { label: words.button, link: `${settings.appUrl}/factors` },
    help,
    foot: [automatic],
  });
}

/** The links as a kind of mail. A token is drawn when its mail is written: before, it lies nowhere. */
export function factorLinkMails(
  { database, worker, clock, random, digest }: Omit<EnrolmentMailsDeps, "newId">,
  settings: EnrolmentMailSettings,
): MailKind {
  return {
    write: async (occasion) => {
      const { invitationId, corporationId } = occasion.facts as JsonObject & LinkFacts;
      const token = toHex(random(16));
      const kept = await database.tenant(corporationId, (sql) =>
        sql.query(
          `insert into app.factor_link (sha256, corporation_id, invitation_id)
           select $1, i.corporation_id, i.id from app.factor_invitation i
           where i.id = $2 and i.used_at is null and i.expires_at > $3 returning invitation_id`,
          [factorLinkHash(token, digest), invitationId, clock()],
          "factor-link",
        ),
      );
      // Tried again, and by then dropped.
      if (kept.length === 0) throw new Error("nobody waits for this link");
      return writeFactorLinkMail(occasion, token, settings);
    },
    dropStale: () => worker.query("select app.drop_factor_links($1)", [clock()]),
  };
}

/** What tells people of changes, as a kind of mail. */
export function factorChangeMails(settings: EnrolmentMailSettings): MailKind {
  return { write: async (occasion) => writeFactorChangeMail(occasion, settings) };
}
