import { describe, expect, it } from "vitest";

import { plainSite } from "../../../src/config/site.ts";
import { loadAssets } from "../../../src/web/assets.ts";
import {
  emergencyPage,
  type EmergencyPageView,
} from "../../../src/web/emergency/emergency-page.ts";
import {
  EMERGENCY_EVENTS,
  EMERGENCY_PAGES,
  EMERGENCY_TABLE,
  type EmergencyFacts,
  emergencyPageOf,
} from "../../../src/web/emergency/states.ts";
import { EMERGENCY_WORDS } from "../../../src/web/messages/emergency.ts";
import { WAY_EN } from "../../../src/web/messages/way-en.ts";
import { WAY_JA } from "../../../src/web/messages/way-ja.ts";

const site = plainSite("サポート 0120-000-000(平日 9時〜19時)");
const assets = loadAssets(site);
const PERSON = {
  hasApp: true,
  hasPasskey: false,
  pharmacies: [
    { id: "1", name: "みずき薬局 <本店>", left: 2, devices: [{ id: "a", name: "受付1号機" }] },
    { id: "2", name: "駅前店", left: 0, devices: [] },
  ],
};

function drawn(view: EmergencyPageView, language: "ja" | "en" = "ja"): string {
  const words = { ja: WAY_JA, en: WAY_EN }[language];
  const context = { language, words, assets, timeZone: "Asia/Tokyo", site, path: "/emergency" };
  return String(emergencyPage(view, context));
}

describe("the state table of an emergency", () => {
  it.each(EMERGENCY_PAGES)("leads on from %s, to pages that there are", (page) => {
    const row = Object.entries(EMERGENCY_TABLE[page]);
    expect(row.length).toBeGreaterThan(0);
    for (const [event, pages] of row) {
      expect(EMERGENCY_EVENTS).toContain(event);
      for (const next of pages) expect([...EMERGENCY_PAGES, "way"]).toContain(next);
    }
  });

  const views = EMERGENCY_PAGES.flatMap((page) =>
    (["ja", "en"] as const).map((language) => [page, language] as const),
  );
  it.each(views)("has one thing to do and whom to call on %s in %s", (page, language) => {
    const shown = drawn({ page, person: PERSON }, language);
    const { primary, title } = EMERGENCY_WORDS[language].pages[page];
    expect(shown).toContain(`<h1>${title}</h1>`);
    expect(shown.match(/class="button\s*"/g)).toHaveLength(1);
    expect(shown).toContain(primary);
    expect(shown).toContain('href="tel:0120000000"');
    expect(shown).not.toMatch(/undefined|>false|<本店>/);
  });

  const first = { hasSecond: false, person: PERSON };
  const lockedUntil = new Date("2026-11-22T12:00:00Z");
  it.for<[string, EmergencyFacts]>([
    ["code", { hasSecond: false }],
    ["factor", first],
    ["locked", { ...first, person: { ...PERSON, lockedUntil } }],
    ["factor", { ...first, person: { ...PERSON, lockedUntil, hasPasskey: true } }],
    ["unprepared", { ...first, person: { ...PERSON, hasApp: false } }],
    ["not-allowed", { ...first, person: { ...PERSON, pharmacies: [] } }],
    ["choose", { hasSecond: true, person: PERSON }],
    ["used-up", { hasSecond: true, person: { ...PERSON, pharmacies: [{ left: 0 }] } }],
  ])("decides on %s", ([page, facts]) => {
    expect(emergencyPageOf(facts)).toBe(page);
  });
});

it("offers a passkey beside the app, or alone where the app is locked", () => {
  const both = drawn({ page: "factor", person: { ...PERSON, hasPasskey: true } });
  expect(both).toContain('class="button quiet"');
  expect(both).toContain('data-passkey="use"');
  const person = { ...PERSON, hasPasskey: true, lockedUntil: new Date("2026-11-22T12:00:00Z") };
  const alone = drawn({ page: "factor", person });
  expect(alone).not.toContain("/emergency/app-codes");
  expect(alone.match(/class="button\s*"/g)).toHaveLength(1);
});

it("goes on as who has signed in with the site's own provider", () => {
  const shown = drawn({ page: "start", signedInAs: "薬師 太郎" });
  expect(shown).toContain("薬師 太郎 さんとして続ける");
  expect(shown.match(/class="button\s*"/g)).toHaveLength(1);
});
