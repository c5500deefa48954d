import "./key-form.ts";
import "./precheck.ts";

/**
 * What the pages of the way do by themselves. All words are the page's:
 *
 *   data-steps / data-step="1"      sections of which one is shown at a time; the address's fragment says which
 *   data-next, data-back            buttons to the one after and before
 *   data-await="ADDRESS" data-page  asks ADDRESS until it names another page, then loads /way and goes to its heading
 *   data-print                      a button that prints
 *   data-saw="NAME"                 told to the server when it is shown, or, of a link or a button, when it is pressed
 */

const ASK_MS = 3_000;

/** In the tab's own storage, from one page to the next: nobody has pressed anything, so the heading is to be read out. */
const MOVED = "suido-moved";

const all = (selector: string): readonly HTMLElement[] => [
  ...document.querySelectorAll<HTMLElement>(selector),
];

/** To a step so far from the one whose button was pressed. */
const go = (by: number) => (event: Event) => {
  const at = (event.currentTarget as HTMLElement).closest<HTMLElement>("[data-step]");
  location.hash = `step-${Number(at?.dataset["step"]) + by}`;
};

/** Where people stop is to be known. Nothing waits for it, and nothing is lost without it. */
function tell(element: HTMLElement | undefined): void {
  const step = element?.dataset["saw"];
  if (step === undefined) return;
  const body = new URLSearchParams({ step });
  fetch("/way/steps", { method: "POST", body, keepalive: true }).catch(() => undefined);
}

function stepThrough(root: HTMLElement): void {
  const steps = [...root.querySelectorAll<HTMLElement>("[data-step]")];
  const show = (isMoved: boolean): void => {
    const wanted = Number(/^#step-(\d+)$/.exec(location.hash)?.[1] ?? 1);
    for (const each of steps) each.hidden = Number(each.dataset["step"]) !== wanted;
    const shown = steps.find(({ dataset }) => Number(dataset["step"]) === wanted);
    tell(shown);
    if (isMoved) shown?.querySelector<HTMLElement>("h1, h2")?.focus();
  };
  for (const button of root.querySelectorAll("[data-next]"))
    button.addEventListener("click", go(1));
  for (const button of root.querySelectorAll("[data-back]"))
    button.addEventListener("click", go(-1));
  addEventListener("hashchange", () => {
    show(true);
    scrollTo(0, 0);
  });
  // The key was this tab's before it was loaded anew: whatever the address says, there is a file to make first.
  history.replaceState(null, "", location.pathname + location.search);
  show(false);
}

function goOn(element: HTMLElement): void {
  const address = element.dataset["await"] ?? "";
  const ask = async (): Promise<void> => {
    const reply = await fetch(address, { headers: { accept: "application/json" } });
    const { page } = (await reply.json()) as { readonly page?: string };
    if (page === undefined || page === element.dataset["page"]) return;
    sessionStorage.setItem(MOVED, page);
    location.assign("/way");
  };
  const askIfSeen = (): void => {
    // Whoever looks at the dialogs of the installation does not need it, and comes back to this tab.
    if (!document.hidden) ask().catch(() => undefined);
  };
  setInterval(askIfSeen, ASK_MS);
  document.addEventListener("visibilitychange", askIfSeen);
}

function readOut(): void {
  if (sessionStorage.getItem(MOVED) === null) return;
  sessionStorage.removeItem(MOVED);
  const heading = all("h1").find((each) => each.closest("[hidden]") === null);
  heading?.setAttribute("tabindex", "-1");
  heading?.focus();
}

for (const each of all("[data-steps]")) stepThrough(each);
for (const each of all("[data-await]")) goOn(each);
readOut();
for (const each of all("a[data-saw], button[data-saw]"))
  each.addEventListener("click", () => tell(each));
for (const each of all("[data-print]")) each.addEventListener("click", () => print());
