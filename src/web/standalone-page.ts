import { ICON_ADDRESS } from "./advice.ts";
import type { InlineStyle } from "./assets.ts";
import { html, type Html } from "./html.ts";
import type { Language } from "./language.ts";
import { signWithin } from "./layout.ts";
import type { SiteFacts } from "./site.ts";

interface StandaloneContent {
  readonly title: string;
  /** The page's own path, for the link to the other language. */
  readonly path: string;
  readonly otherLanguage: { readonly name: string; readonly lang: string };
  readonly body: Html;
}

/** A page of the mTLS listener in one language, with all that it needs inside: nothing else is served at that host. */
export function standalonePage(
  { title, path, otherLanguage, body }: StandaloneContent,
  {
    language,
    site,
    style,
  }: { readonly language: Language; readonly site: SiteFacts; readonly style: InlineStyle },
): Html {
  return html`<!doctype html>
    <html lang="${language}">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <meta name="robots" content="noindex" />
        <title>${title}</title>
        <link rel="icon" href="${ICON_ADDRESS}" />
        ${style.tag}
      </head>
      <body>
        <header class="masthead">
          <div class="wide">
            <p class="brand">${signWithin(site)}${site.name[language]}</p>
            <a
              href="${path}?lang=${otherLanguage.lang}"
              lang="${otherLanguage.lang}"
              hreflang="${otherLanguage.lang}"
              >${otherLanguage.name}</a
            >
          </div>
        </header>
        <main class="wide">${body}</main>
      </body>
    </html> `;
}
