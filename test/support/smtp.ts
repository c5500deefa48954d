import { once } from "node:events";
import { createServer, type Server, type Socket } from "node:net";
import { SMTPServer } from "smtp-server";
import { readMail, type ReadMail } from "./mailer-contract.ts";

/** A real SMTP server on the loopback address. */
export interface TestSmtp {
  readonly url: string;
  readonly recipients: string[];
  /** Who the envelope of each says it is from. */
  readonly senders: string[];
  /** Recipients that somebody wanted to write to, refused ones too. */
  readonly asked: string[];
  readonly raw: string[];
  mails(): ReadMail[];
  close(): Promise<void>;
}

/** An answer in place of acceptance: after RCPT TO, or after the data. */
export interface Refusal {
  readonly at: "rcpt" | "data";
  readonly code: number;
  /** So many mails; all of them by default. */
  readonly times?: number;
  /** Of this recipient only. */
  readonly only?: string;
}

const refusalError = (code: number): Error =>
  Object.assign(new Error(code >= 500 ? "no such user" : "come back later"), {
    responseCode: code,
  });

export async function startSmtp(refusal?: Refusal): Promise<TestSmtp> {
  const recipients: string[] = [];
  const raw: string[] = [];
  const senders: string[] = [];
  let left = refusal?.times ?? Number.POSITIVE_INFINITY;
  const asked: string[] = [];
  const refuses = (at: Refusal["at"], address?: string): Error | undefined => {
    if (refusal?.at !== at || left <= 0) return undefined;
    if (refusal.only !== undefined && refusal.only !== address) return undefined;
    left -= 1;
    return refusalError(refusal.code);
  };
  const server = new SMTPServer({
    disabledCommands: ["AUTH", "STARTTLS"],
    logger: false,
    onRcptTo: ({ address }, _session, done) => {
      asked.push(address);
      const refused = refuses("rcpt", address);
      if (refused === undefined) recipients.push(address);
      done(refused);
    },
    onMailFrom: ({ address }, _session, done) => {
      senders.push(address);
      done();
    },
    onData: (stream, _session, done) => {
      const chunks: Buffer[] = [];
      stream.on("data", (chunk: Buffer) => chunks.push(chunk));
      stream.on("end", () => {
        const refused = refuses("data");
        if (refused === undefined) raw.push(Buffer.concat(chunks).toString("latin1"));
        done(refused);
      });
    },
  });
  server.on("error", () => undefined);
  const listening = server.listen(0, "127.0.0.1");
  await once(listening, "listening");
  return {
    url: `smtp://127.0.0.1:${portOf(listening)}`,
    recipients,
    senders,
    asked,
    raw,
    mails: () => raw.map(readMail),
    close: () => new Promise((resolve) => server.close(resolve)),
  };
}

/** A server that takes the connection and then says nothing, or says hello and nothing more. */
export async function startTarpit(
  greeting?: string,
): Promise<{ readonly url: string; close(): Promise<void> }> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => undefined);
    if (greeting !== undefined) socket.write(`${greeting}\r\n`);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `smtp://127.0.0.1:${portOf(server)}`,
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

export function portOf(server: Pick<Server, "address">): number {
  const address = server.address();
  return typeof address === "object" && address !== null ? address.port : 0;
}
