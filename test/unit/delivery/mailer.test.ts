import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, afterEach, describe, expect, it } from "vitest";
import type { Mailer } from "../../../src/delivery/mail-message.ts";
import { createMailer, parseMailbox } from "../../../src/delivery/mailer.ts";
import { describeMailer, MAIL, readMail } from "../../support/mailer-contract.ts";
import { startSmtp, startTarpit, type TestSmtp } from "../../support/smtp.ts";

const FROM = "水道 <no-reply@suido.example.jp>";
const TIMEOUTS = { connect: 300, greeting: 300, silence: 300 };

const folder = mkdtempSync(path.join(tmpdir(), "suido-mail-"));
const closers: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});
afterAll(() => rmSync(folder, { recursive: true }));

function mailerTo(url: string | undefined, outbox = folder): Mailer {
  const mailer = createMailer({
    url,
    from: FROM,
    outbox,
    onError: () => undefined,
    timeouts: TIMEOUTS,
  });
  closers.unshift(() => mailer.close());
  return mailer;
}

async function smtp(...refusal: Parameters<typeof startSmtp>): Promise<TestSmtp> {
  const server = await startSmtp(...refusal);
  closers.push(() => server.close());
  return server;
}

const emlFiles = (outbox: string): string[] => {
  try {
    return readdirSync(outbox);
  } catch {
    return [];
  }
};

describeMailer("files", async () => {
  const outbox = path.join(mkdtempSync(path.join(folder, "each-")), "outbox");
  const mails = async () =>
    emlFiles(outbox).map((name) => readMail(readFileSync(path.join(outbox, name), "latin1")));
  return {
    mailer: mailerTo(undefined, outbox),
    mails,
    recipients: async () =>
      (await mails()).flatMap(({ headers }) =>
        ["to", "cc", "bcc"].map((name) => headers.get(name)).filter((each) => each !== undefined),
      ),
  };
});

describeMailer("SMTP", async () => {
  const server = await smtp();
  return {
    mailer: mailerTo(server.url),
    mails: async () => server.mails(),
    recipients: async () => server.recipients,
  };
});

describe("files", () => {
  it("are for the owner alone, one a key, and leave nothing half", async () => {
    const outbox = mkdtempSync(path.join(folder, "own-"));
    const mailer = mailerTo(undefined, outbox);
    const { response } = await mailer.send(MAIL);
    await mailer.send(MAIL);
    expect(emlFiles(outbox)).toEqual([response]);
    expect(statSync(path.join(outbox, response)).mode & 0o777).toBe(0o600);
  });

  it("are postponed when the outbox cannot be written", async () => {
    const file = path.join(folder, "not-a-folder");
    writeFileSync(file, "");
    await expect(mailerTo(undefined, file).send(MAIL)).rejects.toThrow(
      expect.objectContaining({ code: "mail-unavailable" }),
    );
  });
});

describe("SMTP", () => {
  it.for([
    ["a full mailbox", { at: "rcpt", code: 452 }, "mail-unavailable"],
    ["greylisting", { at: "rcpt", code: 450 }, "mail-unavailable"],
    ["a busy server after the data", { at: "data", code: 451 }, "mail-unavailable"],
    ["an unknown user", { at: "rcpt", code: 550 }, "mail-refused"],
    ["a mail that is taken for spam", { at: "data", code: 554 }, "mail-refused"],
  ] as const)("tells %s as it is", async ([, refusal, code]) => {
    const server = await smtp(refusal);
    await expect(mailerTo(server.url).send(MAIL)).rejects.toThrow(
      expect.objectContaining({ code }),
    );
    expect(server.raw).toEqual([]);
  });

  it("postpones when nobody listens, soon", async () => {
    const server = await startSmtp();
    await server.close();
    await expect(mailerTo(server.url).send(MAIL)).rejects.toThrow(
      expect.objectContaining({ code: "mail-unavailable" }),
    );
  });

  it.for([
    ["says nothing", undefined],
    ["says hello and nothing more", "220 tarpit ESMTP"],
    ["is not one for us", "554 no service here"],
  ] as const)("postpones when the server %s", async ([, greeting]) => {
    const tarpit = await startTarpit(greeting);
    closers.push(() => tarpit.close());
    const begun = performance.now();
    await expect(mailerTo(tarpit.url).send(MAIL)).rejects.toThrow(
      expect.objectContaining({ code: "mail-unavailable" }),
    );
    expect(performance.now() - begun).toBeLessThan(2_000);
  });

  it("goes on after the server was away", async () => {
    const server = await smtp({ at: "rcpt", code: 421, times: 1 });
    const mailer = mailerTo(server.url);
    await expect(mailer.send(MAIL)).rejects.toThrow(
      expect.objectContaining({ code: "mail-unavailable" }),
    );
    await expect(mailer.send(MAIL)).resolves.toMatchObject({ accepted: MAIL.to });
  });
});

it("comes under the site's own name in the reader's language, from the same address", async () => {
  const outbox = mkdtempSync(path.join(folder, "name-"));
  const name = { ja: "みずきシステム 証明書窓口", en: "Mizuki System certificates" };
  const mailer = createMailer({
    url: undefined,
    from: FROM,
    name,
    outbox,
    onError: () => undefined,
  });
  for (const language of ["ja", "en"] as const) {
    const { response } = await mailer.send({ ...MAIL, key: language, language });
    const { headers } = readMail(readFileSync(path.join(outbox, response), "latin1"));
    expect(headers.get("from")).toBe(`${name[language]} <no-reply@suido.example.jp>`);
  }
});

it.for([
  ["a@example.jp", { name: "", address: "a@example.jp" }],
  ["Suido <a@example.jp>", { name: "Suido", address: "a@example.jp" }],
] as const)("reads the sender %s", ([text, mailbox]) => {
  expect(parseMailbox(text)).toEqual(mailbox);
});
