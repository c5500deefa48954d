/** Does it once somebody looks: a tab behind others does nothing by itself. */
export function whenSeen(work: () => void): void {
  if (document.hidden) document.addEventListener("visibilitychange", work, { once: true });
  else work();
}

/** Where a step stands is above its heading. Who is led past it hears it after that; who reads on from above, not twice. */
function describe(heading: HTMLElement, id: string): void {
  heading.setAttribute("aria-describedby", id);
  const plain = (): void => heading.removeAttribute("aria-describedby");
  heading.addEventListener("blur", plain, { once: true });
}

/** Leads to what has come into view: to its first step, read from the top, where it has one. */
export function leadTo(element: HTMLElement): void {
  const step = element.querySelector<HTMLElement>("[data-step]");
  const heading = step?.querySelector<HTMLElement>("[tabindex]");
  if (step && heading) describe(heading, `place-${step.dataset["step"]}`);
  (heading ?? element).focus();
  step?.scrollIntoView();
}
