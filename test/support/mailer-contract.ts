import { describe, expect, it } from "vitest";
import type { Mailer, MailMessage } from "../../src/delivery/mail-message.ts";

/** A mail as its reader has it: what MIME encodes is decoded. */
export interface ReadMail {
  readonly headers: ReadonlyMap<string, string>;
  readonly text: string;
  readonly html: string;
}

/** A mailer, and the mails that have gone through it. */
export interface MailerUnderTest {
  readonly mailer: Mailer;
  /** Everybody who was a recipient of any mail so far. */
  readonly recipients: () => Promise<readonly string[]>;
  readonly mails: () => Promise<readonly ReadMail[]>;
}

export const MAIL: MailMessage = {
  key: "expiry:7f00:30:0b0d7f0e-43a1-4b5e-9a54-9f6d3f2f6c11",
  to: "tanaka@example.jp",
  language: "ja",
  date: new Date("2027-05-01T00:00:00Z"),
  subject: "【6月1日まで・あと30日】あおぞら薬局「受付1号機」の証明書を更新してください",
  text: "「受付1号機」で下のページを開いてください。\nhttps://suido.example.jp/?lang=ja\n",
  html: '<p>「受付1号機」</p><a href="https://suido.example.jp/?lang=ja">更新</a>',
};

/** What every mailer does. `open` gives a fresh one. */
export function describeMailer(name: "files" | "SMTP", open: () => Promise<MailerUnderTest>): void {
  describe(`a mailer by ${name}`, () => {
    it("delivers text and HTML with every character and the whole link", async () => {
      const { mailer, mails } = await open();
      await mailer.send(MAIL);
      const [mail] = await mails();
      expect(mail?.headers.get("subject")).toBe(MAIL.subject);
      expect(mail?.text.trimEnd()).toBe(MAIL.text.trimEnd());
      expect(mail?.html.trimEnd()).toBe(MAIL.html.trimEnd());
    });

    it("says who sent it, that a machine did, and nothing of the program", async () => {
      const { mailer, mails } = await open();
      await mailer.send(MAIL);
      const headers = (await mails())[0]?.headers;
      expect(headers?.get("from")).toBe("水道 <no-reply@suido.example.jp>");
      expect(headers?.get("to")).toBe("tanaka@example.jp");
      expect(headers?.get("auto-submitted")).toBe("auto-generated");
      expect(headers?.get("date")).toBe("Sat, 01 May 2027 00:00:00 +0000");
      expect(headers?.has("x-mailer")).toBe(false);
    });

    it("has the same Message-ID for the same key, another for another, and the key in neither", async () => {
      const ids: (string | undefined)[] = [];
      for (const key of [MAIL.key, MAIL.key, "another"]) {
        const { mailer, mails } = await open();
        await mailer.send({ ...MAIL, key });
        ids.push((await mails())[0]?.headers.get("message-id"));
      }
      expect(ids[0]).toMatch(/^<[0-9a-f]{32}@suido\.example\.jp>$/);
      expect(ids[1]).toBe(ids[0]);
      expect(ids[2]).not.toBe(ids[0]);
    });

    it.for([
      ["a second recipient behind a comma", "a@example.jp, evil@example.jp"],
      ["a header behind a line break", "a@example.jp\r\nBcc: evil@example.jp"],
      ["a group", "list: evil@example.jp;"],
      ["a name with an address", "A <evil@example.jp>"],
      ["nothing", ""],
    ] as const)("refuses %s as a recipient, for good", async ([, to]) => {
      const { mailer, recipients } = await open();
      await expect(mailer.send({ ...MAIL, to })).rejects.toThrow(
        expect.objectContaining({ code: "mail-refused" }),
      );
      expect(await recipients()).toEqual([]);
    });

    it("keeps a line break in the subject from becoming a header", async () => {
      const { mailer, mails, recipients } = await open();
      await mailer.send({ ...MAIL, subject: "薬局\r\nBcc: evil@example.jp\r\n\r\nbody" });
      expect((await mails())[0]?.headers.get("subject")).toBe("薬局 Bcc: evil@example.jp body");
      expect((await mails())[0]?.headers.has("bcc")).toBe(false);
      expect(await recipients()).toEqual(["tanaka@example.jp"]);
    });

    it("reads no file and fetches nothing that a message names", async () => {
      const { mailer, mails } = await open();
      const hostile = { path: "/etc/passwd", href: "http://127.0.0.1:1/" };
      await mailer.send({ ...MAIL, text: hostile as unknown as string }).catch(() => undefined);
      const all = (await mails()).map(({ text, html }) => text + html).join("");
      expect(all).not.toContain("root:");
    });
  });
}

/** Reads a message of ours: headers, encoded words, and the two alternatives. Only what our mails use. */
export function readMail(raw: string): ReadMail {
  const { headers, body } = splitPart(raw);
  const boundary = /boundary="?([^";\s]+)/.exec(headers.get("content-type") ?? "")?.[1];
  const parts = (boundary === undefined ? [raw] : body.split(`--${boundary}`).slice(1, -1)).map(
    (part) => splitPart(part.replace(/^\r\n/, "")),
  );
  const content = (type: string): string => {
    const part = parts.find((each) => each.headers.get("content-type")?.startsWith(type) === true);
    return part === undefined ? "" : decodeBody(part);
  };
  return { headers, text: content("text/plain"), html: content("text/html") };
}

interface Part {
  readonly headers: ReadonlyMap<string, string>;
  readonly body: string;
}

function splitPart(raw: string): Part {
  const end = raw.indexOf("\r\n\r\n");
  const unfolded = raw.slice(0, end).replaceAll(/\r\n[ \t]+/g, " ");
  const headers = unfolded.split("\r\n").map((line): [string, string] => {
    const colon = line.indexOf(":");
    return [line.slice(0, colon).toLowerCase(), decodeWords(line.slice(colon + 1).trim())];
  });
  return { headers: new Map(headers), body: raw.slice(end + 4) };
}

/** RFC 2047 §6.2: white space between two encoded words is not shown. */
function decodeWords(text: string): string {
  const joined = text.replaceAll(/\?=\s+=\?/g, "?==?");
  return joined
    .replaceAll(/(?:=\?UTF-8\?[BQ]\?[^?]*\?=)+/gi, (words) => {
      const octets = [...words.matchAll(/=\?UTF-8\?([BQ])\?([^?]*)\?=/gi)].map(([, kind, data]) =>
        kind?.toUpperCase() === "B"
          ? Buffer.from(data ?? "", "base64")
          : quotedPrintable((data ?? "").replaceAll("_", " ")),
      );
      return Buffer.concat(octets).toString("utf8");
    })
    .replaceAll('"', "");
}

function decodeBody({ headers, body }: Part): string {
  const encoding = headers.get("content-transfer-encoding")?.toLowerCase();
  const lines = body.replaceAll("\r\n", "\n");
  if (encoding === "base64") return Buffer.from(lines, "base64").toString("utf8");
  if (encoding === "quoted-printable") {
    return quotedPrintable(lines.replaceAll("=\n", "")).toString("utf8");
  }
  return lines;
}

function quotedPrintable(text: string): Buffer {
  const latin1 = text.replaceAll(/=([0-9A-F]{2})/gi, (_, hex: string) =>
    String.fromCodePoint(Number.parseInt(hex, 16)),
  );
  return Buffer.from(latin1, "latin1");
}
