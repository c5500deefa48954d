import { type Guide, guideOf, type GuideKind, type GuideStep } from "../guide/guide.ts";
import type { GuideBrowser } from "../guide/scene.ts";
import { html, type Html } from "../html.ts";
import { SCRIPT_WORDS } from "../messages/script-words.ts";
import type { PortalContext } from "../portal-layout.ts";

/** What the page that makes and installs a file goes by. */
export interface Installing {
  readonly kind: GuideKind;
  /** The form of file that this platform reads. */
  readonly style: "modern" | "compatible";
  readonly browser: GuideBrowser;
}

/** Where no file is saved: the system takes the profile over. */
export const isProfile = (installing: Installing = PLAIN): boolean =>
  installing.kind === "apple-profile" || installing.kind === "macos-profile";

interface Facts {
  readonly commonName?: string;
  readonly deviceName?: string;
  readonly made?: number;
  /** Whether there is a script that does all this, for whoever sets up machines. */
  readonly hasScript?: boolean;
  /** What is said above all steps is to be read first. */
  readonly warnings?: readonly string[];
  readonly isOtherKind?: boolean;
}

/** After so many the person is not left to try alone. */
const MANY = 5;

/** Where nobody can tell which. */
export const PLAIN: Installing = { kind: "plain", style: "modern", browser: "other" };

/** Minutes left, for somebody who has never done it: half a minute a step. */
const minutesLeft = (steps: number): number => Math.max(1, Math.ceil(steps / 2));

/** The password, beside the button that copies it: nobody types it. */
const password = ({ words }: PortalContext): Html =>
  html`<div class="secret">
    <span class="soft">${words.password}</span> <code data-key="password"></code>
    <button type="button" class="button quiet" data-key="copy">${words.copy}</button>
    <span aria-live="polite"><span data-key="copied" hidden>${words.copied}</span></span>
  </div>`;

const otherStyleButton = ({ words }: PortalContext): Html =>
  html`<p>
    <button type="button" class="button quiet" data-key="other-style" data-saw="other-style">
      ${words.trouble.otherStyle}
    </button>
  </p>`;

/** Of each step one, with the same words: its heading says which. */
function trouble(context: PortalContext, { troubles }: GuideStep, at: number): Html {
  const { words } = context;
  const { title, other } = words.trouble;
  return html`<details class="trouble">
    <summary aria-describedby="step-${at}">${title}</summary>
    <dl>
      ${troubles.map(
        ({ seen, remedy }) =>
          html`<dt>${seen}</dt>
            <dd>${remedy}</dd>`,
      )}
    </dl>
    ${troubles.some(({ otherStyle }) => otherStyle) && otherStyleButton(context)}
    <p>${other}</p>
  </details>`;
}

interface Place {
  readonly at: number;
  readonly of: number;
}

/** Above the heading, which it describes to whom a script leads there (`browser/tab.ts`). */
function progress({ words }: PortalContext, { at, of }: Place): Html {
  return html`<p class="progress" id="place-${at}">
    <progress max="${of}" value="${at}" aria-hidden="true"></progress>
    ${words.step(at, of, minutesLeft(of - at + 1))}
  </p>`;
}

/** With the name by which the browser will offer it, which the script learns with the first file. */
const named = (text: string, { commonName = "…" }: Facts): Html =>
  html`${text
    .split("{certificate}")
    .flatMap((part, index) =>
      index === 0 ? [part] : [html`<b data-key="name">${commonName}</b>`, part],
    )}`;

/** The file lies where downloads do. Where a browser has kept it back, the link gets it. */
const saved = ({ words }: PortalContext): Html =>
  html`<p class="row">
    <span>${words.saved}</span>
    <a class="button quiet" data-key="save" data-saw="save">${words.save}</a>
  </p>`;

/** The check, which opens beside the page: what it has found, the page learns by asking. */
const checking = ({ words: { check } }: PortalContext): Html =>
  html`<form method="post" action="/way/checks" target="_blank">
      <button class="button">${check.button}</button>
    </form>
    <p class="waiting" data-await="/way/state" data-page="make">${check.waiting}</p>`;

interface Shown {
  readonly place: Place;
  readonly facts: Facts;
  /** What stands above the first one's picture. */
  readonly before: Html | undefined;
}

function step(context: PortalContext, words: GuideStep, { place, facts, before }: Shown): Html {
  const isCheck = place.at === place.of;
  return html`<section data-step="${place.at}" data-saw="${words.id}" class="step">
    ${progress(context, place)}
    <h2 id="step-${place.at}" tabindex="-1">${words.title}</h2>
    ${words.intro !== undefined && html`<p class="lead">${named(words.intro, facts)}</p>`} ${before}
    ${words.needsPassword && password(context)} ${words.picture}
    <ol class="steps">
      ${words.dos.map((each) => html`<li><span>${named(each, facts)}</span></li>`)}
    </ol>
    ${isCheck ? checking(context) : html`<p class="arrived">${context.words.arrived(words.done)}</p>`}
    ${trouble(context, words, place.at)}
  </section>`;
}

/** What is said where files were made here before. */
const attempts = ({ words }: PortalContext, made: number): Html =>
  html`${made > 0 && html`<p class="notice">${words.earlier}</p>`}
  ${made >= MANY && html`<p class="notice">${words.many}</p>`}`;

/**
 * Whether the first file is made without a press: 「はじめる」 was one, and nobody is here who has not been identified. Not where
 * the person is to read something first, nor again for whoever comes back.
 */
const isAuto = ({ made = 0, warnings = [], isOtherKind = false }: Facts): boolean =>
  made === 0 && warnings.length === 0 && !isOtherKind;

/** The form that makes the key in this tab, and what it comes to. */
function makingFile({ words }: PortalContext, { kind, style }: Installing, facts: Facts): Html {
  return html`<form
      data-key-form
      ${isAuto(facts) && html`data-auto`}
      method="post"
      action="/way/certificates"
      data-style="${style}"
      data-file-name="${words.fileName}.p12"
    >
      <input type="hidden" name="bundle" value="${style}" />
      <button class="button">${words.pages.make.primary}</button>
    </form>
    <noscript><p class="soft">${words.noScript}</p></noscript>
    <div aria-live="polite"><p data-key-part="working" hidden>${words.making}</p></div>
    <p data-key-part="refused" hidden tabindex="-1" class="bad">${words.refused}</p>
    <p data-key-part="unreached" hidden tabindex="-1" class="bad">${words.unreached}</p>
    ${(kind === "apple-file" || kind === "macos-file") && html`<p><a href="/way">${words.profile.fromFile}</a></p>`}`;
}

/** The profile is this form's answer, which Safari hands to the system: the page stays, and shows the next step. */
const gettingProfile = ({ words }: PortalContext, facts: Facts): Html =>
  html`<form method="post" action="/way/profile" data-leads ${isAuto(facts) && html`data-auto`}>
      <button class="button">${words.profile.primary}</button>
    </form>
    <p><a href="/way?with=file">${words.profile.toFile}</a></p>`;

/** Small, and last: nobody who works in the pharmacy is to take it for theirs. */
const toScript = ({ language }: PortalContext): Html =>
  html`<p class="soft">
    <a href="/way/script" data-saw="script">${SCRIPT_WORDS[language].link}</a>
  </p>`;

function drawn(
  { language, words }: PortalContext,
  { kind, browser }: Installing,
  { commonName }: Facts,
): Guide {
  const fileName = `${words.fileName}.p12`;
  const certificate = commonName === undefined ? {} : { certificateName: commonName };
  return guideOf(kind, { language, browser, fileName, ...certificate });
}

/**
 * Makes the file and leads through the dialogs, one a screen and one below the other: whoever has a dialog of the system before
 * them scrolls behind it, and presses nothing here that would put it into the background.
 */
export function installation(
  context: PortalContext,
  installing: Installing = PLAIN,
  facts: Facts = {},
): Html {
  const { words } = context;
  const takes = isProfile(installing);
  const { deviceName } = facts;
  // The system gets the profile, and this page never learns its name: which begins with the device's.
  const known =
    takes && deviceName !== undefined ? { commonName: `${deviceName} …`, ...facts } : facts;
  const { steps } = drawn(context, installing, known);
  const of = steps.length + 1;
  const { title, lead } = takes ? words.profile : words.pages.make;
  const guide = steps.map((each, index) => {
    const before = index === 0 && !takes ? saved(context) : undefined;
    return step(context, each, { place: { at: index + 2, of }, facts: known, before });
  });
  return html`<div data-steps>
    <section data-step="1" data-saw="make" class="step">
      ${progress(context, { at: 1, of })}
      <h1 tabindex="-1">${title}</h1>
      <p class="lead">${lead}</p>
      ${attempts(context, facts.made ?? 0)}
      ${takes ? gettingProfile(context, facts) : makingFile(context, installing, facts)}
      ${facts.hasScript === true && toScript(context)}
    </section>
    ${
      takes
        ? html`<div class="guide" data-guide>${guide}</div>`
        : html`<div class="guide" data-key-part="saving" hidden>${guide}</div>`
    }
  </div>`;
}

/** The steps for a file of a key that we made, all below each other: whoever needs it has no script. */
export function plainSteps(
  context: PortalContext,
  installing: Installing | undefined,
  facts: Facts,
): Html {
  return html`${drawn(context, installing ?? PLAIN, facts).steps.map(
    (each) =>
      html`<h2>${each.title}</h2>
        ${each.picture}
        <ol class="steps">
          ${each.dos.map((one) => html`<li><span>${named(one, facts)}</span></li>`)}
        </ol>`,
  )}`;
}
