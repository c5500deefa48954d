import { describe, expect, it } from "vitest";

import { loadSite } from "../../../src/config/site-file.ts";
import { plainSite, type Site } from "../../../src/config/site.ts";
import { loadAssets } from "../../../src/web/assets.ts";
import { guideOf, type GuideKind } from "../../../src/web/guide/guide.ts";
import { html } from "../../../src/web/html.ts";
import { WAY_EN } from "../../../src/web/messages/way-en.ts";
import { WAY_JA } from "../../../src/web/messages/way-ja.ts";
import {
  linkPageOf,
  pageOf,
  WAY_EVENTS,
  WAY_PAGES,
  WAY_TABLE,
  type WayPage,
} from "../../../src/web/way/states.ts";
import { wayPage, type WayView } from "../../../src/web/way/way-page.ts";

const site = plainSite("サポート 0120-000-000(平日 9時〜19時)");
const assets = loadAssets(site);
const WORDS = { ja: WAY_JA, en: WAY_EN } as const;
const reach = {
  url: "https://reach.check.localhost:8443/",
  host: "*.check.localhost",
  port: "8443",
};

const VIEW = {
  deviceName: "受付1号機",
  pharmacyName: "みずき薬局 <本店>",
  supportNumber: "482913",
  commonName: "受付1号機 2027-12",
  serialNumber: "4a",
  notAfter: new Date("2027-12-21T14:59:59Z"),
  token: "00112233445566778899aabbccddeeff",
  installing: { kind: "windows", style: "modern", browser: "chrome" },
  warnings: [],
  isOtherKind: false,
  naming: {
    platform: "windows",
    taken: ["受付1号機", "Counter 1"],
    typed: "<受付1号機>",
    holder: {
      deviceId: "019aa5f0-3c5e-7b1a-9d52-6f0d6c1f7a10",
      name: "受付1号機",
      further: "offered",
      certificate: { installedBy: "薬師 太郎", notAfter: new Date("2026-12-21T14:59:59Z") },
    },
  },
  another: { start: "https://a.example/start", code: "K7QM-3XWD", picture: html`<svg></svg>` },
  address: "t…@mizuki.example",
} as const satisfies Partial<WayView>;

const stepsOf = (kind: GuideKind, language: "ja" | "en") =>
  guideOf(kind, { language, fileName: "a.p12", browser: "chrome" }).steps;

function drawn(
  page: WayPage,
  language: "ja" | "en",
  { of = site, ...view }: Partial<WayView> & { readonly of?: Site } = {},
): string {
  const context = {
    language,
    words: WORDS[language],
    assets: of === site ? assets : loadAssets(of),
    timeZone: "Asia/Tokyo",
    site: of,
    path: "/way",
  };
  const now = new Date("2026-11-26T01:00:00Z");
  return String(wayPage({ ...VIEW, ...view, page }, context, { now, reach }));
}

describe("the state table of the way", () => {
  it.each(WAY_PAGES)("leads on from %s, to pages that there are", (page) => {
    const row = WAY_TABLE[page];
    expect(Object.keys(row).length).toBeGreaterThan(0);
    for (const [event, next] of Object.entries(row)) {
      expect(WAY_EVENTS).toContain(event);
      expect(WAY_PAGES).toContain(next);
    }
  });

  it("has no event that happens nowhere, and no page that nothing leads to", () => {
    const rows = Object.values(WAY_TABLE);
    const events = new Set(rows.flatMap((row) => Object.keys(row)));
    expect(WAY_EVENTS.filter((event) => !events.has(event))).toEqual([]);
    const reached = new Set(rows.flatMap((row) => Object.values(row)));
    // Those that a link itself opens.
    for (const page of ["invited", "unknown", "done"] as const) reached.add(page);
    expect(WAY_PAGES.filter((page) => !reached.has(page))).toEqual([]);
  });

  it.each([
    ["started", {}, "identify"],
    ["identified", {}, "make"],
    ["identified", { isNamed: false }, "name"],
    ["identified", { isPlaceOpen: true }, "place"],
    ["started", { isPlaceOpen: true }, "identify"],
    ["started", { isHeld: true }, "identify"],
    ["identified", { isHeld: true, isPlaceOpen: true }, "held"],
    ["issued", { isHeld: true, certificate: { isGood: false } }, "held"],
    ["proven", { isHeld: true, certificate: { isGood: false } }, "stopped"],
    ["identified", { isHeld: true, notRenewable: "barred" }, "held"],
    ["started", { isNamed: false }, "identify"],
    ["issued", { certificate: { isGood: true } }, "make"],
    ["issued", { certificate: { isGood: false } }, "stopped"],
    ["proven", { certificate: { isGood: true } }, "proven"],
    ["proven", { certificate: { isGood: true, usedAt: new Date(0) } }, "used"],
    ["proven", { certificate: { isGood: false } }, "stopped"],
    ["expired", {}, "expired"],
    ["withdrawn", {}, "withdrawn"],
    ["withdrawn", { isReplaced: true }, "replaced"],
    ["started", { notRenewable: "late" }, "late"],
    ["identified", { notRenewable: "barred" }, "barred"],
    ["issued", { notRenewable: "late", certificate: { isGood: true } }, "make"],
    ["withdrawn", { notRenewable: "late", isReplaced: true }, "replaced"],
  ] as const)("shows who has begun and is %s %o the page %s", (state, facts, page) => {
    const plain = { isReplaced: false, isNamed: true, isPlaceOpen: false, isHeld: false };
    expect(pageOf({ state, ...plain, ...facts })).toBe(page);
  });

  it.each([
    ["invited", false, "invited"],
    ["issued", false, "invited"],
    ["proven", false, "done"],
    ["expired", false, "expired"],
    ["withdrawn", false, "withdrawn"],
    ["withdrawn", true, "replaced"],
  ] as const)(
    "shows who opens a link of one that is %s (replaced: %s) the page %s",
    (state, isReplaced, page) => {
      expect(linkPageOf({ state, isReplaced, offersAnew: false })).toBe(page);
    },
  );
});

it("offers a new invitation at a link whose time is over, and at none that a newer one has replaced", () => {
  const lapsed = { state: "expired", offersAnew: true } as const;
  expect(linkPageOf({ ...lapsed, isReplaced: false })).toBe("lapsed");
  expect(linkPageOf({ ...lapsed, isReplaced: true })).toBe("replaced");
});

describe.each(["ja", "en"] as const)("each page in %s", (language) => {
  it.each(WAY_PAGES)("%s has one heading, its primary action, and whom to call", (page) => {
    const text = drawn(page, language);
    const words = WORDS[language].pages[page];
    expect(text.match(/<h1/g)).toHaveLength(1);
    expect(text).toContain(words.title);
    expect(text).toContain(words.primary);
    expect(text).toContain('<a href="tel:0120000000">');
    expect(text).toContain("482 913");
    // For ears digit by digit; and nothing that stands there from the beginning is said out of turn.
    expect(text).toContain(">4 8 2 , 9 1 3<");
    expect(text).not.toMatch(/role="(?:status|alert)"/);
    // Nothing inline: the policy of the pages forbids it. And nothing from outside unescaped.
    expect(text).not.toMatch(/<style| style="|onclick|<script>/);
    expect(text).not.toContain("<本店>");
  });

  it("makes no key readable, and names the file's certificate where it is chosen", () => {
    const text = drawn("make", language, { made: 5 });
    expect(text).toContain(VIEW.commonName);
    expect(text).toContain(WORDS[language].earlier);
    expect(text).toContain(WORDS[language].many);
  });

  it.each(["windows", "macos-file", "apple-file", "android", "firefox", "plain"] as const)(
    "leads through the steps of %s: each says when to go on, and what may go wrong",
    (kind) => {
      const text = drawn("make", language, {
        installing: { kind, style: "modern", browser: "chrome" },
      });
      const steps = stepsOf(kind, language);
      expect(text.match(/<section data-step=/g)).toHaveLength(steps.length + 1);
      for (const { done } of steps.slice(0, -1))
        expect(text).toContain(WORDS[language].arrived(done));
      expect(text.match(/<details/g)).toHaveLength(steps.length);
      expect(steps.filter(({ needsPassword }) => needsPassword)).toHaveLength(1);
      expect(text.match(/action="\/way\/checks"/g)).toHaveLength(1);
    },
  );
});

const isAuto = (view: Partial<WayView>): boolean => drawn("make", "ja", view).includes("data-auto");

it("makes the first file by itself, but none where something is to be read first, and none again", () => {
  for (const kind of ["windows", "apple-profile"] as const) {
    const installing = { ...VIEW.installing, kind };
    expect(isAuto({ installing, made: 0 })).toBe(true);
    expect(isAuto({ installing, made: 1 })).toBe(false);
    expect(isAuto({ installing, made: 0, isOtherKind: true })).toBe(false);
    expect(isAuto({ installing, made: 0, warnings: ["needsSafari"] })).toBe(false);
  }
});

it.each([
  ["windows", ["受付2号機", "監査台", "事務PC"]],
  ["macos", ["受付2号機", "投薬台iPad 3", "監査台", "事務PC"]],
  ["ipados", ["投薬台iPad 3", "受付iPad", "監査台"]],
  ["ios", ["投薬台iPhone", "監査台"]],
  ["android", ["投薬台タブレット", "監査台"]],
] as const)("offers on %s what fits there, each with the next free number", (platform, names) => {
  const taken = ["受付1号機", "投薬台iPad", "投薬台iPad 2", "受付3号機"];
  const shown = drawn("name", "ja", { naming: { platform, taken } });
  const offered = [...shown.matchAll(/name="offer" value="([^"]+)"/g)].map(([, name]) => name);
  expect(offered).toEqual(names);
  // Enter in the field presses the first button of the form, which is not one of those.
  expect(/<button[^>]*>/.exec(shown)?.[0]).toContain('class="default"');
  // What neither a browser nor its script says for sure, its person does.
  expect(shown.includes('type="radio"')).toBe(platform === "macos");
});

it.each(["wrong", "reserved", "owned", "lost"] as const)(
  "says what is wrong with a name (%s), and shows nothing from outside unescaped",
  (problem) => {
    const naming = { ...VIEW.naming, problem };
    for (const language of ["ja", "en"] as const) {
      const shown = drawn("name", language, { naming });
      // The field has the focus and says it: first what is wrong, once.
      expect(shown).toMatch(/id="wrong">/);
      expect(shown).toMatch(/aria-describedby="wrong hint"\s+aria-invalid="true" autofocus/);
      expect(shown).not.toContain("<受付");
    }
  },
);

it("asks whether the machine takes over with what the person needs to know, and a way back", () => {
  const shown = drawn("replace", "ja");
  for (const fact of ["受付1号機", "薬師 太郎", "2026年12月21日", "入れ替える", 'href="/way"'])
    expect(shown).toContain(fact);
});

it("names a profile's certificate by its device before it is known, and never by nothing", () => {
  const { commonName: _, ...unknown } = VIEW;
  const context = {
    language: "ja",
    words: WAY_JA,
    assets,
    timeZone: "Asia/Tokyo",
    site,
    path: "/way",
  } as const;
  const installing = { kind: "apple-profile", style: "compatible", browser: "safari" } as const;
  const now = new Date(0);
  const shown = String(wayPage({ ...unknown, installing, page: "make" }, context, { now, reach }));
  expect(shown).toContain("受付1号機 …");
  expect(shown).not.toMatch(/[「>]…/);
});

it("says the heading with a field that has the focus at once, and what is wrong in its place", () => {
  expect(drawn("code", "ja")).toMatch(/<h1 id="title"[^]*aria-describedby="title hint"/);
  expect(drawn("code", "ja", { isWrongCode: true })).toContain('aria-describedby="wrong hint"');
});

it("says first, in the title, what stands above the heading, or why a sign-in has not gone on", () => {
  const notable = drawn("make", "ja", { isOtherKind: true, warnings: ["needsSafari"] });
  expect(notable).toContain("<title>Safariで開き直してください ・ ファイルを保存します ・");
  const shown = drawn("identify", "ja", { signIn: { problem: "unknown" } });
  expect(shown).toContain(`<title>${WAY_JA.signIn.problems.unknown} ・ ${WAY_JA.signIn.title} ・`);
});

it("tells steps apart for ears: where one stands, and which trouble is whose", () => {
  const shown = drawn("make", "ja");
  for (const at of [2, 6]) {
    expect(shown).toContain(`id="place-${at}"`);
    expect(shown).toContain(`id="step-${at}" tabindex="-1">`);
    expect(shown).toContain(`<summary aria-describedby="step-${at}">`);
  }
  // 「2/6」 is the sixth of February, or two sixths.
  expect(shown).toContain("手順2(全6手順)");
});

const onIphone = (kind: "apple-profile" | "apple-file"): string =>
  drawn("make", "ja", { installing: { kind, style: "compatible", browser: "safari" } });

it("gives an iPhone a profile without a password, and a way to a file and back", () => {
  const profile = onIphone("apple-profile");
  // What a reader says first is the title.
  expect(profile).toContain("<title>プロファイルを受け取ります ・");
  expect(profile.match(/action="([^"]+)"/g)).toEqual([
    'action="/way/profile"',
    'action="/way/checks"',
  ]);
  expect(profile).not.toMatch(/data-key-form|data-key="password"|href="data:/);
  expect(profile.match(/<section data-step=/g)).toHaveLength(
    stepsOf("apple-profile", "ja").length + 1,
  );
  expect(profile).toContain('href="/way?with=file"');
  expect(onIphone("apple-file")).toContain("data-key-form");
  expect(onIphone("apple-file")).toContain('href="/way"');
});

it("loads no more than 120 KB before somebody can begin, and no more for a whole installation", () => {
  const parts = [assets.portal, assets.way, assets.icon].map(({ body }) => body.length);
  for (const page of ["invited", "make"] as const) {
    const octets = parts.reduce((sum, each) => sum + each, Buffer.byteLength(drawn(page, "ja")));
    expect(octets).toBeLessThan(120_000);
  }
});

it.each([
  ["proven", "ja", "みずき薬歴を開く"],
  ["used", "ja", "みずき薬歴を開く"],
  ["proven", "en", "Open Mizuki Records"],
] as const)(
  "the page %s ends in the product, under the site's name, in %s",
  (page, language, words) => {
    const mizuki = loadSite({ file: "deploy/site.example.yaml" });
    const shown = drawn(page, language, { of: mizuki });
    const button = /<a class="button" href="([^"]*)"[^>]*>([^<]*)<\/a/.exec(shown);
    expect([button?.[1], button?.[2]?.trim()]).toEqual(["https://records.example.jp/", words]);
    expect(shown).toContain(`・ ${mizuki.name[language]}</title>`);
    expect(shown).toContain(`src="${loadAssets(mizuki).logo?.path}"`);
    // The one thing to do is the product; looking again is the other.
    expect(shown.match(/class="button\s*"/g)).toHaveLength(1);
  },
);
