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
  /** The domain to which mails come back, each to an address of its own; absent: to the address in `from`. */
  readonly bounceDomain?: string | undefined;
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
  const { bounceDomain, name = { ja: own, en: own } } = options;
  const sender = { address, name, bounceDomain };
  if (url === undefined) return createFileMailer({ from: sender, outbox });
  return createSmtpMailer({ url, from: sender, onError, ...(timeouts && { timeouts }) });
}

/** `Name <address>` or an address, already validated by the configuration. */
export function parseMailbox(text: string): Mailbox {
  const named = /^(.*?)\s*<([^<>]+)>$/.exec(text);
  return { name: named?.[1] ?? "", address: named?.[2] ?? text };
}
