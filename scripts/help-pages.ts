/**
 * Writes the help pages that proxies give out, deploy/help/<reason>.html, from the template that the app listener uses.
 * With --check it fails when the committed ones were stale, and leaves the new ones in place.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";

import { loadHelpStyle } from "../src/web/assets.ts";
import { HELP_REASONS, helpPage } from "../src/web/help-page.ts";

const folder = new URL("../deploy/help/", import.meta.url);
mkdirSync(folder, { recursive: true });
const style = loadHelpStyle();
const stale = HELP_REASONS.filter((reason) => {
  const file = new URL(`${reason}.html`, folder);
  const page = String(helpPage(reason, { style }));
  if (existsSync(file) && readFileSync(file, "utf8") === page) return false;
  writeFileSync(file, page);
  return true;
});
if (process.argv.includes("--check") && stale.length > 0) {
  process.stderr.write(
    `deploy/help was not made from this src/web: commit what scripts/generate makes\n`,
  );
  process.exitCode = 1;
}
