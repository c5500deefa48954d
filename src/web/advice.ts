import { ICON } from "./assets.ts";
import { type Child, html, Html } from "./html.ts";

/** What has happened to a device, and what its person does next, in one language. */
export interface AdviceWords {
  /** The state in a word, as support asks for it. */
  readonly state: string;
  readonly title: string;
  readonly lead: string;
  /** The one thing to do next. */
  readonly action: string;
  readonly actionMore?: string;
  /** How to do it, where it takes more than a call. */
  readonly steps?: readonly string[];
  /** When the one thing is not the right one. */
  readonly otherwise: Exception;
  /** What is good to do when it has worked. */
  readonly afterwards?: Exception;
}

interface Exception {
  readonly title: string;
  readonly text: string;
}

/** The words around whom to call. */
export interface CallWords {
  readonly title: string;
  /** For pages that know no number. */
  readonly support: string;
  readonly tell: string;
  readonly pharmacy: string;
  readonly device: string;
  readonly seen: (state: string) => string;
  readonly serial: string;
}

/** The device and its certificate, with a sign on it and the class of its sheet. It says nothing that the words do not. */
export function devicePicture(sign: Html | undefined, sheet = "sheet"): Html {
  const lines = html`<path class="rule" d="M66 36h28M66 46h28M66 56h14" />`;
  return html`<svg class="device" viewBox="0 0 160 128" aria-hidden="true">
    <rect class="body" x="14" y="6" width="132" height="90" rx="9" />
    <rect class="screen" x="24" y="16" width="112" height="70" rx="4" />
    <path class="body" d="M80 96v18M52 116h56" />
    <rect class="${sheet}" x="56" y="23" width="48" height="56" rx="4" />
    ${sign !== undefined && lines} ${sign}
  </svg>`;
}

export const FACE = html`<svg viewBox="0 0 64 72" aria-hidden="true">
  <path class="drop" d="M32 4C22 22 10 30 10 46a22 22 0 0 0 44 0C54 30 42 22 32 4Z" />
  <circle class="face" cx="25" cy="46" r="3" />
  <circle class="face" cx="39" cy="46" r="3" />
  <path class="smile" d="M26 54q6 5 12 0" />
</svg>`;

/** A telephone number as it is written in Japan, at home or from abroad. */
const TELEPHONE = /(?:\+81[- ]?|0)\d{1,4}[- ]\d{1,4}[- ]\d{3,4}/;

/** The support's line with its number, if there is one, as a link that a phone can dial (RFC 3966). */
export function contact(line: string): Html {
  const found = TELEPHONE.exec(line);
  if (found === null) return html`${line}`;
  const [number] = found;
  const rest = line.slice(found.index + number.length);
  const address = `tel:${number.replaceAll(/[- ]/g, "")}`;
  return html`${line.slice(0, found.index)}<a href="${address}">${number}</a>${rest}`;
}

/** In fours, as people read numbers to each other. */
export const inFours = (digits: string): string => digits.match(/.{1,4}/g)?.join(" ") ?? "";

/** What the advice of a page is written from. */
export interface Advice {
  /** Above the one thing to do. */
  readonly next: string;
  readonly call: CallWords;
  readonly said: AdviceWords;
  /** Whom to call, with hours, on one line. */
  readonly support: string | undefined;
  /** The certificate's serial number, in hexadecimal. */
  readonly serialNumber?: string;
  /** Where nothing is wrong: whom to call, without what to tell them. */
  readonly isWell?: boolean;
  /** How another certificate is chosen, as a drawing: beside the sentences that say so. */
  readonly picture?: Html;
  /** What is done, drawn and in its own sentences, where it is more than steps. */
  readonly remedy?: Html;
  /** What can be pressed when the one thing is not the right one. */
  readonly instead?: Html;
  /** Of the heading above: the page's own is 1. */
  readonly level: 1 | 2;
}

function heading({ level }: Advice, below: 1 | 2, words: string): Html {
  const tag = `h${level + below}`;
  return Html.from([`<${tag}>`, `</${tag}>`], [words]);
}

function callBox(part: Advice): Html {
  const { call, said, support, serialNumber, isWell = false } = part;
  const serial =
    serialNumber !== undefined &&
    html`<li>${call.serial}<br /><code>${inFours(serialNumber)}</code></li>`;
  const told = html`<p>${call.tell}</p>
    <ul>
      <li>${call.pharmacy}</li>
      <li>${call.device}</li>
      <li>${call.seen(said.state)}</li>
      ${serial}
    </ul>`;
  return html`<div class="aside">
    ${FACE}
    <div>
      ${heading(part, 2, call.title)}
      <p class="contact">${contact(support ?? call.support)}</p>
      ${!isWell && told}
    </div>
  </div>`;
}

/** All that follows the heading and its sentence: who is to try something first is shown afterwards whom to call. */
export function advice(part: Advice): Html {
  const { instead, picture, remedy, said } = part;
  const { action, actionMore, afterwards, otherwise, steps } = said;
  const exceptionOf = ({ title, text }: Exception, more?: Child): Html =>
    html`<div class="otherwise">
      ${heading(part, 2, title)}
      <p>${text}</p>
      ${more}
    </div>`;
  const isCall = steps === undefined && remedy === undefined;
  const exception = exceptionOf(otherwise, [isCall && picture, instead]);
  const list = html`<ol class="steps">
    ${steps?.map((step) => html`<li><p>${step}</p></li>`)}
  </ol>`;
  return html`<div class="card first">
      ${heading(part, 1, part.next)}
      <p class="action">${action}</p>
      ${isCall ? html`<p>${actionMore}</p>` : [remedy ?? [picture, list], exception]}
      ${afterwards && exceptionOf(afterwards)} ${callBox(part)}
    </div>
    ${isCall && exception}`;
}

/** The icon within the page, where no second file can be asked for. */
export const ICON_ADDRESS = `data:image/svg+xml,${encodeURIComponent(String(ICON).replaceAll(/\s+/g, " "))}`;
