import type { Page } from "playwright-core";

interface Value {
  readonly value?: unknown;
}

/** A node of the tree that a browser hands to screen readers, as its debugger shows it. */
interface Node {
  readonly ignored: boolean;
  readonly role?: Value;
  readonly name?: Value;
  readonly properties?: readonly { readonly name: string; readonly value: Value }[];
}

/** What is pressed or typed into, or looked at: without a name readers only say what kind of thing it is. */
const NAMED: ReadonlySet<unknown> = new Set([
  "button",
  "DisclosureTriangle",
  "image",
  "link",
  "radio",
  "textbox",
]);

/**
 * Links of one name that lead to different places; what points to an element that is not there; and what is to be said when it
 * changes, but stands there from the beginning. What the page's script has found wrong with the device came afterwards.
 */
const IN_PAGE = `(() => {
  const faults = [];
  const places = new Map();
  for (const link of document.querySelectorAll("a[href]")) {
    if (!link.checkVisibility()) continue;
    const name = link.textContent.trim();
    const place = places.get(name) ?? link.href;
    if (place !== link.href) faults.push("two links are called " + name);
    places.set(name, place);
  }
  for (const attribute of ["aria-describedby", "aria-labelledby"])
    for (const at of document.querySelectorAll("[" + attribute + "]"))
      for (const id of at.getAttribute(attribute).split(" "))
        if (!document.getElementById(id)?.textContent.trim()) faults.push(attribute + " of nothing: " + id);
  for (const live of document.querySelectorAll("[role=status], [role=alert], [aria-live]:not(.prechecks)"))
    if (live.checkVisibility() && live.innerText.trim()) faults.push("said before all else: " + live.innerText);
  return faults;
})()`;

/**
 * What somebody who listens to a page that has just come would miss, and axe-core does not hold: its heading first and only
 * once; a name for whatever can be pressed and each drawing that is not silent; nothing said out of turn, before the title;
 * links that can be told apart in a list of them. Nothing of a good page.
 */
export async function readerFindings(page: Page): Promise<readonly string[]> {
  const session = await page.context().newCDPSession(page);
  const { nodes } = (await session.send("Accessibility.getFullAXTree")) as {
    readonly nodes: readonly Node[];
  };
  await session.detach();
  const shown = nodes.filter(({ ignored }) => !ignored);
  const property = ({ properties = [] }: Node, wanted: string): unknown =>
    properties.find(({ name }) => name === wanted)?.value.value;
  const headings = shown.filter(({ role }) => role?.value === "heading");
  const levels = headings.map((node) => property(node, "level"));
  const faults: string[] = [];
  if (levels[0] !== 1 || levels.lastIndexOf(1) !== 0) faults.push(`headings: ${levels.join(", ")}`);
  for (const { role, name } of shown)
    if (NAMED.has(role?.value) && (name?.value ?? "") === "")
      faults.push(`a ${String(role?.value)} has no name`);
  return [...faults, ...(await page.evaluate<string[]>(IN_PAGE))];
}
