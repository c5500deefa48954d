import { ICON, type InlineStyle } from "./assets.ts";
import { html, Html } from "./html.ts";
import { DROP } from "./layout.ts";
import { HELP_EN, type HelpMessages, type HelpReason } from "./messages/help-en.ts";
import { HELP_JA } from "./messages/help-ja.ts";

/** All reasons that have a page, in the order of the documentation. */
export const HELP_REASONS: readonly HelpReason[] = ["expired", "revoked", "none", "other"];

/** The reason that an address names. Whatever else it says is `other`: nobody is left without help. */
export function helpReason(asked: unknown): HelpReason {
  return HELP_REASONS.find((reason) => reason === asked) ?? "other";
}

/** What a help page knows besides its reason. */
export interface HelpFacts {
  readonly style: InlineStyle;
  /** Whom to call, with hours, on one line. Absent: the page names the support of the pharmacy's own system. */
  readonly support: string | undefined;
  /** The certificate's serial number, in hexadecimal. */
  readonly serialNumber?: string;
}

/** The signs on the certificate of the picture: a clock, a bar, a question mark; where there is none, its outline. */
const SIGNS: Readonly<Record<HelpReason, Html | undefined>> = {
  expired: html`<circle class="sign warn" cx="98" cy="66" r="17" />
    <path class="hand warn" d="M98 56v11l7 5" />`,
  revoked: html`<circle class="sign bad" cx="98" cy="66" r="17" />
    <path class="hand bad" d="M87 77l22-22" />`,
  none: undefined,
  other: html`<circle class="sign warn" cx="98" cy="66" r="17" />
    <path class="hand warn" d="M93 62a5 5 0 1 1 7 5q-2 1-2 3M98 75v.5" />`,
};

/** The device and its certificate. It says nothing that the words do not. */
function picture(reason: HelpReason): Html {
  const sheet = reason === "none" ? "sheet gone warn" : "sheet";
  const lines = html`<path class="rule" d="M66 36h28M66 46h28M66 56h14" />`;
  return html`<svg class="device" viewBox="0 0 160 128" aria-hidden="true">
    <rect class="body" x="14" y="6" width="132" height="90" rx="9" />
    <rect class="screen" x="24" y="16" width="112" height="70" rx="4" />
    <path class="body" d="M80 96v18M52 116h56" />
    <rect class="${sheet}" x="56" y="23" width="48" height="56" rx="4" />
    ${reason !== "none" && lines} ${SIGNS[reason]}
  </svg>`;
}

const FACE = html`<svg viewBox="0 0 64 72" aria-hidden="true">
  <path class="drop" d="M32 4C22 22 10 30 10 46a22 22 0 0 0 44 0C54 30 42 22 32 4Z" />
  <circle class="face" cx="25" cy="46" r="3" />
  <circle class="face" cx="39" cy="46" r="3" />
  <path class="smile" d="M26 54q6 5 12 0" />
</svg>`;

/** A telephone number as it is written in Japan, at home or from abroad. */
const TELEPHONE = /(?:\+81[- ]?|0)\d{1,4}[- ]\d{1,4}[- ]\d{3,4}/;

/** The support's line with its number, if there is one, as a link that a phone can dial (RFC 3966). */
function contact(line: string): Html {
  const found = TELEPHONE.exec(line);
  if (found === null) return html`${line}`;
  const [number] = found;
  const rest = line.slice(found.index + number.length);
  const address = `tel:${number.replaceAll(/[- ]/g, "")}`;
  return html`${line.slice(0, found.index)}<a href="${address}">${number}</a>${rest}`;
}

/** In fours, as people read numbers to each other. */
const inFours = (digits: string): string => digits.match(/.{1,4}/g)?.join(" ") ?? "";

/** What a part of the page is written from. */
interface Part {
  readonly words: HelpMessages;
  readonly reason: HelpReason;
  readonly facts: HelpFacts;
  /** Of the heading above: the page's own is 1. */
  readonly level: 1 | 2;
}

function heading({ level }: Part, below: 1 | 2, words: string): Html {
  const tag = `h${level + below}`;
  return Html.from([`<${tag}>`, `</${tag}>`], [words]);
}

function callBox(part: Part): Html {
  const { words, reason, facts } = part;
  const { support, serialNumber } = facts;
  const { call } = words;
  const serial =
    serialNumber !== undefined &&
    html`<li>${call.serial}<br /><code>${inFours(serialNumber)}</code></li>`;
  return html`<div class="aside">
    ${FACE}
    <div>
      ${heading(part, 2, call.title)}
      <p class="contact">${contact(support ?? call.support)}</p>
      <p>${call.tell}</p>
      <ul>
        <li>${call.pharmacy}</li>
        <li>${call.device}</li>
        <li>${call.seen(words.reasons[reason].state)}</li>
        ${serial}
      </ul>
    </div>
  </div>`;
}

/** All that follows the heading and its sentence: who is to try something first is shown afterwards whom to call. */
function advice(part: Part): Html {
  const { words, reason } = part;
  const { action, actionMore, steps, otherwise } = words.reasons[reason];
  const exception = html`<div class="otherwise">
    ${heading(part, 2, otherwise.title)}
    <p>${otherwise.text}</p>
  </div>`;
  const isCall = steps === undefined;
  const list = html`<ol class="steps">
    ${steps?.map((step) => html`<li><p>${step}</p></li>`)}
  </ol>`;
  return html`<div class="card first">
      ${heading(part, 1, words.next)}
      <p class="action">${action}</p>
      ${isCall ? html`<p>${actionMore}</p>` : [list, exception]} ${callBox(part)}
    </div>
    ${isCall && exception}`;
}

/** The icon within the page, where no second file can be asked for. */
const ICON_ADDRESS = `data:image/svg+xml,${encodeURIComponent(String(ICON).replaceAll(/\s+/g, " "))}`;

/**
 * The page for the person at the browser whom a proxy does not let in: what has happened, the one thing to do, whom to
 * call. In both languages at once and with all that it needs inside, so that any proxy can give it out as a file.
 */
export function helpPage(reason: HelpReason, facts: HelpFacts): Html {
  const [ja, en] = [HELP_JA.reasons[reason], HELP_EN.reasons[reason]];
  const tone = reason === "revoked" ? "bad" : "warn";
  return html`<!doctype html>
    <html lang="ja">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <meta name="robots" content="noindex" />
        <title>${ja.title}</title>
        <link rel="icon" href="${ICON_ADDRESS}" />
        ${facts.style.tag}
      </head>
      <body>
        <header class="masthead">
          <div class="wide">
            <p class="brand">${DROP}${HELP_JA.about}</p>
            <a href="#en" lang="en" hreflang="en">English</a>
          </div>
        </header>
        <main class="wide">
          <div class="what">
            ${picture(reason)}
            <div>
              <p class="chip ${tone}">${ja.state}</p>
              <h1>${ja.title}</h1>
              <p class="lead">${ja.lead}</p>
            </div>
          </div>
          ${advice({ words: HELP_JA, reason, facts, level: 1 })}
          <section id="en" lang="en" aria-labelledby="en-title" tabindex="-1">
            <p class="chip ${tone}">${en.state}</p>
            <h2 id="en-title">${en.title}</h2>
            <p class="lead">${en.lead}</p>
            ${advice({ words: HELP_EN, reason, facts, level: 2 })}
          </section>
        </main>
      </body>
    </html> `;
}
