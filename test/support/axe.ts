import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

import type { Page } from "playwright-core";

const require = createRequire(import.meta.url);

/** The small form: reading the other takes a browser longer than judging a page. */
const AXE = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");

interface Finding {
  readonly id: string;
  readonly nodes: readonly { readonly html: string; readonly failureSummary?: string }[];
}

/** WCAG 2.0 to 2.2, levels A and AA, and what axe-core holds for good practice. */
const ALL = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];

/**
 * What axe-core finds wrong with a page, each with the markup that it is about; nothing of a good one. Its script is evaluated
 * by the browser's debugger, where no policy of the page is in its way.
 */
export async function axeFindings(page: Page): Promise<readonly string[]> {
  const { violations } = await page.evaluate<{ violations: readonly Finding[] }>(
    `(() => { ${AXE}; return axe.run(document, { runOnly: ${JSON.stringify(ALL)}, resultTypes: ["violations"] }); })()`,
  );
  return violations.flatMap(({ id, nodes }) =>
    nodes.map(({ html, failureSummary = "" }) => `${id}: ${html} ${failureSummary}`),
  );
}
