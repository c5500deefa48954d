import type { Assets } from "./assets.ts";
import { contact } from "./advice.ts";
import { html, type Html } from "./html.ts";
import { inLanguage, type Language } from "./language.ts";
import { signAt } from "./layout.ts";
import { EMERGENCY_WORDS } from "./messages/emergency.ts";
import type { WayMessages } from "./messages/way-words.ts";
import type { SiteFacts } from "./site.ts";

/** Where the sheet for whoever looks after the equipment is. */
export const EQUIPMENT_PATH = "/equipment";

/** Where somebody begins whose only machine has failed by night. */
export const EMERGENCY_PATH = "/emergency";

/** What every page for pharmacists needs to be drawn. */
export interface PortalContext {
  readonly language: Language;
  readonly words: WayMessages;
  readonly assets: Assets;
  /** The IANA zone in which dates are written. */
  readonly timeZone: string;
  readonly site: SiteFacts;
  /** The page's own path, for the link to the other language. */
  readonly path: string;
}

interface PortalContent {
  readonly title: string;
  /** What a press has come to that this page answers: said first, since of a page that has just come readers say its title. */
  readonly news?: string | undefined;
  readonly body: Html;
  /** Which device of which pharmacy, where it is known who looks. */
  readonly who?: { readonly pharmacyName: string; readonly deviceName?: string };
  /** お問い合わせ番号. */
  readonly supportNumber?: string;
  /** Whether the page makes keys or goes on by itself. */
  readonly script?: boolean;
  /** Whether a passkey may answer one of its forms. */
  readonly passkeys?: boolean;
}

/**
 * A number or code that people tell each other. Screen readers get it letter by letter: of 「067 718」 they would make
 * sixty-seven and seven hundred and eighteen.
 */
export function spelled(shown: string): Html {
  const letters = Array.from(shown, (each) => (/[\s-]/.test(each) ? "," : each));
  return html`<b class="number" aria-hidden="true">${shown}</b
    ><span class="unseen">${letters.join(" ")}</span>`;
}

/** お問い合わせ番号: six digits, shown in two groups. */
export const spoken = (supportNumber: string): Html =>
  spelled(`${supportNumber.slice(0, 3)} ${supportNumber.slice(3)}`);

/** Whom to call: the site's own support, or whose it is. */
export function supportLine({ language, site, words }: PortalContext): Html {
  const support = site.support?.[language];
  return support === undefined ? html`${words.supportUnnamed}` : contact(support);
}

function foot(context: PortalContext, number: string | undefined): Html {
  const { words } = context;
  return html`<footer class="foot">
    <div class="wide">
      ${
        number !== undefined &&
        html`<p>
          ${words.supportNumber} ${spoken(number)}
          <span class="soft">${words.supportNumberMore}</span>
        </p>`
      }
      <p>${words.support}: ${supportLine(context)}</p>
      <p class="elsewhere">
        ${
          !context.path.startsWith(EMERGENCY_PATH) &&
          html`<a href="${EMERGENCY_PATH}">${EMERGENCY_WORDS[context.language].link}</a>`
        }
        ${
          context.path !== EQUIPMENT_PATH &&
          html`<a href="${EQUIPMENT_PATH}">${words.equipment}</a>`
        }
      </p>
    </div>
  </footer>`;
}

/** A whole page for pharmacists: where they are, and at its end always whom to call. */
export function portalLayout(context: PortalContext, content: PortalContent): Html {
  const { assets, language, path, site, words } = context;
  const { title, news, body, who, passkeys, script, supportNumber } = content;
  const other = words.otherLanguage;
  return html`<!doctype html>
    <html lang="${language}">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <meta name="robots" content="noindex" />
        <title>${news !== undefined && `${news} ・ `}${title} ・ ${site.name[language]}</title>
        <link rel="stylesheet" href="${assets.portal.path}" />
        <link rel="icon" href="${assets.icon.path}" type="${assets.icon.type}" />
        ${script === true && html`<script src="${assets.way.path}" defer></script>`}
        ${passkeys === true && html`<script src="${assets.passkeys.path}" defer></script>`}
      </head>
      <body>
        <a class="skip" href="#content">${words.skip}</a>
        <header class="masthead">
          <div class="wide">
            <p class="brand">${signAt(assets.logo?.path)}${site.name[language]}</p>
            ${
              who !== undefined &&
              html`<p class="whose soft">
                ${who.pharmacyName}${who.deviceName !== undefined && html`<br />${who.deviceName}`}
              </p>`
            }
            <a
              class="language"
              href="${inLanguage(path, other.lang)}"
              lang="${other.lang}"
              hreflang="${other.lang}"
              >${other.name}</a
            >
          </div>
        </header>
        <main id="content" class="wide" tabindex="-1">${body}</main>
        ${foot(context, supportNumber)}
      </body>
    </html> `;
}
