import { digitsForm } from "../digits-form.ts";
import { html, type Html } from "../html.ts";
import type { PortalContext } from "../portal-layout.ts";
import type { WayView } from "./way-page.ts";

const askForCode = (label: string): Html =>
  html`<form method="post" action="/way/code-mails">
    <button class="button quiet">${label}</button>
  </form>`;

/** The way that needs nobody else: a code to the person's own address. Once it was sent, its field. */
export function mailedCode({ words: { mailedCode: words } }: PortalContext, view: WayView): Html {
  const { mail, isWrongCode = false } = view;
  if (mail === undefined) return html``;
  const { address, sent } = mail;
  const { enter, hint, label, wrong } = words;
  if (sent === 0) return askForCode(words.ask(address));
  const form = { action: "/way/codes", label, hint, wrong, primary: enter, full: 6 };
  return html`<p>${words.sent(address)}</p>
    ${digitsForm(form, isWrongCode)} ${askForCode(words.again)}`;
}
