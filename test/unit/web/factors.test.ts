import { expect, it } from "vitest";

import { plainSite } from "../../../src/config/site.ts";
import { loadAssets } from "../../../src/web/assets.ts";
import { factorPage } from "../../../src/web/factors/factor-page.ts";
import { FACTOR_EVENTS, FACTOR_PAGES, FACTOR_TABLE } from "../../../src/web/factors/states.ts";
import { FACTOR_WORDS } from "../../../src/web/messages/factors.ts";
import { WAY_EN } from "../../../src/web/messages/way-en.ts";
import { WAY_JA } from "../../../src/web/messages/way-ja.ts";

const site = plainSite("サポート 0120-000-000(平日 9時〜19時)");
const assets = loadAssets(site);
const VIEW = {
  token: "00112233445566778899aabbccddeeff",
  key: { uri: "otpauth://totp/a?secret=GEZD", text: "GEZD GNBV" },
  emergencyUrl: "https://suido.example.jp/emergency",
};

it.each(FACTOR_PAGES)("leads on from %s, to pages that there are", (page) => {
  const row = Object.entries(FACTOR_TABLE[page]);
  expect(row.length).toBeGreaterThan(0);
  for (const [event, next] of row) {
    expect(FACTOR_EVENTS).toContain(event);
    expect(FACTOR_PAGES).toContain(next);
  }
});

it("keeps the address of the night on the sheet that is printed", () => {
  const fixed = { words: WAY_JA, assets, timeZone: "Asia/Tokyo", site, path: "/factors" };
  const factors = [{ id: "1", kind: "passkey", createdAt: new Date("2026-11-20") }] as const;
  const drawn = String(
    factorPage({ ...VIEW, page: "list", factors }, { ...fixed, language: "ja" }),
  );
  const [, kept = ""] = drawn.split('class="notice kept done"');
  expect(kept).toContain(VIEW.emergencyUrl);
  expect(String(assets.portal.body)).toContain(".notice:not(.kept)");
});

it.each(
  FACTOR_PAGES.flatMap((page) =>
    (["ja", "en"] as const).map((language) => [page, language] as const),
  ),
)("has one thing to do and whom to call on %s in %s", (page, language) => {
  const words = { ja: WAY_JA, en: WAY_EN }[language];
  const context = { language, words, assets, timeZone: "Asia/Tokyo", site, path: "/factors" };
  const drawn = String(factorPage({ ...VIEW, page }, context));
  const { primary, title } = FACTOR_WORDS[language].pages[page];
  expect(drawn).toContain(`<h1>${title}</h1>`);
  expect(drawn.match(/class="button\s*"/g)).toHaveLength(1);
  expect(drawn).toContain(primary);
  expect(drawn).toContain('href="tel:0120000000"');
  expect(drawn).not.toContain("undefined");
});
