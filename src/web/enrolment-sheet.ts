import type { InlineStyle } from "./assets.ts";
import { dayAndTime } from "./dates.ts";
import { html, type Html } from "./html.ts";
import type { Language } from "./language.ts";
import { signWithin } from "./layout.ts";
import { SHEET_WORDS } from "./messages/sheet-words.ts";
import { qrPicture } from "./qr.ts";
import type { SiteFacts } from "./site.ts";

/** What stands on the paper beside one machine. */
interface CardFacts {
  readonly pharmacy: string;
  readonly device?: string;
  readonly code: string;
  readonly link: string;
  readonly expiresAt: Date;
}

/** What all cards share. */
export interface SheetContext {
  readonly language: Language;
  readonly timeZone: string;
  readonly site: SiteFacts;
  readonly style: InlineStyle;
  /** Where the code is typed. */
  readonly address: string;
}

/** Addresses are typed: what a browser adds by itself is left out. */
function typed(address: string): string {
  return address.replace(/^https:\/\//, "");
}

async function card(
  { pharmacy, device, code, link, expiresAt }: CardFacts,
  context: SheetContext,
): Promise<Html> {
  const { address, language, site } = context;
  const words = SHEET_WORDS[language];
  return html`<section class="card">
    <p class="brand">${signWithin(site)}${site.name[language]}</p>
    <h2>${words.title}</h2>
    <p class="whose">
      ${pharmacy}
      ${
        device === undefined
          ? html`<b class="unnamed">${words.unnamed}</b>`
          : html`<b>${device}</b>`
      }
    </p>
    <div class="way">
      <dl>
        <dt>${words.address}</dt>
        <dd>${typed(address)}</dd>
        <dt>${words.code}</dt>
        <dd class="code">${code}</dd>
        <dt>${words.until}</dt>
        <dd>${dayAndTime(expiresAt, context)}${words.untilAfter}</dd>
      </dl>
      ${await qrPicture(link, words.picture)}
    </div>
    <ol>
      ${words.steps.map((step) => html`<li>${step}</li>`)}
    </ol>
    <p class="safe">${words.safe}</p>
    <p class="support">
      ${words.support}: <b>${site.support?.[language] ?? words.supportUnnamed}</b>
    </p>
  </section> `;
}

/**
 * Cards to be printed and cut, a machine each: a page that carries everything within it, in parts as they are drawn.
 * @yields the head of the page, each card, and the end
 */
export async function* enrolmentSheet(
  cards: readonly CardFacts[],
  context: SheetContext,
): AsyncGenerator<string> {
  const { language, style } = context;
  const words = SHEET_WORDS[language];
  yield String(
    html`<!doctype html>
      <html lang="${language}">
        <head>
          <meta charset="utf-8" />
          <meta name="viewport" content="width=device-width, initial-scale=1" />
          <meta name="robots" content="noindex" />
          <title>${words.title}</title>
          ${style.tag}
        </head>
        <body>
          <p class="hint">${words.hint}</p>
          <main class="cards">
       `,
  );
  for (const facts of cards) yield String(await card(facts, context));
  yield "</main></body></html>";
}
