import { type JsonObject, record } from "../audit/record.ts";
import type { Site } from "../config/site.ts";
import type { MailKind, MailOccasion } from "../delivery/mail-delivery.ts";
import type { MailContent } from "../delivery/mail-message.ts";
import type { Clock } from "../pki/clock.ts";
import type { Digest, Random } from "../pki/crypto.ts";
import type { NewId } from "../pki/uuid.ts";
import type { Database } from "../storage/database.ts";
import type { Sql } from "../storage/sql.ts";
import { dayOf, shortDayOf, timeOf } from "./dates.ts";
import { giveLink, linkUrl, startUrl } from "./enrolment-links.ts";
import type { EnrolmentReason } from "./enrolment-row.ts";
import { fact, type MailBlock, mailPage, paragraph } from "./mail-page.ts";
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
interface Invited {
  readonly corporationId: string;
  readonly pharmacy: string;
  readonly name?: string;
  readonly requestedBy?: string;
  readonly reason: EnrolmentReason;
  readonly expiresAt: string;
}

interface EnrolmentFacts extends Invited {
  readonly enrolmentId: string;
  readonly device: string;
}

interface RequestFacts extends Invited {
  readonly requestId: string;
}

/** What opens the enrolment, made for this one mail. */
export interface MailedLink {
  readonly token: string;
  readonly code: string;
}

/** The subject names a day that counts to its end: nobody is late at noon of it. */
const DAY_MS = 24 * 60 * 60_000;

/** What differs between the mail for one device and that for several. */
interface Invitation {
  readonly facts: Invited;
  readonly subject: (lastDay: string) => string;
  readonly title: string;
  readonly device: readonly MailBlock[];
  /** Of one: what opens it. Of several the list of them. */
  readonly codes: readonly MailBlock[];
  readonly todo: string;
  readonly link: string;
}

function writeInvitation(
  language: MailOccasion["language"],
  invitation: Invitation,
  { appUrl, timeZone, site }: EnrolmentMailSettings,
): MailContent {
  const { pharmacy, name, requestedBy, reason, expiresAt } = invitation.facts;
  const messages = LIFECYCLE_MESSAGES[language].enrolment;
  const style = { language, timeZone };
  const support = site.support?.[language];
  const systems = site.products.map((product) => product.name[language]);
  const end = new Date(expiresAt);
  const lastDay = new Date(end.getTime() - DAY_MS);
  return mailPage({
    language,
    accent: site.colours?.light.water,
    subject: invitation.subject(shortDayOf(lastDay, style)),
    greeting: name === undefined ? messages.greetingPharmacy(pharmacy) : messages.greeting(name),
    title: invitation.title,
    blocks: [
      paragraph(messages.check(`${new URL(appUrl).origin}/`)),
      paragraph(messages.noMail),
      paragraph(messages.why[reason]),
      ...invitation.device,
      fact(messages.pharmacy, pharmacy),
      ...systems.map((system) => fact(messages.system, system)),
      fact(messages.requestedBy, requestedBy ?? messages.operator),
      fact(messages.until, messages.untilDay(dayOf(end, style), timeOf(end, style))),
      fact(messages.address, startUrl(appUrl)),
      ...invitation.codes,
    ],
    todo: invitation.todo,
    isTodoFirst: true,
    button: { label: messages.button, link: invitation.link },
    help:
      support === undefined ? { text: messages.help } : { text: messages.call, contact: support },
    foot: [messages.harmless, messages.unexpected, messages.automatic(site.name[language])],
  });
}

/** The invitation: for what and by whom, where the link leads, and what to type where no mail can be read. */
export function writeEnrolmentMail(
  { facts, language }: Pick<MailOccasion, "facts" | "language">,
  { token, code }: MailedLink,
  settings: EnrolmentMailSettings,
): MailContent {
  const invited = facts as JsonObject & EnrolmentFacts;
  const { pharmacy, device } = invited;
  const messages = LIFECYCLE_MESSAGES[language].enrolment;
  const invitation = {
    facts: invited,
    subject: (at: string) => messages.subject({ pharmacy, device, at }),
    title: messages.title(device),
    device: [fact(messages.device, device, true)],
    codes: [fact(messages.code, code)],
    todo: messages.todo(device),
    link: linkUrl(settings.appUrl, token),
  };
  return writeInvitation(language, invitation, settings);
}

/** The same for one of several machines: which it is, where that is known. */
interface NamedLink extends MailedLink {
  readonly device?: string;
  readonly pharmacy?: string;
}

/** How the machines are told apart: by name, and within a pharmacy by number where they have none. */
function namesOf(
  links: readonly NamedLink[],
  {
    nth,
    withPharmacy,
  }: { readonly nth: (place: number) => string; readonly withPharmacy: boolean },
): readonly string[] {
  const unnamed = new Map<string, number>();
  return links.map(({ device, pharmacy = "" }) => {
    const place = (unnamed.get(pharmacy) ?? 0) + 1;
    if (device === undefined) unnamed.set(pharmacy, place);
    const name = device ?? nth(place);
    return withPharmacy ? `${pharmacy} ${name}` : name;
  });
}

/** The invitation for several machines, or for one that nobody has registered: one mail, with a link and a code for each. */
export function writeRequestMail(
  { facts, language }: Pick<MailOccasion, "facts" | "language">,
  links: readonly [NamedLink, ...NamedLink[]],
  settings: EnrolmentMailSettings,
): MailContent {
  const { appUrl } = settings;
  const invited = facts as JsonObject & RequestFacts;
  const messages = LIFECYCLE_MESSAGES[language].enrolment;
  const { subject, title, todo, todoNamed, several } = messages.unnamed;
  const [first = invited.pharmacy, ...others] = new Set(
    links.flatMap((each) => each.pharmacy ?? []),
  );
  const pharmacy = others.length === 0 ? first : several(first, others.length);
  const count = links.length;
  const [{ token, code }] = links;
  const areNamed = links.every(({ device }) => device !== undefined);
  const names = namesOf(links, { nth: messages.unnamed.nth, withPharmacy: others.length > 0 });
  const ways = links.map((each, index): MailBlock => ({
    kind: "fact",
    name: names[index] ?? "",
    value: each.code,
    isMain: true,
    link: linkUrl(appUrl, each.token),
  }));
  const invitation = {
    facts: { ...invited, pharmacy },
    subject: (at: string) => subject({ pharmacy, count, at }),
    title: title(count),
    device: [],
    codes: count === 1 ? [fact(messages.code, code)] : ways,
    todo: areNamed ? todoNamed : todo(count),
    link: count === 1 ? linkUrl(appUrl, token) : startUrl(appUrl),
  };
  return writeInvitation(language, invitation, settings);
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
 * Makes link and code of an open enrolment for a mail that is being written, because between planning and sending it only
 * hashes may lie anywhere; those of an attempt that failed stay good, as nobody knows whether it arrived.
 */
async function drawLink(
  sql: Sql,
  { enrolmentId, corporationId, at, mailId }: Drawing,
  deps: EnrolmentMailsDeps,
): Promise<MailedLink | undefined> {
  const giving = { enrolmentId, at, mailId };
  const token = await giveLink(sql, { ...giving, kind: "link" }, deps);
  const code = await giveLink(sql, { ...giving, kind: "code" }, deps);
  if (token === undefined || code === undefined) return undefined;
  const [action, subject] = ["enrolment.mail-written", `enrolment/${enrolmentId}`];
  await record(sql, { at, actor: "worker", action, subject, corporationId }, deps.newId);
  return { token, code };
}

interface Drawing {
  readonly enrolmentId: string;
  readonly corporationId: string;
  readonly at: Date;
  readonly mailId: string;
}

/** The invitations for one device as a kind of mail. */
export function enrolmentMails(
  deps: EnrolmentMailsDeps,
  settings: EnrolmentMailSettings,
): MailKind {
  const { database, worker, clock } = deps;
  return {
    write: async (occasion) => {
      const { enrolmentId, corporationId } = occasion.facts as JsonObject & EnrolmentFacts;
      const link = await database.tenant(corporationId, (sql) =>
        drawLink(sql, { enrolmentId, corporationId, at: clock(), mailId: occasion.id }, deps),
      );
      // Tried again, and by then dropped.
      if (link === undefined) throw new Error("the enrolment is over");
      return writeEnrolmentMail(occasion, link, settings);
    },
    dropStale: () => worker.query("select app.drop_enrolment_mails($1)", [clock()]),
  };
}

const OF_REQUEST = `select e.id, coalesce(d.name, e.device_name) as device, p.name as pharmacy
  from app.enrolment e join app.pharmacy p on p.id = e.pharmacy_id left join app.device d on d.id = e.device_id
  where e.request_id = $1 and e.state in ('invited', 'started', 'identified', 'issued') and e.expires_at > $2
  order by e.batch_line, e.id`;

interface RequestRow {
  readonly id: string;
  readonly device: string | null;
  readonly pharmacy: string;
}

/** The invitations for several machines at once as a kind of mail: those that are still open. */
export function requestMails(deps: EnrolmentMailsDeps, settings: EnrolmentMailSettings): MailKind {
  const { database, worker, clock } = deps;
  return {
    write: async (occasion) => {
      const { requestId, corporationId } = occasion.facts as JsonObject & RequestFacts;
      const drawing = { corporationId, at: clock(), mailId: occasion.id };
      const links = await database.tenant(corporationId, async (sql) => {
        const drawn: NamedLink[] = [];
        const rows = await sql.query<RequestRow>(OF_REQUEST, [requestId, drawing.at]);
        for (const { id, device, pharmacy } of rows) {
          const link = await drawLink(sql, { ...drawing, enrolmentId: id }, deps);
          if (link !== undefined)
            drawn.push({ ...link, pharmacy, ...(device !== null && { device }) });
        }
        return drawn;
      });
      const [first, ...rest] = links;
      // Tried again, and by then dropped.
      if (first === undefined) throw new Error("the enrolments are over");
      return writeRequestMail(occasion, [first, ...rest], settings);
    },
    dropStale: () => worker.query("select app.drop_enrolment_request_mails($1)", [clock()]),
  };
}
