import { readFileSync } from "node:fs";

import fc from "fast-check";
import { expect, it } from "vitest";

import { type BrowserSigns, browserOf } from "../../../src/lifecycle/user-agent.ts";
import { PLATFORMS } from "../../../src/registry/vocabulary.ts";

/** Header fields that browsers have sent, from public collections of 2014 to 2026; `-` is a field that was not there. */
const ROWS = readFileSync("test/testdata/user-agents.tsv", "utf8")
  .trim()
  .split("\n")
  .slice(1)
  .map((line) => line.split("\t").map((cell) => (cell === "-" ? undefined : cell)))
  .map((cells) => {
    const [name = "", platform, version, browser, bundle, inApp, faults = "", touch] = cells;
    const [secChUaPlatform, secChUaPlatformVersion, userAgent] = cells.slice(8);
    const signs: BrowserSigns = {
      ...(userAgent !== undefined && { userAgent }),
      ...(secChUaPlatform !== undefined && { secChUaPlatform }),
      ...(secChUaPlatformVersion !== undefined && { secChUaPlatformVersion }),
      ...(touch !== undefined && { touchPoints: Number(touch) }),
    };
    const expected = {
      platform,
      ...(version !== undefined && { version }),
      browser,
      bundle,
      ...(inApp !== undefined && { inApp }),
      needsSafari: faults.includes("needs-safari"),
      isUnsupported: faults.includes("unsupported"),
    };
    return { name, signs, expected };
  });

it("has at least forty, and each platform among them", () => {
  expect(new Set(ROWS.map(({ signs }) => signs.userAgent)).size).toBeGreaterThanOrEqual(40);
  expect(new Set(ROWS.map(({ expected }) => expected.platform))).toEqual(new Set(PLATFORMS));
});

it.for(ROWS)("$name", ({ signs, expected }) => {
  expect(browserOf(signs)).toEqual(expected);
});

it("takes whatever is sent, and in time", () => {
  const pieces = fc.constantFrom("(", "iPhone", "Version/", "9", "Safari/", " ", "; wv)", "_", '"');
  const text = fc.oneof(
    fc.string(),
    fc.array(pieces, { minLength: 2000, maxLength: 3000 }).map((all) => all.join("")),
  );
  const signs = fc.record({
    userAgent: text,
    secChUaPlatform: text,
    secChUaPlatformVersion: text,
    touchPoints: fc.integer(),
  });
  fc.assert(
    fc.property(signs, (sent) => {
      const began = performance.now();
      expect(browserOf(sent).platform).toMatch(/^[a-z]+$/);
      expect(performance.now() - began).toBeLessThan(500);
    }),
  );
});
