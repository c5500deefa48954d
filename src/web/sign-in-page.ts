import { html, type Html } from "./html.ts";
import { SIGN_IN_EN, type SignInPage, type SignInWords } from "./messages/sign-in-en.ts";
import { SIGN_IN_JA } from "./messages/sign-in-ja.ts";
import { portalLayout, type PortalContext } from "./portal-layout.ts";
import { callLine } from "./way/call-parts.ts";

export type { SignInPage } from "./messages/sign-in-en.ts";

/** What the page says, and of whom where somebody is signed in. */
export interface SignInView {
  readonly page: SignInPage;
  /** What it is for, as the address of the sign-in has it. */
  readonly to: string;
  /** Where it goes on for whoever is signed in. */
  readonly next: string;
  /** With which other accounts the same person may go on. */
  readonly others: readonly { readonly accountId: string; readonly corporationName: string }[];
  readonly person?: { readonly name: string; readonly corporationName: string };
}

/** Where the sentence says to call. */
const CALLS: ReadonlySet<SignInPage> = new Set(["unavailable", "unknown", "ended"]);

const WORDS: Readonly<Record<"ja" | "en", SignInWords>> = { ja: SIGN_IN_JA, en: SIGN_IN_EN };

/** Whoever works for several corporations says for which they are here. */
function choice({ others, to }: SignInView, { lead, title }: SignInWords["others"]): Html {
  return html`<h2>${title}</h2>
    <p>${lead}</p>
    <ul class="places">
      ${others.map(
        ({ accountId, corporationName }) =>
          html`<li>
            <form method="post" action="/sign-in/account">
              <input type="hidden" name="account" value="${accountId}" />
              <input type="hidden" name="to" value="${to}" />
              <button class="button quiet">${corporationName}</button>
            </form>
          </li>`,
      )}
    </ul>`;
}

/** The page before signing in, after it, and where it did not come to its end. */
export function signInPage(view: SignInView, context: PortalContext): Html {
  const { next, others, page, person, to } = view;
  const { facts, goOn, manage, others: words, pages } = WORDS[context.language];
  const { title, lead, primary } = pages[page];
  const isIn = page === "in";
  const body = html`<section class="card">
    <h1>${title}</h1>
    <p class="lead">${lead}</p>
    ${CALLS.has(page) && callLine(context)}
    ${
      isIn &&
      html`<dl class="facts">
        <dt>${facts.name}</dt>
        <dd>${person?.name}</dd>
        <dt>${facts.corporation}</dt>
        <dd>${person?.corporationName}</dd>
      </dl>`
    }
    ${
      isIn
        ? html`<p>
              <a class="button" href="${next}">${next === "/manage" ? manage : goOn}</a>
            </p>
            ${others.length > 0 && choice(view, words)}
            <form method="post" action="/sign-out">
              <button class="button quiet">${primary}</button>
            </form>`
        : html`<p><a class="button" href="/sign-in/go?to=${to}">${primary}</a></p>`
    }
  </section>`;
  return portalLayout(context, { title, body });
}
