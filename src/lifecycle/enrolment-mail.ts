import { type JsonObject, record } from "../audit/record.ts";
import type { Site } from "../config/site.ts";
import type { MailKind, MailOccasion } from "../delivery/mail-delivery.ts";
import type { MailContent } from "../delivery/mail-message.ts";
import type { Clock } from "../pki/clock.ts";
import type { Digest, Random } from "../pki/crypto.ts";
import type { NewId } from "../pki/uuid.ts";
import type { Database } from "../storage/database.ts";
import { dayOf, shortDayOf, timeOf } from "./dates.ts";
import { giveLink, linkUrl, startUrl } from "./enrolment-links.ts";
import type { EnrolmentReason } from "./enrolment-row.ts";
import { type MailBlock, mailPage, paragraph } from "./mail-page.ts";
import { LIFECYCLE_MESSAGES } from "./messages.ts";

/** What is the same in all invitations. */
export interface EnrolmentMailSettings {
  /** Where the button leads. */
  readonly appUrl: string;
  readonly timeZone: string;
  /** Under which name, and with whose support, the mail comes. */
  readonly site: Pick<Site, "name" | "colours" | "support" | "products">;
}

/** What was so when it was planned. Without a name the mailbox is a shared one. */
interface EnrolmentFacts {
  readonly enrolmentId: string;
  readonly corporationId: string;
  readonly pharmacy: string;
  readonly device: string;
  readonly name?: string;
  readonly requestedBy?: string;
  readonly reason: EnrolmentReason;
  readonly expiresAt: string;
}

/** What opens the enrolment, made for this one mail. */
export interface MailedLink {
  readonly token: string;
  readonly code: string;
}

/** The subject names a day that counts to its end: nobody is late at noon of it. */
const DAY_MS = 24 * 60 * 60_000;

function fact(name: string, value: string, isMain = false): MailBlock {
  return { kind: "fact", name, value, isMain };
}

/** The invitation: for what and by whom, where the link leads, and what to type where no mail can be read. */
export function writeEnrolmentMail(
  { facts, language }: MailOccasion,
  { token, code }: MailedLink,
  { appUrl, timeZone, site }: EnrolmentMailSettings,
): MailContent {
  const { pharmacy, device, name, requestedBy, reason, expiresAt } = facts as JsonObject &
    EnrolmentFacts;
  const messages = LIFECYCLE_MESSAGES[language].enrolment;
  const style = { language, timeZone };
  const support = site.support?.[language];
  const systems = site.products.map((product) => product.name[language]);
  const end = new Date(expiresAt);
  const lastDay = new Date(end.getTime() - DAY_MS);
  return mailPage({
    language,
    accent: site.colours?.light.water,
    subject: messages.subject({ pharmacy, device, at: shortDayOf(lastDay, style) }),
    greeting: name === undefined ? messages.greetingPharmacy(pharmacy) : messages.greeting(name),
    title: messages.title(device),
    blocks: [
      paragraph(messages.why[reason]),
      paragraph(messages.check(`${new URL(appUrl).origin}/`)),
      paragraph(messages.noMail),
      fact(messages.device, device, true),
      fact(messages.pharmacy, pharmacy),
      ...systems.map((system) => fact(messages.system, system)),
      fact(messages.requestedBy, requestedBy ?? messages.operator),
      fact(messages.until, messages.untilDay(dayOf(end, style), timeOf(end, style))),
      fact(messages.address, startUrl(appUrl)),
      fact(messages.code, code),
    ],
    todo: messages.todo(device),
    button: { label: messages.button, link: linkUrl(appUrl, token) },
    help:
      support === undefined ? { text: messages.help } : { text: messages.call, contact: support },
    foot: [messages.harmless, messages.unexpected, messages.automatic(site.name[language])],
  });
}

export interface EnrolmentMailsDeps {
  /** As suido_app: links are a tenant's. */
  readonly database: Database;
  /** As suido_worker. */
  readonly worker: Database;
  readonly clock: Clock;
  readonly newId: NewId;
  readonly random: Random;
  readonly digest: Digest;
}

/**
 * The invitations as a kind of mail. Link and code are made when the mail is written, because between planning and sending
 * it only hashes may lie anywhere; those of an attempt that failed stay good, as nobody knows whether it arrived.
 */
export function enrolmentMails(
  deps: EnrolmentMailsDeps,
  settings: EnrolmentMailSettings,
): MailKind {
  const { database, worker, clock, newId } = deps;
  return {
    write: async (occasion) => {
      const { enrolmentId, corporationId } = occasion.facts as JsonObject & EnrolmentFacts;
      const at = clock();
      const link = await database.tenant(corporationId, async (sql) => {
        const token = await giveLink(sql, { enrolmentId, kind: "link", at }, deps);
        const code = await giveLink(sql, { enrolmentId, kind: "code", at }, deps);
        if (token === undefined || code === undefined) return undefined;
        const [action, subject] = ["enrolment.mail-written", `enrolment/${enrolmentId}`];
        await record(sql, { at, actor: "worker", action, subject, corporationId }, newId);
        return { token, code };
      });
      // Tried again, and by then dropped.
      if (link === undefined) throw new Error("the enrolment is over");
      return writeEnrolmentMail(occasion, link, settings);
    },
    dropStale: () => worker.query("select app.drop_enrolment_mails($1)", [clock()]),
  };
}
