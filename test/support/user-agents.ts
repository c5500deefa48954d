import { readFileSync } from "node:fs";

import type { BrowserSigns } from "../../src/lifecycle/user-agent.ts";

/** Header fields that browsers have sent, from public collections of 2014 to 2026; `-` is a field that was not there. */
export const USER_AGENTS = readFileSync("test/testdata/user-agents.tsv", "utf8")
  .trim()
  .split("\n")
  .slice(1)
  .map((line) => line.split("\t").map((cell) => (cell === "-" ? undefined : cell)))
  .map((cells) => {
    const [name = "", platform, version, browser, bundle, inApp, faults = "", guide] = cells;
    const [touch, secChUaPlatform, secChUaPlatformVersion, userAgent] = cells.slice(8);
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
    return { name, signs, expected, guide };
  });
