import type { Page } from "playwright-core";

/** What has the focus, and what is wrong with it: WCAG 2.2 §2.4.7 (its ring is seen) and §2.4.11 (it lies in the window). */
const FOCUS = `(() => {
  const at = document.activeElement;
  const { top, bottom, left, right } = at.getBoundingClientRect();
  const name = at.textContent.trim().replaceAll(/\\s+/g, " ");
  const faults = [];
  if (getComputedStyle(at).outlineStyle === "none") faults.push("no ring around " + name);
  if (top < 0 || left < 0 || bottom > innerHeight || right > innerWidth) faults.push("not in the window: " + name);
  return { name, faults: at === document.body ? [] : faults };
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
