import { createTransport } from "nodemailer";
import { MailRefusedError, MailUnavailableError } from "./errors.ts";
import type { Mailer, Sender } from "./mail-message.ts";
import { mimeOf } from "./mime.ts";

/** How long a mail server may take, in milliseconds. */
export interface SmtpTimeouts {
  readonly connect: number;
  /** Relays that test strangers say hello late on purpose. */
  readonly greeting: number;
  /** Without a word from it. */
  readonly silence: number;
}

const TIMEOUTS: SmtpTimeouts = { connect: 5_000, greeting: 10_000, silence: 15_000 };

/** So many at a time: more than this most relays take for an attack. */
export const SMTP_CONNECTIONS = 3;

export interface SmtpMailerOptions {
  readonly url: string;
  readonly from: Sender;
  readonly onError: (error: Error) => void;
  readonly timeouts?: SmtpTimeouts;
}

/** Mails through a server, over a few connections that stay open for a while. */
export function createSmtpMailer(options: SmtpMailerOptions): Mailer {
  const { url, from, onError, timeouts = TIMEOUTS } = options;
  const transport = createTransport({
    url,
    pool: true,
    maxConnections: SMTP_CONNECTIONS,
    dnsTimeout: timeouts.connect,
    connectionTimeout: timeouts.connect,
    greetingTimeout: timeouts.greeting,
    socketTimeout: timeouts.silence,
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  transport.on("error", onError);
  return {
    send: async (message) => {
      const mime = mimeOf(message, from);
      try {
        const { response } = await transport.sendMail(mime);
        return { accepted: message.to, response };
      } catch (error) {
        throw verdictOf(error);
      }
    },
    close: async () => transport.close(),
  };
}

/**
 * RFC 5321 §4.2.1: 5yz is for good. But a refused sign-in (EAUTH), a refused greeting and everything without a reply say
 * something of the server's settings or of the way there, not of this mail: it keeps its chance.
 */
function verdictOf(error: unknown): Error {
  const { responseCode, code, message } = error as {
    readonly responseCode?: number;
    readonly code?: string;
    readonly message?: string;
  };
  const isAboutMail = code === "EENVELOPE" || code === "EMESSAGE";
  const reason = oneLine(message ?? String(error));
  return isAboutMail && responseCode !== undefined && responseCode >= 500
    ? new MailRefusedError(reason, { cause: error })
    : new MailUnavailableError(reason, { cause: error });
}

const MAX_REASON = 300;

function oneLine(text: string): string {
  return text.replaceAll(/\s+/gu, " ").slice(0, MAX_REASON);
}
