import { describe, expect, it } from "vitest";
import { plainSite } from "../../../src/config/site.ts";
import { calendarDaysBetween, dayOf, shortDayOf } from "../../../src/lifecycle/dates.ts";
import { writeExpiryMail } from "../../../src/lifecycle/expiry-mail.ts";
import { operatorMails } from "../../../src/lifecycle/operator-mail.ts";

const SETTINGS = { appUrl: "https://suido.example.jp", timeZone: "Asia/Tokyo", site: plainSite() };
const FACTS = {
  pharmacy: "あおぞら薬局",
  device: "受付1号機",
  use: "shared",
  notAfter: "2027-06-01T14:59:59Z",
} as const;
const at = (day: string): Date => new Date(`${day}T00:00:05Z`);

describe("days", () => {
  it.for([
    ["2027-05-31T14:59:59Z", 1],
    ["2027-05-31T15:00:00Z", 0],
    ["2027-06-01T14:59:59Z", 0],
    ["2027-03-03T15:00:00Z", 89],
    ["2027-06-01T15:00:00Z", -1],
  ] as const)("from %s are those of the pharmacy's calendar", ([from, days]) => {
    expect(calendarDaysBetween(new Date(from), new Date(FACTS.notAfter), "Asia/Tokyo")).toBe(days);
  });

  it.for([
    ["ja", "2027年6月1日(火)", "6月1日"],
    ["en", "Tuesday, 1 June 2027", "1 June"],
  ] as const)("are written in %s", ([language, long, short]) => {
    const style = { language, timeZone: "Asia/Tokyo", site: plainSite() };
    expect(dayOf(new Date(FACTS.notAfter), style)).toBe(long);
    expect(shortDayOf(new Date(FACTS.notAfter), style)).toBe(short);
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
  ["en", "2027-05-25", "Renew by 1 June (in 7 days): 受付1号機, あおぞら薬局"],
  ["en", "2027-05-31", "Renew by 1 June (tomorrow): 受付1号機, あおぞら薬局"],
  ["en", "2027-06-01", "Renew by 1 June (today): 受付1号機, あおぞら薬局"],
] as const)(
  "names the day, what is left of it, pharmacy and device: %s on %s",
  ([language, day, subject]) => {
    expect(writeExpiryMail({ facts: FACTS, language, now: at(day) }, SETTINGS).subject).toBe(
      subject,
    );
  },
);

/** A colon stands in the text between a name and what it is; in HTML they are two cells. */
const bare = (line: string): string => line.replaceAll(/: ?/g, " ").trim();

it.for(["ja", "en"] as const)("says the same in text and in HTML, in %s", (language) => {
  const settings = { ...SETTINGS, site: plainSite("0120-000-000") };
  const { text, html } = writeExpiryMail(
    { facts: FACTS, language, now: at("2027-05-25") },
    settings,
  );
  const shown = html
    .replace(/<head>.*<\/head>/s, "")
    .replaceAll(/<[^>]+>/g, " ")
    .replaceAll(/\s+/g, " ");
  const lines = text.split("\n").filter((line) => line !== "" && line !== "--");
  for (const line of lines) expect(bare(shown).replaceAll(/\s+/g, " ")).toContain(bare(line));
  expect(lines).toContain(`${SETTINGS.appUrl}/?lang=${language}#renewal`);
  expect(lines).toContain("0120-000-000");
});

it("names whom to call, or at least whose number to look for", () => {
  const { text } = writeExpiryMail(
    { facts: FACTS, language: "ja", now: at("2027-05-25") },
    SETTINGS,
  );
  expect(text).toContain("お使いのシステムのサポート窓口にお電話ください");
});

it("shows names of pharmacies and devices as they are, whatever they contain", () => {
  const facts = { ...FACTS, device: `<img src=x onerror="a('b')">`, pharmacy: "A & B 薬局" };
  const { html } = writeExpiryMail({ facts, language: "ja", now: at("2027-05-25") }, SETTINGS);
  expect(html).not.toContain("<img");
  expect(html).toContain("&lt;img src=x onerror=&quot;a(&#39;b&#39;)&quot;&gt;");
  expect(html).toContain("A &amp; B 薬局");
});

it("loads nothing from elsewhere", () => {
  const { html } = writeExpiryMail(
    { facts: FACTS, language: "ja", now: at("2027-05-25") },
    SETTINGS,
  );
  expect(html).not.toMatch(/<(?:img|link|script|iframe)|url\(|@import/);
});

it.for(["ja", "en"] as const)(
  "tells operators which reminders reach nobody, in %s",
  async (language) => {
    const facts = { topic: "untold", count: 21, examples: [FACTS] };
    const { subject, text } = await operatorMails(SETTINGS).write({
      facts,
      language,
      now: at("2027-05-25"),
    });
    expect(subject).toContain("21");
    expect(text).toContain("あおぞら薬局: 受付1号機");
    expect(text).toContain(`${SETTINGS.appUrl}/console?lang=${language}`);
  },
);
