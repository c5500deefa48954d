import fc from "fast-check";
import { expect, it } from "vitest";

import { browserOf } from "../../../src/lifecycle/user-agent.ts";
import { PLATFORMS } from "../../../src/registry/vocabulary.ts";
import { USER_AGENTS } from "../../support/user-agents.ts";

it("has at least forty, and each platform among them", () => {
  expect(new Set(USER_AGENTS.map(({ signs }) => signs.userAgent)).size).toBeGreaterThanOrEqual(40);
  expect(new Set(USER_AGENTS.map(({ expected }) => expected.platform))).toEqual(new Set(PLATFORMS));
});

it.for(USER_AGENTS)("$name", ({ signs, expected }) => {
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
