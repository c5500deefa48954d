import { html, type Html } from "../html.ts";
import type { PortalContext } from "../portal-layout.ts";
import type { WayView } from "./way-page.ts";

/** The site's own sign-in. It opens another host's page, and so it is a link: policies hold a form's redirects against a page. */
const signInLink = (label: string): Html =>
  html`<p><a class="button" href="/sign-in/go?to=way">${label}</a></p>`;

/** The way that needs nobody else and no waiting, before the others: nothing where the site has no sign-in. */
export function signIn(
  { words: { signIn: words } }: PortalContext,
  { signIn: offered }: WayView,
): Html {
  if (offered === undefined) return html``;
  const { problem } = offered;
  return html`${problem !== undefined && html`<p class="bad">${words.problems[problem]}</p>`}
    ${signInLink(words.button)}
    <h2>${words.others}</h2>`;
}

/** Whose sign-in it takes, for whoever has signed in as somebody else. */
export const otherPerson = ({ words }: PortalContext): Html =>
  html`<p>${words.signIn.unchanged}</p>
    ${signInLink(words.pages.otherPerson.primary)}
    <p><a class="button quiet" href="/way">${words.signIn.others}</a></p>`;
