import { digitsForm } from "../digits-form.ts";
import { html, type Html } from "../html.ts";
import type { PortalContext } from "../portal-layout.ts";
import type { WayView } from "./way-page.ts";

const askForCode = (label: string): Html =>
  html`<form method="post" action="/way/code-mails">
    <button class="button quiet">${label}</button>
  </form>`;

/** The way that needs nobody else: a code to the person's own address. */
export function mailedCode({ words: { mailedCode: words } }: PortalContext, view: WayView): Html {
  const { mail, isWrongCode = false } = view;
  if (mail === undefined) return html``;
  const { address, sent } = mail;
  const { enter, label, wrong } = words;
  if (sent === 0)
    return html`<h2>${words.title}</h2>
      ${askForCode(words.ask(address))}`;
  return html`<h2>${words.title}</h2>
    <p role="status">${words.sent(address)}</p>
    ${digitsForm({ action: "/way/codes", label, wrong, primary: enter }, isWrongCode)}
    ${askForCode(words.again)}`;
}
