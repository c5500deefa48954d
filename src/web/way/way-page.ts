import { FACE, inFours } from "../advice.ts";
import { html, type Html } from "../html.ts";
import { EMERGENCY_WORDS } from "../messages/emergency.ts";
import { HELD_WORDS } from "../messages/held-words.ts";
import { portalLayout, type PortalContext } from "../portal-layout.ts";
import { day, dayAndTime } from "../dates.ts";
import { closeBrowserPicture } from "../guide/guide.ts";
import { installation, type Installing, PLAIN, plainSteps } from "./installation.ts";
import {
  anotherMachine,
  type AnotherView,
  askForAnother,
  sendAnew,
  sentTo,
} from "./invitation-parts.ts";
import { awaiting, headOf, identification } from "./identification.ts";
import { namingForm, type NamingView, placeForm, replaceForm } from "./naming-page.ts";
import { callLine, numberLine } from "./call-parts.ts";
import { above, notice, notices, prechecks, type Reach } from "./notices.ts";
import type { WayPage } from "./states.ts";
import { otherPerson } from "./way-sign-in.ts";

/** Why a sign-in has not identified anybody. */
export type SignInProblem = keyof PortalContext["words"]["signIn"]["problems"];

/** What may be wrong with where the page was opened. */
export type Warning = "inApp" | "needsSafari" | "unsupported";

/** What a page says of an enrolment, as far as whoever looks may know it. */
export interface WayView {
  readonly page: WayPage;
  readonly deviceName?: string;
  readonly pharmacyName?: string;
  readonly supportNumber?: string;
  readonly commonName?: string;
  readonly serialNumber?: string;
  readonly notAfter?: Date;
  /** A machine that stands in for another one for a night. */
  readonly isEmergency?: boolean;
  /** How many files were made so far. */
  readonly made?: number;
  /** The token of the link, on its own page. */
  readonly token?: string;
  /** Where a code can be mailed to, hidden but for what its owner knows it by; and how many were. */
  readonly mail?: { readonly address: string; readonly sent: number };
  /** Whether the site's own sign-in is offered, and why it came to nothing the last time. */
  readonly signIn?: { readonly problem?: SignInProblem };
  /** A code was typed that is none. */
  readonly isWrongCode?: boolean;
  readonly warnings: readonly Warning[];
  /** Whether it looks like another kind of device than the one that was registered. */
  readonly isOtherKind: boolean;
  readonly installing?: Installing;
  /** Whether there is a script for whoever sets up machines. */
  readonly hasScript?: boolean;
  /** Of the pages on which a machine gets its name. */
  readonly naming?: NamingView;
  /** Whether one more machine may be asked for. */
  readonly mayAskForAnother?: boolean;
  readonly another?: AnotherView;
  /** The code that was typed, of an invitation that is over. */
  readonly code?: string;
  /** Where a new invitation went. */
  readonly address?: string;
}

const reassurance = ({ words }: PortalContext): Html =>
  html`<aside class="aside">
    ${FACE}
    <p>
      <b>${words.reassurance.title}</b><br /><span class="soft">${words.reassurance.text}</span>
    </p>
  </aside>`;

/** Its field has the focus from the beginning, and so says what else would be passed over: the heading, or what is wrong. */
function codeForm({ words }: PortalContext, page: WayPage, isWrong: boolean): Html {
  const { label, hint, wrong } = words.code;
  return html`<form method="post" action="/start" class="stack">
    <label for="code">${label}</label>
    <p class="soft" id="hint">${hint}</p>
    ${isWrong && html`<p class="bad" id="wrong">${wrong}</p>`}
    <input
      id="code"
      name="code"
      class="code"
      data-full="8"
      required
      autofocus
      maxlength="40"
      autocomplete="off"
      autocapitalize="characters"
      spellcheck="false"
      aria-describedby="${isWrong ? "wrong" : "title"} hint"
      ${isWrong && html`aria-invalid="true"`}
    />
    <button class="button">${words.pages[page].primary}</button>
  </form>`;
}

const toCode = ({ words }: PortalContext, page: WayPage): Html =>
  html`<p><a class="button" href="/start">${words.pages[page].primary}</a></p>`;

function whose({ words }: PortalContext, view: WayView): Html {
  return html`<dl class="facts">
    <dt>${words.facts.pharmacy}</dt>
    <dd>${view.pharmacyName}</dd>
    ${
      view.deviceName !== undefined &&
      html`<dt>${words.facts.device}</dt>
        <dd>${view.deviceName}</dd>`
    }
  </dl>`;
}

/** What is kept on paper: which device, until when, which number. No key, and nothing that opens anything. */
function sheet(context: PortalContext, view: WayView): Html {
  const { words } = context;
  const { before, after } = words.until;
  const until = view.notAfter;
  return html`<section class="sheet">
    <h2>${words.sheet.title}</h2>
    <dl class="facts">
      <dt>${words.facts.pharmacy}</dt>
      <dd>${view.pharmacyName}</dd>
      <dt>${words.facts.device}</dt>
      <dd>${view.deviceName}</dd>
      ${
        until !== undefined &&
        html`<dt>${words.facts.until}</dt>
          <dd>${before}${day(until, context)}${after}</dd>`
      }
      <dt>${words.sheet.serial}</dt>
      <dd><code>${inFours(view.serialNumber ?? "")}</code></dd>
    </dl>
    ${view.installing?.kind !== "apple-profile" && html`<p>${words.sheet.delete}</p>`}
    <p class="row">
      <button type="button" class="button quiet" data-print>${words.pages.used.primary}</button>
    </p>
  </section>`;
}

/** 「みずき薬歴を開く」: in a tab of its own, so that this page sees that it has let the device in. */
function products({ language, site, words }: PortalContext): Html | undefined {
  if (site.products.length === 0) return undefined;
  const buttons = site.products.map(
    ({ name, url }) =>
      html`<a class="button" href="${url}" target="_blank" rel="noopener"
        >${words.open(name[language])}</a
      >`,
  );
  return html`<p class="row">${buttons}</p>`;
}

const more = (context: PortalContext, { mayAskForAnother }: WayView): Html | false =>
  mayAskForAnother === true && askForAnother(context);

const used: Part = (context, view) =>
  html`${products(context)} ${more(context, view)} ${sheet(context, view)}`;

/** On a computer a browser goes on in the background: how all of its windows are closed is drawn. */
function remedy({ language, words }: PortalContext, { installing = PLAIN }: WayView): Html {
  const { title, text } = words.notYetUsed;
  if (["apple-profile", "apple-file", "android"].includes(installing.kind))
    return notice(words.notYetUsed);
  const { picture, dos } = closeBrowserPicture(installing.browser, language);
  return html`<details class="trouble">
    <summary>${title}</summary>
    <p>${text}</p>
    ${picture}
    <ol class="steps">
      ${dos.map((each) => html`<li>${each}</li>`)}
    </ol>
  </details>`;
}

/** Proven is half of it: until a product has let it in, what is in the way is the browser's memory. */
function proven(context: PortalContext, view: WayView): Html {
  const { pages } = context.words;
  const buttons = products(context);
  return html`${buttons} ${remedy(context, view)}
    <form
      method="post"
      action="/way/checks"
      target="_blank"
      data-await="/way/state"
      data-page="proven"
    >
      <button class="button ${buttons !== undefined && "quiet"}">${pages.proven.primary}</button>
    </form>
    ${more(context, view)} ${sheet(context, view)}`;
}

const again: Part = (context) =>
  html`${callLine(context)}
    <p><a class="button" href="/way">${context.words.pages.stopped.primary}</a></p>`;

/** Goes on by itself once the manager has let the device go on. */
const held: Part = (context) =>
  html`${callLine(context)} ${awaiting("held", HELD_WORDS[context.language].waiting)}
    <p><a class="button quiet" href="/way">${context.words.pages.held.primary}</a></p>`;

function invitation(context: PortalContext, view: WayView): Html {
  return html`${whose(context, view)}
    <form method="post" action="/start">
      <input type="hidden" name="token" value="${view.token}" />
      <button class="button">${context.words.pages.invited.primary}</button>
    </form>`;
}

type Part = (context: PortalContext, view: WayView) => Html;
const ENDED: Part = (context, { page }) => toCode(context, page);
/** Ended, and for the person to call, with the number by which support finds it, or to ask for another. */
const CALL: Part = (context, view) =>
  html`${callLine(context)} ${numberLine(context, view)} ${toCode(context, view.page)}`;

/** What a person does on each page. */
const PARTS: Readonly<Record<WayPage, Part>> = {
  code: (context, { page, isWrongCode }) => codeForm(context, page, isWrongCode === true),
  limited: ENDED,
  unknown: ENDED,
  elsewhere: ENDED,
  expired: CALL,
  lapsed: sendAnew,
  resent: (context, view) => html`${sentTo(context, view.address ?? "")} ${ENDED(context, view)}`,
  enough: ENDED,
  replaced: ENDED,
  withdrawn: CALL,
  late: CALL,
  barred: CALL,
  done: ENDED,
  held,
  stopped: again,
  invited: invitation,
  identify: identification,
  otherPerson,
  name: (context, { naming }) => (naming === undefined ? html`` : namingForm(context, naming)),
  replace: (context, { naming }) => (naming === undefined ? html`` : replaceForm(context, naming)),
  place: (context, { naming }) => (naming === undefined ? html`` : placeForm(context, naming)),
  another: (context, { another }) =>
    another === undefined ? html`` : anotherMachine(context, another),
  make: (context, view) => installation(context, view.installing, view),
  proven,
  used,
};

const TONE: Readonly<Partial<Record<WayPage, string>>> = {
  proven: "good",
  used: "good",
  resent: "good",
  held: "bad",
  stopped: "bad",
  barred: "bad",
};

/** That it ends by itself, and when: a day and a time, because it is the next one's evening. */
function emergencyNotice(context: PortalContext, { notAfter, page }: WayView): Html {
  const { before, title, until } = EMERGENCY_WORDS[context.language].notice;
  const isMade = notAfter !== undefined && (page === "proven" || page === "used");
  return html`<div class="notice" role="note">
    <h2>${title}</h2>
    <p>${before}</p>
    ${isMade && html`<p>${until}: <b>${dayAndTime(notAfter, context)}</b></p>`}
  </div>`;
}

/** Where somebody stands who is not through yet. */
const BEGUN: ReadonlySet<WayPage> = new Set([
  "invited",
  "identify",
  "name",
  "replace",
  "place",
  "make",
]);

/** The page of a state of the way. */
export function wayPage(
  view: WayView,
  context: PortalContext,
  surroundings: { readonly now: Date; readonly reach: Reach },
): Html {
  const { page } = view;
  const words = headOf(context, view);
  const isBegun = BEGUN.has(page);
  const head = html`<h1 id="title" class="${TONE[page] ?? ""}">${words.title}</h1>
    <p class="lead">${words.lead}</p>`;
  const body = html`${view.isEmergency === true && emergencyNotice(context, view)}
    ${isBegun && notices(view, context)}
    ${isBegun && prechecks(context, surroundings.now, surroundings.reach)}
    <section class="card">${page !== "make" && head} ${PARTS[page](context, view)}</section>
    ${isBegun && reassurance(context)}`;
  const problem = view.signIn?.problem;
  // Who goes from heading to heading passes over what stands above the first one.
  const notable = isBegun ? above(context, view)[0]?.title : undefined;
  const news = problem ? context.words.signIn.problems[problem] : notable;
  return framed(context, view, { title: words.title, news, body, script: true });
}

function framed(
  context: PortalContext,
  { deviceName, pharmacyName, supportNumber }: WayView,
  content: {
    readonly title: string;
    readonly news?: string | undefined;
    readonly body: Html;
    readonly script?: boolean;
  },
): Html {
  const who = pharmacyName !== undefined && {
    pharmacyName,
    ...(deviceName !== undefined && { deviceName }),
  };
  return portalLayout(context, {
    ...content,
    ...(who !== false && { who }),
    ...(supportNumber !== undefined && { supportNumber }),
  });
}

/** The file of a key that we made, in the page that is sent once. */
export function serverKeyPage(
  context: PortalContext,
  view: WayView & { readonly data: string | undefined; readonly password: string | undefined },
): Html {
  const { words } = context;
  const { title, lead, save } = words.serverKey;
  const { data = "", password, installing } = view;
  const body = html`<section class="card">
    <h1>${title}</h1>
    <p class="lead">${lead}</p>
    <p>
      <a
        class="button"
        href="data:application/x-pkcs12;base64,${data}"
        download="${words.fileName}.p12"
        >${save}</a
      >
    </p>
    <div class="secret"><span class="soft">${words.password}</span> <code>${password}</code></div>
    ${plainSteps(context, installing, view)}
    <form method="post" action="/way/checks">
      <button class="button">${words.check.button}</button>
    </form>
  </section>`;
  return framed(context, view, { title, body });
}
