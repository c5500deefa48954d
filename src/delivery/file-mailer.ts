import path from "node:path";
import { createTransport } from "nodemailer";
import { replaceFile } from "../storage/durable-file.ts";
import { MailUnavailableError } from "./errors.ts";
import { idOf, type Mailer, type Sender } from "./mail-message.ts";
import { mimeOf } from "./mime.ts";

export interface FileMailerOptions {
  readonly from: Sender;
  readonly outbox: string;
}

/** Mails as `.eml` files, one a key: who tries Suido out has no mail server, and reads them with any mail program. */
export function createFileMailer({ from, outbox }: FileMailerOptions): Mailer {
  const composer = createTransport({ streamTransport: true, buffer: true, newline: "windows" });
  return {
    send: async (message) => {
      const { message: bytes } = await composer.sendMail(mimeOf(message, from));
      if (!Buffer.isBuffer(bytes)) throw new Error("the composer gave no bytes");
      const name = `${idOf(message.key)}.eml`;
      try {
        // Only the owner may read it: it holds links and addresses.
        await replaceFile(path.join(outbox, name), [bytes]);
      } catch (error) {
        throw new MailUnavailableError("the outbox cannot be written", { cause: error });
      }
      return { accepted: message.to, response: name };
    },
    close: () => Promise.resolve(),
  };
}
