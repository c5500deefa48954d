import type { Site } from "../config/site.ts";
import type { MailOccasion } from "../delivery/mail-delivery.ts";
import type { MailContent } from "../delivery/mail-message.ts";
import { calendarDaysBetween, dayOf, shortDayOf, timeOf } from "./dates.ts";
import { startUrl } from "./enrolment-links.ts";
import { fact, type MailBlock, mailPage, paragraph } from "./mail-page.ts";
import { LIFECYCLE_MESSAGES } from "./messages.ts";
import type { RenewalReason } from "./renewal-times.ts";

/** What is the same in all reminders. */
export interface ExpiryMailSettings {
  /** Where codes are typed. */
  readonly appUrl: string;
  /** Where a device renews itself. */
  readonly mtlsUrl: string;
  readonly timeZone: string;
  /** Under which name, and with whose support, the mail comes. */
  readonly site: Pick<Site, "name" | "colours" | "support">;
}

/** A device whose certificate is to be renewed, as it is right now. */
export interface ReminderItem {
  readonly pharmacy: string;
  readonly device: string;
  readonly use: "shared" | "personal";
  readonly notAfter: Date;
  /** From when it is asked to renew. */
  readonly renewFrom: Date;
  /** Why somebody wants it at once. */
  readonly reason?: RenewalReason;
  /** What is typed on it where the button does not show. Absent where support has to help. */
  readonly code?: string;
}

/** A reminder at the time when it is sent. Without a name the mailbox is a shared one, or nobody's in particular. */
export interface Reminder extends Pick<MailOccasion, "language" | "now"> {
  readonly name?: string | undefined;
  /** The earliest end first; at least one. */
  readonly items: readonly ReminderItem[];
  /** Somebody wants all of them at once. */
  readonly isOrder: boolean;
}

interface Writing {
  readonly reminder: Reminder;
  readonly first: ReminderItem;
  /** Days that the first has left. */
  readonly days: number;
  readonly settings: ExpiryMailSettings;
  /** None is asked to renew yet: the mail only says when. */
  readonly isNotice: boolean;
}

/** Words that depend on how many devices there are, and on how much it presses. */
function wordsOf({ reminder, first, days, isNotice, settings }: Writing) {
  const { items, isOrder, language } = reminder;
  const { pharmacy, device } = first;
  const messages = LIFECYCLE_MESSAGES[language].expiry;
  const at = shortDayOf(first.notAfter, { language, timeZone: settings.timeZone });
  const count = items.length;
  const facts = { pharmacy, device, at, days, count };
  const number = count === 1 ? "one" : "many";
  if (isOrder)
    return {
      subject: messages.order.subject[number](facts),
      title: messages.order.title[number](facts),
    };
  const subject = isNotice ? messages.notice.subject[number] : messages.subject[number];
  return { subject: subject(facts), title: messages.title[number](facts) };
}

/** What is told before the devices are named. */
function prose({ reminder, first, isNotice, settings }: Writing): readonly MailBlock[] {
  const { items, isOrder, language } = reminder;
  const { expiry: messages, enrolment } = LIFECYCLE_MESSAGES[language];
  const { appUrl, mtlsUrl } = settings;
  const link = isNotice ? appUrl : mtlsUrl;
  const reasons = new Set(items.flatMap(({ reason }) => (reason === undefined ? [] : [reason])));
  return [
    ...(isOrder ? [...reasons].map((reason) => paragraph(messages.order.why[reason])) : []),
    ...(isNotice ? [paragraph(messages.notice.what)] : [paragraph(messages.how)]),
    paragraph(enrolment.check(`${new URL(link).origin}/`)),
    ...(items.some(({ code }) => code !== undefined) ? [paragraph(messages.typed)] : []),
    paragraph(messages.what[items.length === 1 ? first.use : "many"]),
    paragraph(messages.why),
  ];
}

/** A device, when its certificate ends, and what to type on it. */
function deviceOf(
  { device, pharmacy, notAfter, renewFrom, code }: ReminderItem,
  { reminder: { language, now }, settings: { timeZone } }: Writing,
): readonly MailBlock[] {
  const messages = LIFECYCLE_MESSAGES[language].expiry;
  const style = { language, timeZone };
  const isOpen = renewFrom <= now;
  return [
    fact(messages.device, device, true),
    fact(messages.pharmacy, pharmacy),
    fact(messages.until, messages.untilDay(dayOf(notAfter, style), timeOf(notAfter, style))),
    ...(isOpen ? [] : [fact(messages.from, dayOf(renewFrom, style))]),
    ...(isOpen ? [fact(messages.code, code ?? messages.noCode)] : []),
  ];
}

/** What is the same for all devices. */
function addresses({ reminder, isNotice, settings }: Writing): readonly MailBlock[] {
  const { expiry: messages, enrolment } = LIFECYCLE_MESSAGES[reminder.language];
  const asked = fact(enrolment.requestedBy, messages.byItself);
  if (isNotice) return [asked];
  return [
    fact(messages.page, `${settings.mtlsUrl}/renew`),
    fact(messages.address, startUrl(settings.appUrl)),
    asked,
  ];
}

/** A reminder of one device or of many. What it says is true when it is written: it may have waited. */
export function writeExpiryMail(reminder: Reminder, settings: ExpiryMailSettings): MailContent {
  const { items, language, name, now } = reminder;
  const [first] = items;
  if (first === undefined) throw new RangeError("a reminder of no device");
  const messages = LIFECYCLE_MESSAGES[language].expiry;
  const { appUrl, mtlsUrl, timeZone, site } = settings;
  const support = site.support?.[language];
  const isNotice = items.every(({ renewFrom }) => renewFrom > now);
  const days = calendarDaysBetween(now, first.notAfter, timeZone);
  const writing = { reminder, first, days, settings, isNotice };
  const gap: MailBlock = { kind: "gap" };
  return mailPage({
    language,
    accent: site.colours?.light.water,
    ...wordsOf(writing),
    greeting:
      name === undefined ? messages.greetingPharmacy(first.pharmacy) : messages.greeting(name),
    blocks: [
      ...prose(writing),
      ...items.flatMap((item) => deviceOf(item, writing).concat(gap)),
      ...addresses(writing),
    ],
    todo: isNotice ? messages.notice.todo : messages.todo,
    isTodoFirst: !isNotice,
    button: isNotice
      ? { label: messages.notice.button, link: `${appUrl}/?lang=${language}#renewal` }
      : { label: messages.button, link: `${mtlsUrl}/renew` },
    help:
      support === undefined ? { text: messages.help } : { text: messages.call, contact: support },
    foot: [messages.stops, messages.harmless, messages.automatic(site.name[language])],
  });
}
