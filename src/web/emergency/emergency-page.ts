import { digitsForm } from "../digits-form.ts";
import { dayAndTime } from "../dates.ts";
import { passkeyForm } from "../factors/factor-page.ts";
import { html, type Html } from "../html.ts";
import { EMERGENCY_WORDS, type EmergencyMessages } from "../messages/emergency.ts";
import { type PortalContext, portalLayout } from "../portal-layout.ts";
import { callLine } from "../way/call-parts.ts";
import type { EmergencyFacts, EmergencyPage } from "./states.ts";

interface ShownPharmacy {
  readonly id: string;
  readonly name: string;
  readonly left: number;
  readonly devices: readonly { readonly id: string; readonly name: string }[];
}

type ShownPerson = Omit<NonNullable<EmergencyFacts["person"]>, "pharmacies"> & {
  readonly pharmacies: readonly ShownPharmacy[];
};

/** What the page knows of its person: before the first factor, nothing. */
export interface EmergencyPageView {
  readonly page: EmergencyPage;
  /** Who has signed in at this browser with the site's own provider. */
  readonly signedInAs?: string;
  /** What was typed, or chosen, is not to be taken. */
  readonly isWrong?: boolean;
  readonly person?: ShownPerson;
}

interface Drawing {
  readonly context: PortalContext;
  readonly words: EmergencyMessages;
  readonly view: EmergencyPageView;
}

const again = ({ words }: Drawing): Html =>
  html`<p><a class="button quiet" href="/emergency">${words.again}</a></p>`;

const toStart = ({ context, view, words }: Drawing): Html =>
  html`${callLine(context)}
    <p><a class="button" href="/emergency">${words.pages[view.page].primary}</a></p>`;

const toSame = ({ view, words }: Drawing): Html =>
  html`<p><a class="button" href="/emergency/next">${words.pages[view.page].primary}</a></p>`;

function start({ view, words }: Drawing): Html {
  const { signedInAs } = view;
  const signIn =
    signedInAs !== undefined &&
    html`<form method="post" action="/emergency/sign-in">
      <button class="button">${words.signedIn(signedInAs)}</button>
    </form>`;
  return html`<h2>${words.need.title}</h2>
    <ul>
      ${words.need.items.map((each) => html`<li>${each}</li>`)}
    </ul>
    ${signIn}
    <form method="post" action="/emergency" class="stack">
      <label for="address">${words.address}</label>
      <input
        id="address"
        name="address"
        class="line"
        type="email"
        required
        maxlength="254"
        autocomplete="email"
        spellcheck="false"
      />
      <button class="button ${signedInAs !== undefined && "quiet"}">
        ${words.pages.start.primary}
      </button>
    </form>`;
}

function code(drawing: Drawing): Html {
  const { view, words } = drawing;
  const { primary } = words.pages.code;
  const form = digitsForm(
    { action: "/emergency/codes", primary, ...words.code },
    view.isWrong === true,
  );
  return html`${form} ${again(drawing)}`;
}

function factor(drawing: Drawing): Html {
  const { view, words } = drawing;
  const { hasApp = false, hasPasskey = false, lockedUntil } = view.person ?? {};
  const { refused, use: label, what } = words.passkey;
  const isTypable = hasApp && lockedUntil === undefined;
  const { primary } = words.pages.factor;
  const app =
    isTypable &&
    digitsForm({ action: "/emergency/app-codes", primary, ...words.app }, view.isWrong === true);
  const action = "/emergency/passkeys";
  return html`${app}
  ${hasPasskey && passkeyForm("use", { action, label, refused, what, quiet: isTypable })}
  ${again(drawing)}`;
}

function locked(drawing: Drawing): Html {
  const { context, view, words } = drawing;
  const until = view.person?.lockedUntil;
  return html`${
    until !== undefined &&
    html`<dl class="facts">
      <dt>${words.lockedUntil}</dt>
      <dd>${dayAndTime(until, context)}</dd>
    </dl>`
  }
  ${callLine(context)} ${toSame(drawing)}`;
}

function machines({ words }: Drawing, { devices, left }: ShownPharmacy, isFirst: boolean): Html {
  if (left === 0) return html`<p>${words.pharmacyUsedUp}</p>`;
  if (devices.length === 0) return html`<p>${words.noDevices}</p>`;
  return html`<p class="soft">${words.left(left)}</p>
    <ul class="choices">
      ${devices.map(
        (device, index) =>
          html`<li>
            <label
              ><input
                type="radio"
                name="device"
                value="${device.id}"
                required
                ${isFirst && devices.length === 1 && index === 0 && html`checked`}
              />
              ${device.name}</label
            >
          </li>`,
      )}
    </ul>`;
}

function choose(drawing: Drawing): Html {
  const { view, words } = drawing;
  const { pharmacies = [] } = view.person ?? {};
  return html`<form method="post" action="/emergency/devices" class="stack">
    ${view.isWrong === true && html`<p class="bad">${words.unchosen}</p>`}
    ${pharmacies.map(
      (pharmacy) =>
        html`<fieldset>
          <legend>${pharmacy.name}</legend>
          ${machines(drawing, pharmacy, pharmacies.length === 1)}
        </fieldset>`,
    )}
    <button class="button">${words.pages.choose.primary}</button>
  </form>`;
}

const usedUp = (drawing: Drawing): Html =>
  html`${callLine(drawing.context)} ${toSame(drawing)} ${again(drawing)}`;

const PARTS: Readonly<Record<EmergencyPage, (drawing: Drawing) => Html>> = {
  start,
  code,
  factor,
  locked,
  unprepared: toStart,
  "not-allowed": toStart,
  choose,
  "used-up": usedUp,
};

/** The page of a state of an emergency. */
export function emergencyPage(view: EmergencyPageView, context: PortalContext): Html {
  const words = EMERGENCY_WORDS[context.language];
  const { lead, title } = words.pages[view.page];
  const body = html`<section class="card">
    <h1>${title}</h1>
    <p class="lead">${lead}</p>
    ${PARTS[view.page]({ context, view, words })}
  </section>`;
  const news = view.page === "choose" && view.isWrong === true ? words.unchosen : undefined;
  return portalLayout(context, { title, news, body, passkeys: view.page === "factor" });
}
