import "./key-form.ts";
import "./precheck.ts";

import { leadTo, whenSeen } from "./tab.ts";

/**
 * What the pages of the way do by themselves. All words are the page's:
 *
 *   data-auto                       a form that is sent without a press, once somebody looks
 *   data-leads                      a form whose answer is no page: when it is sent, the steps in data-guide are next
 *   data-await="ADDRESS" data-page  asks ADDRESS until it names another page, then loads /way and goes to its heading
 *   data-full="8"                   a field whose form is sent when so many letters and digits are in it
 *   data-print                      a button that prints
 *   data-saw="NAME"                 told to the server when the middle of the window is in it, or, of a link or a button,
 *                                   when it is pressed
 */

const ASK_MS = 3_000;

/** In the tab's own storage, from one page to the next: nobody has pressed anything, so the heading is to be read out. */
const MOVED = "suido-moved";

const all = (selector: string): readonly HTMLElement[] => [
  ...document.querySelectorAll<HTMLElement>(selector),
];

/** Where people stop is to be known. Nothing waits for it, and nothing is lost without it. */
function tell(element: HTMLElement | undefined): void {
  const step = element?.dataset["saw"];
  if (step === undefined) return;
  const body = new URLSearchParams({ step });
  fetch("/way/steps", { method: "POST", body, keepalive: true }).catch(() => undefined);
}

function tellSeen(changes: readonly IntersectionObserverEntry[]): void {
  for (const { isIntersecting, target } of changes) if (isIntersecting) tell(target as HTMLElement);
}

/** Nothing is pressed to go from one step to the next: what is before the person is where they have scrolled to. */
function watch(steps: readonly HTMLElement[]): void {
  const observer = new IntersectionObserver(tellSeen, { rootMargin: "-50% 0px" });
  for (const each of steps) observer.observe(each);
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

/** Hyphens and spaces are the person's own. While a Japanese keyboard is still composing, nothing is typed yet. */
function sendWhenFull(field: HTMLInputElement): void {
  const look = (event: Event): void => {
    if (event instanceof InputEvent && event.isComposing) return;
    const { length } = field.value.normalize("NFKC").replaceAll(/[^0-9a-z]/gi, "");
    if (length === Number(field.dataset["full"])) field.form?.requestSubmit();
  };
  for (const type of ["input", "compositionend"]) field.addEventListener(type, look);
}

watch(all("[data-step]"));
for (const each of all("[data-await]")) goOn(each);
readOut();
for (const each of all("a[data-saw], button[data-saw]"))
  each.addEventListener("click", () => tell(each));
for (const each of all("[data-print]")) each.addEventListener("click", () => print());
for (const field of document.querySelectorAll<HTMLInputElement>("input[data-full]"))
  sendWhenFull(field);
for (const form of all("form[data-leads]"))
  form.addEventListener("submit", () => {
    const guide = form.closest("[data-steps]")?.querySelector<HTMLElement>("[data-guide]");
    // After the form is on its way: what moves the window before keeps some browsers from sending it.
    if (guide) setTimeout(() => leadTo(guide));
  });
// Not before the page is there: what it is answered with may be a file, and then this page is the one that stays.
addEventListener("load", () => {
  for (const form of document.querySelectorAll<HTMLFormElement>("form[data-auto]"))
    whenSeen(() => form.requestSubmit());
});
