import type { Bilingual } from "../config/site.ts";
import { createFileMailer } from "./file-mailer.ts";
import type { Mailbox, Mailer } from "./mail-message.ts";
import { createSmtpMailer, type SmtpTimeouts } from "./smtp-mailer.ts";

export interface MailerOptions {
  /** `smtp://…` or `smtps://…`; absent: files in `outbox`. */
  readonly url: string | undefined;
  /** `Name <address>` or an address. */
  readonly from: string;
  /** Whose name the mails come under, where that is another than the one in `from`. */
  readonly name?: Bilingual | undefined;
  /** The folder of the `.eml` files. */
  readonly outbox: string;
  /** Hears of connections that broke while nobody used them. */
  readonly onError: (error: Error) => void;
  readonly timeouts?: SmtpTimeouts;
}

/** The mailer that the configuration asks for. */
export function createMailer(options: MailerOptions): Mailer {
  const { url, from, outbox, onError, timeouts } = options;
  const { address, name: own } = parseMailbox(from);
  const { name = { ja: own, en: own } } = options;
  const sender = { address, name };
  if (url === undefined) return createFileMailer({ from: sender, outbox });
  return createSmtpMailer({ url, from: sender, onError, ...(timeouts && { timeouts }) });
}

/** `Name <address>` or an address, already validated by the configuration. */
export function parseMailbox(text: string): Mailbox {
  const named = /^(.*?)\s*<([^<>]+)>$/.exec(text);
  return { name: named?.[1] ?? "", address: named?.[2] ?? text };
}
