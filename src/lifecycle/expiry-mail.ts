import type { JsonObject } from "../audit/record.ts";
import type { Site } from "../config/site.ts";
import type { MailOccasion } from "../delivery/mail-delivery.ts";
import type { MailContent } from "../delivery/mail-message.ts";
import { calendarDaysBetween, dayOf, shortDayOf, timeOf } from "./dates.ts";
import { mailPage, paragraph } from "./mail-page.ts";
import { LIFECYCLE_MESSAGES } from "./messages.ts";

/** What is the same in all reminders. */
export interface ExpiryMailSettings {
  /** Where the button leads. */
  readonly appUrl: string;
  readonly timeZone: string;
  /** Under which name, and with whose support, the mail comes. */
  readonly site: Pick<Site, "name" | "colours" | "support">;
}

/** What the planner knew. Without a name the mailbox is a shared one, or nobody's in particular. */
interface ExpiryFacts {
  readonly pharmacy: string;
  readonly device: string;
  readonly use: "shared" | "personal";
  readonly notAfter: string;
  readonly name?: string;
}

/** A reminder as it is right now: the days that are left are counted when it is sent. */
export function writeExpiryMail(
  { facts, language, now }: MailOccasion,
  { appUrl, timeZone, site }: ExpiryMailSettings,
): MailContent {
  const { pharmacy, device, use, notAfter, name } = facts as JsonObject & ExpiryFacts;
  const messages = LIFECYCLE_MESSAGES[language].expiry;
  const style = { language, timeZone };
  const support = site.support?.[language];
  const end = new Date(notAfter);
  const days = calendarDaysBetween(now, end, timeZone);
  return mailPage({
    language,
    accent: site.colours?.light.water,
    subject: messages.subject({ pharmacy, device, at: shortDayOf(end, style), days }),
    greeting: name === undefined ? messages.greetingPharmacy(pharmacy) : messages.greeting(name),
    title: messages.title({ device, days }),
    blocks: [
      paragraph(messages.what[use]),
      {
        kind: "fact",
        name: messages.until,
        value: messages.untilDay(dayOf(end, style), timeOf(end, style)),
        isMain: true,
      },
      { kind: "fact", name: messages.device, value: device, isMain: false },
      { kind: "fact", name: messages.pharmacy, value: pharmacy, isMain: false },
    ],
    todo: messages.todo(device),
    button: { label: messages.button, link: `${appUrl}/?lang=${language}#renewal` },
    help:
      support === undefined ? { text: messages.help } : { text: messages.call, contact: support },
    foot: [messages.stops, messages.automatic(site.name[language])],
  });
}
