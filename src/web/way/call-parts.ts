import { html, type Html } from "../html.ts";
import { type PortalContext, spoken, supportLine } from "../portal-layout.ts";

/** Whom to call, where that is the way on. */
export const callLine = (context: PortalContext): Html =>
  html`<p class="read-aloud"><span>${supportLine(context)}</span></p>`;

/** The number by which support finds the person's page, where there is one. */
export const numberLine = (
  { words }: PortalContext,
  { supportNumber }: { readonly supportNumber?: string },
): Html | false =>
  supportNumber !== undefined &&
  html`<p class="read-aloud">
    <span>${words.supportNumber}</span>
    ${spoken(supportNumber)}
  </p>`;
