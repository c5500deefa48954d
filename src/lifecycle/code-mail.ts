import type { JsonObject } from "../audit/record.ts";
import type { MailKind, MailOccasion } from "../delivery/mail-delivery.ts";
import type { MailContent } from "../delivery/mail-message.ts";
import type { EnrolmentMailsDeps, EnrolmentMailSettings } from "./enrolment-mail.ts";
import { fact, inGroups, mailPage, paragraph } from "./mail-page.ts";
import { drawCode } from "./mailed-code.ts";
import { LIFECYCLE_MESSAGES } from "./messages.ts";

interface CodeFacts {
  readonly enrolmentId: string;
  readonly corporationId: string;
  readonly pharmacy: string;
  /** Absent while nobody has named it. */
  readonly device?: string;
  readonly name: string;
  /** Which beginning of the enrolment has asked for it. */
  readonly begun: number;
}

/** The mail with a code: for which page it is, and nothing that opens that page. */
export function writeCodeMail(
  { facts, language }: Pick<MailOccasion, "facts" | "language">,
  code: string,
  { appUrl, site }: EnrolmentMailSettings,
): MailContent {
  const { pharmacy, device, name } = facts as JsonObject & CodeFacts;
  const messages = LIFECYCLE_MESSAGES[language];
  const { code: words, enrolment } = messages;
  const support = site.support?.[language];
  const spoken = inGroups(code, 3);
  return mailPage({
    language,
    accent: site.colours?.light.water,
    subject: words.subject(spoken),
    greeting: enrolment.greeting(name),
    title: words.title(spoken, device),
    blocks: [
      paragraph(words.what),
      paragraph(enrolment.check(`${new URL(appUrl).origin}/`)),
      fact(words.code, spoken, true),
      ...(device === undefined ? [] : [fact(enrolment.device, device)]),
      fact(enrolment.pharmacy, pharmacy),
    ],
    todo: words.todo,
    isTodoFirst: true,
    button: { label: words.button, link: `${appUrl}/way` },
    help:
      support === undefined ? { text: enrolment.help } : { text: enrolment.call, contact: support },
    foot: [words.unexpected, enrolment.automatic(site.name[language])],
  });
}

/** The codes as a kind of mail. A code is drawn when its mail is written: before, it lies nowhere. */
export function codeMails(deps: EnrolmentMailsDeps, settings: EnrolmentMailSettings): MailKind {
  const { database, worker, clock } = deps;
  return {
    write: async (occasion) => {
      const { enrolmentId, corporationId, begun } = occasion.facts as JsonObject & CodeFacts;
      const code = await database.tenant(corporationId, (sql) =>
        drawCode(sql, { enrolmentId, begun, at: clock() }, deps),
      );
      // Tried again, and by then dropped.
      if (code === undefined) throw new Error("nobody waits for this code");
      return writeCodeMail(occasion, code, settings);
    },
    dropStale: () => worker.query("select app.drop_code_mails($1)", [clock()]),
  };
}
