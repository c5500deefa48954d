import { contact, devicePicture, FACE } from "./advice.ts";
import type { InlineStyle } from "./assets.ts";
import { html, type Html } from "./html.ts";
import type { Language } from "./language.ts";
import { type Trouble, TROUBLE_WORDS } from "./messages/trouble-words.ts";
import { portalLayout, type PortalContext } from "./portal-layout.ts";
import type { SiteFacts } from "./site.ts";
import { standalonePage } from "./standalone-page.ts";
import { callLine } from "./way/call-parts.ts";

export type { Trouble } from "./messages/trouble-words.ts";

/** For a person's browser whose request failed: nobody at a counter reads a problem document. It leads to the context's own page. */
export function troublePage(trouble: Trouble, context: PortalContext): Html {
  const { lead, primary, title } = TROUBLE_WORDS[context.language].pages[trouble];
  const body = html`<section class="card">
    <h1>${title}</h1>
    <p class="lead">${lead}</p>
    ${callLine(context)}
    <p><a class="button" href="${context.path}">${primary}</a></p>
  </section>`;
  return portalLayout(context, { title, body });
}

/** The same at the host of devices' certificates, where each page carries with it what it needs. */
export function standaloneTroublePage(
  trouble: Trouble,
  path: string,
  context: {
    readonly language: Language;
    readonly site: SiteFacts;
    readonly style: InlineStyle;
  },
): Html {
  const { language, site } = context;
  const { otherLanguage, pages, support, supportUnnamed } = TROUBLE_WORDS[language];
  const { lead, primary, title } = pages[trouble];
  const body = html`<div class="what">
      ${devicePicture(
        html`<circle class="sign warn" cx="98" cy="66" r="17" />
          <path class="hand warn" d="M98 56v11l7 5" />`,
      )}
      <div>
        <h1>${title}</h1>
        <p class="lead">${lead}</p>
        <p><a class="button" href="${path}?lang=${language}">${primary}</a></p>
      </div>
    </div>
    <div class="aside">
      ${FACE}
      <p class="contact">${support}: ${contact(site.support?.[language] ?? supportUnnamed)}</p>
    </div>`;
  return standalonePage({ title, path, otherLanguage, body }, context);
}
