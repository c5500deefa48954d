import { hash } from "node:crypto";

/** A mailbox with the name of its owner, which may be empty. */
export interface Mailbox {
  readonly name: string;
  readonly address: string;
}

/** Who mails come from: one address, under a name in the reader's language. */
export interface Sender {
  readonly address: string;
  readonly name: Readonly<Record<"ja" | "en", string>>;
  /** Where mails come back to, each to an address of its own; absent: to `address`. */
  readonly bounceDomain?: string | undefined;
}

/** What is written, in both forms that mail programs show. */
export interface MailContent {
  readonly subject: string;
  readonly text: string;
  readonly html: string;
}

export interface MailMessage extends MailContent {
  /** The key of its row: the same key is the same mail, however often it is sent. */
  readonly key: string;
  /** One plain address, as the registry parses them; nothing else is a recipient. */
  readonly to: string;
  readonly language: "ja" | "en";
  readonly date: Date;
}

/** What came of a mail that was taken. */
export interface MailReceipt {
  readonly accepted: string;
  /** The server's last words, or the file's name. */
  readonly response: string;
}

/** Gives mails to somebody who delivers them. */
export interface Mailer {
  /** Throws MailRefusedError when it is of no use to try again, MailUnavailableError when it is. */
  send(message: MailMessage): Promise<MailReceipt>;
  /** Ends idle connections. */
  close(): Promise<void>;
}

/** How much of the key's digest stands in the Message-ID: 128 bits. */
const ID_DIGITS = 32;

/**
 * The Message-ID (RFC 5322 §3.6.4) of a key, the same for every attempt: when a mail was accepted and we went down before
 * we could write so, the second copy is recognisable as the same mail. The digest keeps the key to ourselves.
 */
export function messageId(key: string, from: Pick<Mailbox, "address">): string {
  const domain = from.address.slice(from.address.lastIndexOf("@") + 1);
  return `<${idOf(key)}@${domain}>`;
}

/** The key's digest, as the Message-ID has it. */
export function idOf(key: string): string {
  return hash("sha256", key, "hex").slice(0, ID_DIGITS);
}

/**
 * Who a mail's envelope says it is from (RFC 5321 §4.1.1.2), to whom a report that it came back is sent. With a domain for that the
 * address says which mail it was, so that nobody needs to find it in the report.
 */
export function envelopeSender(key: string, { address, bounceDomain }: Sender): string {
  return bounceDomain === undefined ? address : `bounce+${idOf(key)}@${bounceDomain}`;
}
