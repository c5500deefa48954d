import { describe, expect, it } from "vitest";
import { plainSite, type Site } from "../../../src/config/site.ts";
import { calendarDaysBetween, dayOf, shortDayOf } from "../../../src/lifecycle/dates.ts";
import {
  type Reminder,
  type ReminderItem,
  writeExpiryMail,
} from "../../../src/lifecycle/expiry-mail.ts";
import { operatorMails } from "../../../src/lifecycle/operator-mail.ts";
import { RENEWAL_REASONS } from "../../../src/lifecycle/renewal-times.ts";

const SETTINGS = {
  appUrl: "https://suido.example.jp",
  mtlsUrl: "https://device.suido.example.jp",
  timeZone: "Asia/Tokyo",
  site: plainSite(),
};
const ITEM: ReminderItem = {
  pharmacy: "あおぞら薬局",
  device: "受付1号機",
  use: "shared",
  notAfter: new Date("2027-06-01T14:59:59Z"),
  renewFrom: new Date("2027-04-19T15:00:00Z"),
  code: "K7QM-3XWD",
};
const { code: _none, ...WITHOUT_CODE } = ITEM;
const SECOND: ReminderItem = { ...ITEM, device: "投薬台iPad", code: "ABCD-2345" };
const at = (day: string): Date => new Date(`${day}T00:00:05Z`);
interface Own {
  readonly site?: Site;
}
const write = (
  language: "ja" | "en",
  day = "2027-05-25",
  { items = [ITEM], isOrder = false, name, site = plainSite() }: Partial<Reminder> & Own = {},
) => writeExpiryMail({ language, now: at(day), name, items, isOrder }, { ...SETTINGS, site });

describe("days", () => {
  it.for([
    ["2027-05-31T14:59:59Z", 1],
    ["2027-05-31T15:00:00Z", 0],
    ["2027-06-01T14:59:59Z", 0],
    ["2027-03-03T15:00:00Z", 89],
    ["2027-06-01T15:00:00Z", -1],
  ] as const)("from %s are those of the pharmacy's calendar", ([from, days]) => {
    expect(calendarDaysBetween(new Date(from), ITEM.notAfter, "Asia/Tokyo")).toBe(days);
  });

  it.for([
    ["ja", "2027年6月1日(火)", "6月1日"],
    ["en", "Tuesday, 1 June 2027", "1 June"],
  ] as const)("are written in %s", ([language, long, short]) => {
    const style = { language, timeZone: "Asia/Tokyo" };
    expect(dayOf(ITEM.notAfter, style)).toBe(long);
    expect(shortDayOf(ITEM.notAfter, style)).toBe(short);
  });
});

it.for([
  [
    "ja",
    "2027-05-25",
    "【6月1日まで・あと7日】あおぞら薬局「受付1号機」の証明書を更新してください",
  ],
  [
    "ja",
    "2027-05-31",
    "【6月1日まで・明日まで】あおぞら薬局「受付1号機」の証明書を更新してください",
  ],
  [
    "ja",
    "2027-06-01",
    "【6月1日まで・本日まで】あおぞら薬局「受付1号機」の証明書を更新してください",
  ],
  ["ja", "2027-03-03", "【ご予定】あおぞら薬局「受付1号機」の証明書は6月1日までです"],
  ["en", "2027-05-25", "Renew by 1 June (in 7 days): 受付1号機, あおぞら薬局"],
  ["en", "2027-05-31", "Renew by 1 June (tomorrow): 受付1号機, あおぞら薬局"],
  ["en", "2027-06-01", "Renew by 1 June (today): 受付1号機, あおぞら薬局"],
] as const)(
  "names the day, what is left of it, pharmacy and device: %s on %s",
  ([language, day, subject]) => {
    expect(write(language, day).subject).toBe(subject);
  },
);

it.for(["ja", "en"] as const)(
  "says what to press, what to type, where both lead, how to check it, who asked and why, in %s",
  (language) => {
    const { text } = write(language);
    expect(text).toContain(language === "ja" ? "「更新する」" : "“Renew”");
    expect(text).toContain("https://device.suido.example.jp/renew\n");
    expect(text).toContain(" https://device.suido.example.jp/ ");
    expect(text).toContain("https://suido.example.jp/start\n");
    expect(text).toContain("K7QM-3XWD");
    expect(text).toContain(language === "ja" ? "ガイドライン" : "guideline");
    expect(text).toContain(language === "ja" ? "依頼した人: " : "Asked by: ");
  },
);

it.for(["ja", "en"] as const)("names every device with its own code, in %s", (language) => {
  const { subject, text, html } = write(language, "2027-05-25", { items: [ITEM, SECOND] });
  expect(subject).toContain("2");
  for (const { device, code = "" } of [ITEM, SECOND]) {
    const own = text.slice(text.indexOf(`: ${device}`)).split("\n\n")[0];
    expect(own).toContain(code);
    expect(html).toContain(code);
  }
});

it("has no code before the time to renew, and says from when", () => {
  const { text } = write("ja", "2027-03-03", { items: [WITHOUT_CODE] });
  expect(text).toContain("更新できる日: 2027年4月20日(火)");
  expect(text).toContain("いまは、することはありません");
  expect(text).toContain("https://suido.example.jp/?lang=ja#renewal");
  expect(text).not.toMatch(/コード|\/renew\n/);
});

it("asks to call where nobody can be identified by a code", () => {
  expect(write("ja", "2027-05-25", { items: [WITHOUT_CODE] }).text).toContain("お電話ください");
});

it.for(["ja", "en"] as const)(
  "says why it cannot wait, each reason otherwise, in %s",
  (language) => {
    const texts = RENEWAL_REASONS.map((reason) =>
      write(language, "2027-03-03", {
        isOrder: true,
        items: [{ ...ITEM, renewFrom: at("2027-03-03"), reason }],
      }),
    );
    expect(new Set(texts.map(({ text }) => text)).size).toBe(RENEWAL_REASONS.length);
    expect(texts[0]?.subject).toContain(language === "ja" ? "お急ぎください" : "now");
  },
);

/** A colon stands in the text between a name and what it is; in HTML they are two cells. */
const bare = (line: string): string => line.replaceAll(/: ?/g, " ").trim();

it.for(["ja", "en"] as const)("says the same in text and in HTML, in %s", (language) => {
  const site = plainSite("0120-000-000");
  const { text, html } = write(language, "2027-05-25", { items: [ITEM, SECOND], site });
  const shown = html
    .replace(/<head>.*<\/head>/s, "")
    .replaceAll(/<[^>]+>/g, " ")
    .replaceAll(/\s+/g, " ");
  const lines = text.split("\n").filter((line) => line !== "" && line !== "--");
  for (const line of lines) expect(bare(shown).replaceAll(/\s+/g, " ")).toContain(bare(line));
  expect(lines).toContain(`${SETTINGS.mtlsUrl}/renew`);
  expect(lines).toContain("0120-000-000");
});

it("names whom to call, or at least whose number to look for", () => {
  expect(write("ja").text).toContain("お使いのシステムのサポート窓口にお電話ください");
});

it("shows names of pharmacies and devices as they are, whatever they contain", () => {
  const item = { ...ITEM, device: `<img src=x onerror="a('b')">`, pharmacy: "A & B 薬局" };
  const { html } = write("ja", "2027-05-25", { items: [item] });
  expect(html).not.toContain("<img");
  expect(html).toContain("&lt;img src=x onerror=&quot;a(&#39;b&#39;)&quot;&gt;");
  expect(html).toContain("A &amp; B 薬局");
});

it("loads nothing from elsewhere", () => {
  expect(write("ja").html).not.toMatch(/<(?:img|link|script|iframe)|url\(|@import/);
});

it.for(["ja", "en"] as const)("tells operators what no mail can do, in %s", async (language) => {
  const kind = operatorMails(SETTINGS);
  const told = { id: "1", language, now: at("2027-05-25") };
  const example = { ...ITEM, notAfter: ITEM.notAfter.toISOString(), renewFrom: "" };
  const untold = { topic: "untold", count: 21, examples: [example] };
  const first = await kind.write({ ...told, facts: untold });
  expect(first.subject).toContain("21");
  expect(first.text).toContain("あおぞら薬局: 受付1号機");
  expect(first.text).toContain(`${SETTINGS.appUrl}/console?lang=${language}`);
  const returned = { topic: "returned", count: 1, examples: [{ address: "gone@example.jp" }] };
  const second = await kind.write({ ...told, facts: returned });
  expect(second.text).toContain("gone@example.jp");
  expect(second.subject).toContain("1");
});
