import { html, type Html } from "../html.ts";
import type { PortalContext } from "../portal-layout.ts";
import { callLine, numberLine } from "./call-parts.ts";
import { mailedCode } from "./mailed-code-part.ts";
import { isProfile } from "./installation.ts";
import type { WayPage } from "./states.ts";
import type { WayView } from "./way-page.ts";
import { signIn } from "./way-sign-in.ts";

/**
 * A page that goes on by itself: its script asks until something else is to be seen, whose heading is then read out. These
 * words never change, so they are no live region: readers would say them before all else, or in place of the title.
 */
export function awaiting(page: WayPage, words: string): Html {
  return html`<p class="waiting" data-await="/way/state" data-page="${page}">${words}</p>`;
}

/** By telephone: the number to read out, and a page that goes on by itself. */
function byTelephone(context: PortalContext, view: WayView): Html {
  const { words } = context;
  return html`${callLine(context)} ${numberLine(context, view)}
    ${awaiting("identify", words.waiting)}
    <p><a class="button quiet" href="/way">${words.pages.identify.primary}</a></p>`;
}

/** Whether a code is on its way to the person, and no sign-in of the site's own is quicker. */
const isMailed = ({ mail, signIn: offered }: WayView): boolean =>
  offered === undefined && mail !== undefined && mail.sent > 0;

/** The ways to say who somebody is: first the one that needs nobody else, where there is one. */
export function identification(context: PortalContext, view: WayView): Html {
  const { mailedCode: mailed, signIn: signing } = context.words;
  if (isMailed(view))
    return html`${mailedCode(context, view)}
      <h2>${signing.others}</h2>
      ${byTelephone(context, view)}`;
  return html`${signIn(context, view)} ${byTelephone(context, view)}
  ${
    view.mail !== undefined &&
    html`<h2>${mailed.title}</h2>
      ${mailedCode(context, view)}`
  }`;
}

/** A telephone call is not the first thing to be asked for where people sign in, or have a code in their mail. */
export function headOf(
  { words }: PortalContext,
  view: WayView,
): { readonly title: string; readonly lead: string } {
  if (view.page === "make" && isProfile(view.installing)) return words.profile;
  if (view.page !== "identify") return words.pages[view.page];
  if (isMailed(view)) return words.mailedCode.head;
  return view.signIn === undefined ? words.pages.identify : words.signIn;
}
