import axe from "axe-core";
import type { Page } from "playwright-core";

interface Finding {
  readonly id: string;
  readonly nodes: readonly { readonly html: string; readonly failureSummary?: string }[];
}

/** WCAG 2.0 to 2.2, levels A and AA, and what axe-core holds for good practice. */
const ALL = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];

/**
 * What axe-core finds wrong with a page, each with the markup that it is about; nothing of a good one. Its script is evaluated
 * by the browser's debugger, where no policy of the page is in its way. `only` are rules, for a page that was judged by all before.
 */
export async function axeFindings(
  page: Page,
  ...only: readonly string[]
): Promise<readonly string[]> {
  const { violations } = await page.evaluate<{ violations: readonly Finding[] }>(
    `(() => { ${axe.source}; return axe.run(document, { runOnly: ${JSON.stringify(only.length > 0 ? only : ALL)} }); })()`,
  );
  return violations.flatMap(({ id, nodes }) =>
    nodes.map(({ html, failureSummary = "" }) => `${id}: ${html} ${failureSummary}`),
  );
}
