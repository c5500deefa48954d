/** Does it once somebody looks: a tab behind others does nothing by itself. */
export function whenSeen(work: () => void): void {
  if (document.hidden) document.addEventListener("visibilitychange", work, { once: true });
  else work();
}

/** Leads to what has come into view: to its first step, read from the top, where it has one. */
export function leadTo(element: HTMLElement): void {
  const step = element.querySelector<HTMLElement>("[data-step]");
  (step?.querySelector<HTMLElement>("[tabindex]") ?? element).focus();
  step?.scrollIntoView();
}
