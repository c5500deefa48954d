import type { JsonObject } from "../audit/record.ts";
import type { MailKind, MailOccasion } from "../delivery/mail-delivery.ts";
import type { MailContent } from "../delivery/mail-message.ts";
import { dayOf, timeOf } from "./dates.ts";
import type { EnrolmentMailSettings } from "./enrolment-mail.ts";
import type { EnrolmentReason } from "./enrolment-row.ts";
import { inGroups, type MailBlock, mailPage, paragraph } from "./mail-page.ts";
import { LIFECYCLE_MESSAGES } from "./messages.ts";

/** What was so at the proof. Without a name the mailbox is a shared one; what is of an enrolment is absent without one. */
interface ProofFacts {
  readonly pharmacy: string;
  readonly device: string;
  readonly notAfter: string;
  readonly provenAt: string;
  readonly serialNumber: string;
  readonly name?: string;
  readonly reason?: EnrolmentReason;
  readonly requestedBy?: string;
  /** The device has asked for its own renewal. */
  readonly isByDevice?: true;
  readonly supportNumber?: string;
}

/** None where there is nothing to tell. */
function fact(name: string, value: string | undefined, isMain = false): readonly MailBlock[] {
  return value === undefined ? [] : [{ kind: "fact", name, value, isMain }];
}

/**
 * That a device has a certificate now, and what to do if nobody there wanted it. It has nothing to press: whoever forges
 * such a mail has a link in it.
 */
export function writeProofMail(
  { facts, language }: Pick<MailOccasion, "facts" | "language">,
  { timeZone, site }: Pick<EnrolmentMailSettings, "timeZone" | "site">,
): MailContent {
  const { pharmacy, device, name, ...proof } = facts as JsonObject & ProofFacts;
  const { proven: words, enrolment } = LIFECYCLE_MESSAGES[language];
  const style = { language, timeZone };
  const support = site.support?.[language];
  const at = (time: string): string =>
    enrolment.untilDay(dayOf(new Date(time), style), timeOf(new Date(time), style));
  const asker = proof.isByDevice === true ? words.byDevice : enrolment.operator;
  return mailPage({
    language,
    subject: words.subject({ pharmacy, device }),
    greeting: name === undefined ? enrolment.greetingPharmacy(pharmacy) : enrolment.greeting(name),
    title: words.title(device),
    blocks: [
      paragraph(words.what),
      paragraph(words.why[proof.reason === "renewal" ? "renewal" : "first"]),
      ...fact(enrolment.device, device, true),
      ...fact(enrolment.pharmacy, pharmacy),
      ...site.products.flatMap((product) => fact(enrolment.system, product.name[language])),
      ...fact(words.at, at(proof.provenAt)),
      ...fact(words.until, at(proof.notAfter)),
      ...fact(enrolment.requestedBy, proof.requestedBy ?? asker),
      ...(proof.supportNumber === undefined
        ? []
        : fact(words.supportNumber, inGroups(proof.supportNumber, 3))),
      ...fact(words.serial, inGroups(proof.serialNumber, 4)),
    ],
    todo: words.todo,
    help:
      support === undefined
        ? { text: words.unexpected }
        : { text: words.unexpectedCall, contact: support },
    foot: [words.harmless, enrolment.automatic(site.name[language])],
  });
}

/** The mails after a proof as a kind of mail. What they say stays so: none is ever dropped. */
export function proofMails(settings: Pick<EnrolmentMailSettings, "timeZone" | "site">): MailKind {
  return { write: (occasion) => writeProofMail(occasion, settings) };
}
