import type { Page } from "playwright-core";

/** What has the focus, and what is wrong with it: WCAG 2.2 §2.4.7 (its ring is seen) and §2.4.11 (it lies in the window). */
const FOCUS = `(async () => {
  // A page that scrolls to what has the focus does so with the next frame.
  for (let frame = 0; frame < 2; frame += 1) await new Promise((resolve) => requestAnimationFrame(resolve));
  const at = document.activeElement ?? document.body;
  const { top, bottom, left, right } = at.getBoundingClientRect();
  const name = at.textContent.trim().replaceAll(/\\s+/g, " ");
  const faults = [];
  if (getComputedStyle(at).outlineStyle === "none") faults.push("no ring around " + name);
  // Browsers scroll by whole pixels.
  const within = (from, to, size) => from > -1 && to < size + 1;
  if (!within(top, bottom, innerHeight) || !within(left, right, innerWidth)) faults.push("not in the window: " + name);
  const isNone = at === document.body;
  return { name, isNone, faults: isNone ? [] : faults };
})()`;

/** More than any page has. */
const MOST_STOPS = 40;

/** What has the focus, by its text. */
export async function focused(page: Page): Promise<string> {
  return (await page.evaluate<{ name: string }>(FOCUS)).name;
}

/** Goes on with the Tab key to what has this text, and presses it there. Throws when it is not reached, or a stop cannot be seen. */
export async function pressByKey(page: Page, name: string, key = "Enter"): Promise<void> {
  const seen: string[] = [];
  for (let stop = 0; stop < MOST_STOPS; stop += 1) {
    await page.keyboard.press("Tab");
    const at = await page.evaluate<{ name: string; faults: readonly string[] }>(FOCUS);
    if (at.faults.length > 0) throw new Error(at.faults.join("; "));
    seen.push(at.name);
    if (at.name === name) return page.keyboard.press(key);
  }
  throw new Error(`no Tab stop is called ${name}: ${seen.join(", ")}`);
}

/** Goes through a page from its beginning with the Tab key: what can be pressed, by its text. Throws for a stop that cannot be seen. */
export async function stopsByKey(page: Page): Promise<readonly string[]> {
  await page.evaluate("document.activeElement?.blur()");
  await page.evaluate("getSelection()?.collapse(document.body, 0)");
  const stops: string[] = [];
  for (let stop = 0; stop < MOST_STOPS; stop += 1) {
    await page.keyboard.press("Tab");
    const at = await page.evaluate<{ name: string; isNone: boolean; faults: readonly string[] }>(
      FOCUS,
    );
    if (at.isNone || at.name === stops[0]) return stops;
    if (at.faults.length > 0) throw new Error(at.faults.join("; "));
    stops.push(at.name);
  }
  throw new Error(`there is no end: ${stops.join(", ")}`);
}
