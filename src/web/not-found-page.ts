import { html, type Html } from "./html.ts";
import { catalogue } from "./language.ts";
import { portalLayout, type PortalContext } from "./portal-layout.ts";

/** For a person's browser at an address that is not there: most come from a mail. */
export function notFoundPage(context: PortalContext): Html {
  const { button, home, text, title } = catalogue(context.language).messages.notFound;
  const body = html`<section class="card">
    <h1>${title}</h1>
    <p class="lead">${text}</p>
    <p><a class="button" href="/start">${button}</a></p>
    <p><a class="button quiet" href="/">${home}</a></p>
  </section>`;
  return portalLayout(context, { title, body });
}
