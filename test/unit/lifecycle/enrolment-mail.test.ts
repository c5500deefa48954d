import { expect, it } from "vitest";

import { loadSite } from "../../../src/config/site-file.ts";
import { plainSite } from "../../../src/config/site.ts";
import { writeCodeMail } from "../../../src/lifecycle/code-mail.ts";
import { writeEnrolmentMail, writeRequestMail } from "../../../src/lifecycle/enrolment-mail.ts";
import { spellingOf } from "../../../src/lifecycle/enrolment-links.ts";
import { ENROLMENT_REASONS } from "../../../src/lifecycle/enrolment-row.ts";

const SETTINGS = { appUrl: "https://suido.example.jp", timeZone: "Asia/Tokyo", site: plainSite() };
const LINK = { token: "0123456789abcdef0123456789abcdef", code: "K7QM-3XWD" };
const FACTS = {
  enrolmentId: "019aa5f0-3c5e-7b1a-9d52-6f0d6c1f7a10",
  corporationId: "019aa5f0-3c5e-7b1a-9d52-6f0d6c1f7a11",
  pharmacy: "あおぞら薬局",
  device: "受付1号機",
  requestedBy: "本部 システム課",
  reason: "first",
  expiresAt: "2026-12-05T03:00:00Z",
} as const;
const mail = (language: "ja" | "en", facts: object = {}, settings: object = {}) =>
  writeEnrolmentMail({ facts: { ...FACTS, ...facts }, language }, LINK, {
    ...SETTINGS,
    ...settings,
  });

it.for([
  ["ja", "【12月4日まで】あおぞら薬局「受付1号機」に証明書を入れてください"],
  ["en", "Please install a certificate by 4 December: 受付1号機, あおぞら薬局"],
] as const)(
  "names pharmacy, device and the last whole day in its subject, in %s",
  ([language, subject]) => {
    expect(mail(language).subject).toBe(subject);
  },
);

it.for(["ja", "en"] as const)(
  "says who asked and why, where the link leads and how to check it, in %s",
  (language) => {
    const { text } = mail(language);
    expect(text).toContain("本部 システム課");
    expect(text).toContain(language === "ja" ? "依頼した人" : "Asked by");
    expect(text).toContain("https://suido.example.jp/start/0123456789abcdef0123456789abcdef\n");
    expect(text).toContain(" https://suido.example.jp/ ");
    expect(text).toContain("https://suido.example.jp/start\n");
    expect(text).toContain("K7QM-3XWD");
    expect(text).toContain(language === "ja" ? "添付ファイルはありません" : "no attachment");
    const reasons = ENROLMENT_REASONS.map((reason) => mail(language, { reason }).text);
    expect(new Set(reasons).size).toBe(ENROLMENT_REASONS.length);
  },
);

it("begins with what to do, before it says who asked and why; and a code is in the first line", () => {
  const { html, text } = mail("ja", { name: "薬師 花子" });
  for (const each of [text, html]) {
    const [head = "", ...rest] = each.split("依頼した人");
    expect(head.indexOf("/start/0123456789abcdef")).toBeLessThan(head.indexOf("ガイドライン"));
    expect(rest).toHaveLength(1);
  }
  const facts = { ...FACTS, name: "薬師 花子", begun: 1 };
  const code = writeCodeMail({ facts, language: "ja" }, "482913", SETTINGS);
  expect(code.text.split("\n")[2]).toBe("「受付1号機」の確認番号は 482 913 です");
});

/** A colon stands in the text between a name and what it is; in HTML they are two cells. */
const bare = (line: string): string => line.replaceAll(/: ?/g, " ").replaceAll(/\s+/g, " ").trim();

it.for(["ja", "en"] as const)("says the same in text and in HTML, in %s", (language) => {
  const { text, html } = mail(language, { name: "薬師 花子" }, { site: plainSite("0120-000-000") });
  const shown = bare(
    html
      .replace(/<head>.*<\/head>/s, "")
      .replaceAll(/<[^>]+>/g, " ")
      .replaceAll("&#39;", "'"),
  );
  const lines = text.split("\n").filter((line) => line !== "" && line !== "--");
  for (const line of lines) expect(shown).toContain(bare(line));
  expect(lines).toContain("0120-000-000");
});

it.for([
  ["ja", 1, "【12月4日まで】あおぞら薬局の端末に証明書を入れてください"],
  ["ja", 10, "【12月4日まで】あおぞら薬局の端末10台に証明書を入れてください"],
  ["en", 2, "Please install certificates by 4 December: 2 devices, あおぞら薬局"],
] as const)(
  "lists in %s a link and a code for each of %i machines",
  ([language, count, subject]) => {
    const { device: _, ...facts } = FACTS;
    const links = Array.from({ length: count - 1 }, (_none, index) => ({
      token: String(index).padStart(32, "0"),
      code: `ABCD-EFG${index}`,
    }));
    const occasion = { facts, language };
    const written = writeRequestMail(occasion, [LINK, ...links], SETTINGS);
    expect(written.subject).toBe(subject);
    for (const { token, code } of [LINK, ...links]) {
      expect(written.text).toContain(code);
      expect(written.text).toContain(`https://suido.example.jp/start/${token}\n`);
      expect(written.html).toContain(`href="https://suido.example.jp/start/${token}"`);
    }
    // Of several none is the one behind the button.
    expect(written.html).toContain(
      `href="https://suido.example.jp/start${count === 1 ? `/${LINK.token}` : ""}" style="background`,
    );
  },
);

it("speaks in the site's name, for its systems, with its support and its colour", () => {
  const site = loadSite({ file: "deploy/site.example.yaml" });
  const { text, html } = mail("ja", {}, { site });
  expect(text).toContain("このメールはみずきシステムが自動で送っています。");
  expect(text).toContain("使うシステム: みずき薬歴\n");
  expect(text).toContain("0120-000-000(平日・土曜 9時〜19時)\n");
  expect(text).not.toContain("Suido");
  expect(html).toContain("background:#7a3b86;");
  const english = mail("en", {}, { site }).text;
  expect(english).toContain("Mizuki System sent this mail");
  expect(english).toContain("0120-000-000 (Monday to Saturday, 9:00–19:00)\n");
});

it("shows names as they are, whatever they contain, and names the operators where nobody said who asked", () => {
  const { html } = mail("ja", { device: "<b>1</b>", requestedBy: '"><a href=x>' });
  expect(html).not.toMatch(/<b>|<a href=x>/);
  const { requestedBy: _, ...unsaid } = FACTS;
  const { text } = writeEnrolmentMail({ facts: unsaid, language: "ja" }, LINK, SETTINGS);
  expect(text).toContain("依頼した人: お使いのシステムの運用担当");
});

it.for([
  ["code", "K7QM-3XWD", "K7QM3XWD"],
  ["code", "  k7qm 3xwd ", "K7QM3XWD"],
  ["code", "k7qmー3xwd", "K7QM3XWD"],
  ["code", "Ｋ７ＱＭ－３ＸＷＤ", "K7QM3XWD"],
  ["code", "k7qm–3xwd", "K7QM3XWD"],
  ["code", "K7QM-3XW0", undefined],
  ["code", "K7QM-3XW", undefined],
  ["code", "K7QM-3XWDD", undefined],
  ["link", LINK.token.toUpperCase(), LINK.token],
  ["link", `${LINK.token}0`, undefined],
  ["link", "../../etc/passwd", undefined],
] as const)("reads the %s %o as people type it", ([kind, text, spelling]) => {
  expect(spellingOf(kind, text)).toBe(spelling);
});
