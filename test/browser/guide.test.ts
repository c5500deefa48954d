import { type Browser, chromium } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { axeFindings } from "../support/axe.ts";
import { guidePage } from "../support/guide-page.ts";
import { AUDIT } from "../support/page-audit.ts";

/** Which of a picture's two drawings are shown, and what of them reaches over its edge. */
const LOOK = `(() => {
  const shown = [...document.querySelectorAll(".guide-picture svg")].filter((svg) => svg.getBoundingClientRect().width > 0);
  const outside = shown.flatMap((svg) => {
    const edge = svg.getBoundingClientRect();
    return [...svg.querySelectorAll("text, rect, circle")]
      .filter((shape) => {
        const { left, right, top, bottom } = shape.getBoundingClientRect();
        return left < edge.left || right > edge.right || top < edge.top || bottom > edge.bottom;
      })
      .map((shape) => shape.outerHTML);
  });
  const letters = Math.min(...shown.map((svg) => (15 * svg.getBoundingClientRect().width) / svg.viewBox.baseVal.width));
  return { kinds: [...new Set(shown.map((svg) => svg.classList[0]))], outside, letters };
})()`;

interface Look {
  readonly kinds: readonly string[];
  readonly outside: readonly string[];
  readonly letters: number;
}

const CASES = [
  { language: "ja", width: 1280, scheme: "light", kind: "across" },
  { language: "en", width: 820, scheme: "dark", kind: "across" },
  { language: "ja", width: 390, scheme: "dark", kind: "down" },
  { language: "ja", width: 320, scheme: "light", kind: "down" },
  { language: "en", width: 320, scheme: "dark", kind: "down" },
] as const;

describe("the drawings of the guides", () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await chromium.launch({
      executablePath: "/usr/bin/chromium",
      args: ["--no-sandbox"],
    });
  });
  afterAll(() => browser.close());

  it.for(CASES)("$language at $width px, $scheme", async ({ language, width, scheme, kind }) => {
    const viewport = { width, height: 800 };
    const page = await browser.newPage({ viewport, colorScheme: scheme });
    try {
      await page.setContent(guidePage(language).text);
      expect(await axeFindings(page)).toEqual([]);
      const audit = await page.evaluate<{ faults: string[]; seen: number }>(AUDIT);
      expect(audit.faults).toEqual([]);
      expect(audit.seen).toBeGreaterThan(100);
      const { kinds, outside, letters } = await page.evaluate<Look>(LOOK);
      expect(kinds).toEqual([kind]);
      expect(outside).toEqual([]);
      // On the narrowest of screens still to be read.
      expect(letters).toBeGreaterThan(11);
    } finally {
      await page.close();
    }
  });
});
