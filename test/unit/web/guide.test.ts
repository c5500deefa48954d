import { describe, expect, it } from "vitest";

import { PAGE_STEPS } from "../../../src/lifecycle/enrolment-steps.ts";
import {
  chooseNewerPicture,
  closeBrowserPicture,
  type GuideStep,
  guideOf,
} from "../../../src/web/guide/guide.ts";
import { GUIDE_EN } from "../../../src/web/messages/guide-en.ts";
import { GUIDE_JA } from "../../../src/web/messages/guide-ja.ts";
import { BROWSERS, GUIDES, LANGUAGES, NAMES, TWO } from "../../support/guide-page.ts";

const MESSAGES = { ja: GUIDE_JA, en: GUIDE_EN };

/** Clicks or taps that a person may be asked for in the dialogs, at most; with the pages': `action-budget.ts`. */
const BUDGET: Readonly<Record<string, number>> = {
  windows: 10,
  "macos-profile": 9,
  "apple-profile": 9,
  android: 7,
};

const CASES = LANGUAGES.flatMap((language) =>
  GUIDES.map(([kind, browser]) => ({ kind, browser, language })),
);

/** The drawings of a picture, each with what it says and its numbers. */
const drawingsOf = (picture: GuideStep["picture"]): readonly string[] =>
  picture.text.match(/<svg.*?<\/svg>/gs) ?? [];

const numbersOf = (drawing: string): readonly number[] =>
  [...drawing.matchAll(/<g class="mark"\s*>.*?<text[^>]*>(\d)<\/text/gs)].map(([, found]) =>
    Number(found),
  );

const textsOf = (drawing: string): readonly string[] =>
  [...drawing.matchAll(/<text[^>]*>([^<]*)<\/text/gs)].map(([, found = ""]) => found);

const oneTo = (last: number): readonly number[] => Array.from({ length: last }, (_, at) => at + 1);

function stringsIn(value: unknown): readonly string[] {
  if (typeof value === "string") return [value];
  return typeof value === "object" && value !== null
    ? Object.values(value).flatMap((each) => stringsIn(each))
    : [];
}

const unescaped = (text: string): string =>
  text.replaceAll("&quot;", '"').replaceAll("&#39;", "'").replaceAll("&amp;", "&");

describe.for(CASES)("$kind with $browser in $language", ({ kind, browser, language }) => {
  const guide = guideOf(kind, { ...NAMES, browser, language });
  const pictures = guide.steps.map(({ picture }) => picture);

  it("ends with the browser's question, and every step has an id of its own", () => {
    const ids = guide.steps.map(({ id }) => id);
    expect(ids.at(-1)).toBe("pick");
    expect(ids).toEqual([...new Set(ids)]);
    expect(ids.length).toBeGreaterThan(3);
    const last = guide.steps.at(-1);
    expect(last?.dos.join("")).toContain(NAMES.certificateName);
    expect(last?.picture.text).toContain(NAMES.certificateName);
  });

  it.for(guide.steps)("says $id with the numbers of its drawings", ({ picture, dos }) => {
    const drawings = drawingsOf(picture);
    expect(drawings).toHaveLength(2);
    for (const drawing of drawings) {
      const numbers = numbersOf(drawing);
      expect([...numbers].toSorted((a, b) => a - b)).toEqual(oneTo(dos.length));
      expect(drawing).toMatch(/role="img"><title>[^<]+<\/title>/);
    }
  });

  it("asks for the password exactly where a file needs one", () => {
    const asked = guide.steps.filter(({ needsPassword }) => needsPassword);
    expect(asked).toHaveLength(kind.endsWith("-profile") ? 0 : 1);
  });

  it("draws only words of the catalogue and the two names", () => {
    const known = [...stringsIn(MESSAGES[language].dialogs), ...Object.values(NAMES), "Safari"];
    const all = known.join("\n").replaceAll(" ", "");
    const drawn = pictures
      .flatMap((picture) => textsOf(picture.text))
      .map((text) => unescaped(text).replaceAll(" ", ""));
    expect(drawn.length).toBeGreaterThan(20);
    const strange = drawn.filter(
      (text) => !/^\d$/.test(text) && !text.split("…").every((part) => all.includes(part)),
    );
    expect(strange).toEqual([]);
  });

  it("has no style of its own, which the policy of the pages forbids, and leaves no gap to fill", () => {
    const all = pictures.map(({ text }) => text).join("");
    expect(all).not.toMatch(/\sstyle=|<style|\son\w+=|<script|NaN|undefined/);
    expect(JSON.stringify(guide.steps)).not.toMatch(/\{\w+\}/);
  });

  it("keeps to its budget of clicks and of bytes", () => {
    expect(guide.actions).toBeLessThanOrEqual(BUDGET[kind] ?? 14);
    for (const { id } of guide.steps) expect(PAGE_STEPS).toContain(id);
    expect(guide.actions).toBeGreaterThanOrEqual(guide.steps.length);
    expect(guide.minutes).toBeLessThanOrEqual(3);
    expect(pictures.join("").length).toBeLessThan(45_000);
  });

  it("has for every step what to do when something else is seen", () => {
    for (const { troubles, done, title } of guide.steps) {
      expect(troubles).not.toEqual([]);
      expect([done, title]).not.toContain("");
    }
    const words = guide.steps.flatMap(({ dos }) => dos).join("");
    const isTouched = kind.startsWith("apple") || kind === "android";
    expect(words).not.toMatch(isTouched ? /クリック|\bclick/i : /タップ|\btap\b/i);
  });
});

it("leaves the certificate's name to the page where it is not yet known", () => {
  const { fileName } = NAMES;
  const { steps } = guideOf("windows", { fileName, browser: "chrome", language: "ja" });
  const last = steps.at(-1);
  expect(last?.dos.join("")).toContain("{certificate}");
  expect(last?.picture.text).toMatch(/data-key="name"[^>]*>…<\/text/);
});

it("escapes the names that it draws", () => {
  const names = { fileName: "<b>&.p12", certificateName: '"><script>' };
  const { steps } = guideOf("windows", { ...names, browser: "chrome", language: "en" });
  const all = steps.map(({ picture }) => picture.text).join("");
  expect(all).toContain("&lt;b&gt;&amp;.p12");
  expect(all).not.toMatch(/<b>|<script/);
});

describe.for(LANGUAGES)("how a browser is closed, in %s", (language) => {
  it.for(BROWSERS)("%s: two numbers and two sentences", (browser) => {
    const { picture, dos } = closeBrowserPicture(browser, language);
    const drawings = drawingsOf(picture);
    expect(drawings).toHaveLength(2);
    for (const drawing of drawings) expect(numbersOf(drawing)).toEqual(oneTo(dos.length));
  });
});

describe.for(LANGUAGES)("how the newer of two is chosen, in %s", (language) => {
  it.for(GUIDES)(
    "%s with %s: both are to be seen, and the newer is the one with the number",
    ([kind, browser]) => {
      const { picture, dos } = chooseNewerPicture({ kind, browser }, language, TWO);
      for (const drawing of drawingsOf(picture)) {
        expect(numbersOf(drawing)).toEqual(oneTo(dos.length));
        const texts = textsOf(drawing);
        expect(texts).toContain(TWO.newer);
        // Firefox has a list that is closed; elsewhere the older one stands above.
        const names = texts.filter((each) => each === TWO.older || each === TWO.newer);
        expect(names).toEqual(browser === "firefox" ? [TWO.newer] : [TWO.older, TWO.newer]);
      }
      expect(dos.join("")).toContain(TWO.newer);
      expect(dos.join("")).not.toContain("{");
    },
  );
});
