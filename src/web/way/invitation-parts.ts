import { html, type Html } from "../html.ts";
import { type PortalContext, spelled } from "../portal-layout.ts";

/** What opens the way of one more machine. */
export interface AnotherView {
  /** The short address. */
  readonly start: string;
  readonly code: string;
  /** A QR code of the link. */
  readonly picture: Html;
}

/** 「もう1台に入れる」, where the person has just been through it. */
export const askForAnother = ({ words }: PortalContext): Html =>
  html`<form method="post" action="/way/another">
    <button class="button quiet">${words.another.ask}</button>
  </form>`;

/** What is typed or photographed on the other machine. */
export function anotherMachine(
  { words }: PortalContext,
  { start, code, picture }: AnotherView,
): Html {
  const { address, code: name, until } = words.another;
  return html`<div class="invitation">
      ${picture}
      <dl class="facts">
        <dt>${address}</dt>
        <dd class="address">${start.replace(/^https?:\/\//, "")}</dd>
        <dt>${name}</dt>
        <dd>${spelled(code)}</dd>
      </dl>
    </div>
    <p class="soft">${until}</p>
    <p><a class="button" href="/way">${words.pages.another.primary}</a></p>`;
}

/** What somebody has in hand whose invitation is over. */
export interface InHandView {
  readonly token?: string;
  readonly code?: string;
}

/** 「新しいご案内を送る」: to the address that the account has, whoever presses it. */
export function sendAnew({ words }: PortalContext, { token, code }: InHandView): Html {
  const [name, value] = token === undefined ? ["code", code] : ["token", token];
  return html`<form method="post" action="/start/anew">
    <input type="hidden" name="${name}" value="${value}" />
    <button class="button">${words.pages.lapsed.primary}</button>
  </form>`;
}

/** Where it went, as its owner knows the address. */
export const sentTo = ({ words }: PortalContext, address: string): Html =>
  html`<dl class="facts">
    <dt>${words.sentTo}</dt>
    <dd>${address}</dd>
  </dl>`;
