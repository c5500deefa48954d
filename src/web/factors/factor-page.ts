import { digitsForm } from "../digits-form.ts";
import { day, dayAndTime } from "../dates.ts";
import { html, type Html } from "../html.ts";
import { FACTOR_WORDS, type FactorMessages } from "../messages/factors.ts";
import { type PortalContext, portalLayout } from "../portal-layout.ts";
import { callLine } from "../way/call-parts.ts";
import type { FactorPage } from "./states.ts";

/** What the page knows of its person. */
export interface FactorPageView {
  readonly page: FactorPage;
  /** The token of the link, on its own page. */
  readonly token?: string;
  readonly factors?: readonly {
    readonly id: string;
    readonly kind: "authenticator" | "passkey";
    readonly createdAt: Date;
    readonly lastUsedAt?: Date;
  }[];
  /** What an app is to take over. */
  readonly key?: {
    readonly uri: string;
    readonly text: string;
    /** Of the address, in each language. */
    readonly pictures?: Readonly<Record<"ja" | "en", Html>>;
  };
  readonly isWrongCode?: boolean;
  /** Where somebody goes on the night itself. */
  readonly emergencyUrl: string;
}

interface Drawing {
  readonly context: PortalContext;
  readonly words: FactorMessages;
  readonly view: FactorPageView;
}

const begin = ({ context, view, words }: Drawing): Html =>
  html`${view.page === "closed" && callLine(context)}
    <form method="post" action="/factors">
      ${view.token !== undefined && html`<input type="hidden" name="token" value="${view.token}" />`}
      <button class="button">${words.pages[view.page].primary}</button>
    </form>`;

function enrolled({ context, view, words }: Drawing): Html {
  const { factors = [] } = view;
  if (factors.length === 0) return html`<p>${words.none}</p>`;
  return html`<h2>${words.enrolled}</h2>
    <ul class="factors">
      ${factors.map(
        ({ createdAt, id, kind, lastUsedAt }) =>
          html`<li>
            <p>
              <b>${words.kinds[kind]}</b><br />
              <span class="soft"
                >${words.since}:
                ${day(createdAt, context)}${
                  lastUsedAt !== undefined &&
                  html`<br />${words.lastUsed}: ${dayAndTime(lastUsedAt, context)}`
                }</span
              >
            </p>
            <form method="post" action="/factors/remove">
              <input type="hidden" name="id" value="${id}" />
              <button class="button quiet" aria-label="${words.kinds[kind]}: ${words.remove}">
                ${words.remove}
              </button>
            </form>
          </li>`,
      )}
    </ul>`;
}

/** Shown by its script where the browser has passkeys. */
export function passkeyForm(
  which: "create" | "use",
  {
    action,
    label,
    quiet,
    refused,
    what,
  }: {
    readonly action: string;
    readonly label: string;
    readonly what: string;
    readonly refused: string;
    readonly quiet: boolean;
  },
): Html {
  return html`<form
    method="post"
    action="${action}"
    class="stack"
    data-passkey="${which}"
    data-options="${action}/options"
    hidden
  >
    <p>${what}</p>
    <p class="bad" role="alert" data-refused hidden>${refused}</p>
    <button class="button ${quiet && "quiet"}">${label}</button>
  </form>`;
}

function list(drawing: Drawing): Html {
  const { view, words } = drawing;
  const { emergencyUrl, factors = [] } = view;
  const hasApp = factors.some(({ kind }) => kind === "authenticator");
  const isReady = factors.length > 0;
  const ready = html`<div class="notice kept done" role="note">
    <h2>${words.ready.title}</h2>
    <p>${words.ready.text(emergencyUrl)}</p>
  </div>`;
  const { add: label, refused, what } = words.passkey;
  return html`${isReady && ready} ${enrolled(drawing)}
    <form method="post" action="/factors/authenticator" class="stack">
      <p>${words.authenticator.what}</p>
      <button class="button ${isReady && "quiet"}">
        ${hasApp ? words.authenticator.again : words.pages.list.primary}
      </button>
    </form>
    ${passkeyForm("create", { action: "/factors/passkeys", label, refused, what, quiet: true })}`;
}

function confirm({ context, view, words: { confirm: words, pages } }: Drawing): Html {
  const { isWrongCode = false, key } = view;
  const { label, wrong } = words;
  const { primary } = pages.confirm;
  const form = { action: "/factors/authenticator/codes", label, wrong, primary };
  return html`<ol class="steps">
      <li>${words.install}</li>
      <li>
        <p>${words.scan}</p>
        ${key?.pictures?.[context.language]}
        <div class="secret"><span class="soft">${words.key}</span> <code>${key?.text}</code></div>
        <p><a href="${key?.uri}">${words.open}</a></p>
      </li>
      <li>${words.type}</li>
    </ol>
    ${digitsForm(form, isWrongCode)}
    <form method="post" action="/factors/authenticator">
      <button class="button quiet">${words.cancel}</button>
    </form>`;
}

const toList = ({ context, words }: Drawing): Html =>
  html`${callLine(context)}
    <p><a class="button" href="/factors">${words.pages.unknown.primary}</a></p>`;

const PARTS: Readonly<Record<FactorPage, (drawing: Drawing) => Html>> = {
  link: begin,
  closed: begin,
  unknown: toList,
  list,
  confirm,
};

/** The page of a state of the preparation. */
export function factorPage(view: FactorPageView, context: PortalContext): Html {
  const words = FACTOR_WORDS[context.language];
  const { lead, title } = words.pages[view.page];
  const body = html`<section class="card">
    <h1>${title}</h1>
    <p class="lead">${lead}</p>
    ${PARTS[view.page]({ context, view, words })}
  </section>`;
  return portalLayout(context, { title, body, passkeys: true });
}
