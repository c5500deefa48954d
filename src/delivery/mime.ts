import type { SendMailOptions } from "nodemailer";
import { parseEmailAddress } from "../registry/email-address.ts";
import { RegistryError } from "../registry/errors.ts";
import { MailRefusedError } from "./errors.ts";
import { envelopeSender, type MailMessage, messageId, type Sender } from "./mail-message.ts";

/**
 * The message for nodemailer. A recipient given as text would be parsed as a list, so that a line break in it adds a
 * recipient: it is validated again, passed as an address, and the envelope is said in so many words. Nothing in a message
 * may make the composer read files or fetch addresses.
 */
export function mimeOf(message: MailMessage, from: Sender): SendMailOptions {
  const { key, subject, text, html, language, date } = message;
  const address = recipientOf(message.to);
  return {
    from: { name: from.name[language], address: from.address },
    to: { name: "", address },
    envelope: { from: envelopeSender(key, from), to: [address] },
    messageId: messageId(key, from),
    date,
    subject: subject.replaceAll(/\s+/gu, " "),
    text,
    html,
    // RFC 3834 §5.1: no out-of-office note answers a machine. RFC 3282: the language for those who read it aloud.
    headers: { "Auto-Submitted": "auto-generated", "Content-Language": language },
    disableFileAccess: true,
    disableUrlAccess: true,
    xMailer: false,
  };
}

function recipientOf(text: string): string {
  try {
    return parseEmailAddress(text, "recipient");
  } catch (error) {
    if (error instanceof RegistryError) throw new MailRefusedError(error.message, { cause: error });
    throw error;
  }
}
