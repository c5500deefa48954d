import { contact, devicePicture, FACE, ICON_ADDRESS } from "./advice.ts";
import type { InlineStyle } from "./assets.ts";
import { type DateStyle, day } from "./dates.ts";
import { html, type Html } from "./html.ts";
import { RENEW_WORDS } from "./messages/renew-words.ts";
import { signWithin } from "./layout.ts";
import type { SiteFacts } from "./site.ts";

/** The page at which a device shows its certificate to get the next. It stands alone, as all pages of this host do. */
export function renewPage(
  facts: { readonly deviceName: string; readonly pharmacyName: string; readonly notAfter: Date },
  context: DateStyle & { readonly style: InlineStyle; readonly site: SiteFacts },
): Html {
  const { language, site, style } = context;
  const words = RENEW_WORDS[language];
  const { otherLanguage } = words;
  return html`<!doctype html>
    <html lang="${language}">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <meta name="robots" content="noindex" />
        <title>${words.title}</title>
        <link rel="icon" href="${ICON_ADDRESS}" />
        ${style.tag}
      </head>
      <body>
        <header class="masthead">
          <div class="wide">
            <p class="brand">${signWithin(site)}${site.name[language]}</p>
            <a
              href="/renew?lang=${otherLanguage.lang}"
              lang="${otherLanguage.lang}"
              hreflang="${otherLanguage.lang}"
              >${otherLanguage.name}</a
            >
          </div>
        </header>
        <main class="wide">
          <div class="what">
            ${devicePicture(undefined)}
            <div>
              <h1>${words.title}</h1>
              <p class="lead">${words.lead}</p>
              <dl class="facts">
                <dt>${words.device}</dt>
                <dd>${facts.pharmacyName} ${facts.deviceName}</dd>
                <dt>${words.until}</dt>
                <dd>${day(facts.notAfter, context)}${words.untilAfter}</dd>
              </dl>
            </div>
          </div>
          <form method="post" action="/renew">
            <button class="button">${words.button}</button>
          </form>
          <div class="aside">
            ${FACE}
            <div>
              <p>${words.safe}</p>
              <p class="contact">
                ${words.call}: ${contact(site.support?.[language] ?? words.supportUnnamed)}
              </p>
            </div>
          </div>
        </main>
      </body>
    </html> `;
}
