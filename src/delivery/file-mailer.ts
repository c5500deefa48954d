import { mkdir, open, rename } from "node:fs/promises";
import path from "node:path";
import { createTransport } from "nodemailer";
import { MailUnavailableError } from "./errors.ts";
import { idOf, type Mailbox, type Mailer } from "./mail-message.ts";
import { mimeOf } from "./mime.ts";

export interface FileMailerOptions {
  readonly from: Mailbox;
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
        await writeWhole(path.join(outbox, name), bytes);
      } catch (error) {
        throw new MailUnavailableError("the outbox cannot be written", { cause: error });
      }
      return { accepted: message.to, response: name };
    },
    close: () => Promise.resolve(),
  };
}

/** Under its name a file is whole or absent. Only the owner may read it: it holds links and addresses. */
async function writeWhole(file: string, bytes: Uint8Array): Promise<void> {
  await mkdir(path.dirname(file), { recursive: true, mode: 0o700 });
  const unfinished = `${file}.tmp`;
  const handle = await open(unfinished, "w", 0o600);
  try {
    await handle.writeFile(bytes);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(unfinished, file);
}
