import { contact, devicePicture, FACE } from "./advice.ts";
import type { InlineStyle } from "./assets.ts";
import { type DateStyle, day, dayAndTime } from "./dates.ts";
import { html, type Html } from "./html.ts";
import { RENEW_WORDS } from "./messages/renew-words.ts";
import type { SiteFacts } from "./site.ts";
import { standalonePage } from "./standalone-page.ts";

/** What a device reads there whose certificate is an emergency's: there is nothing to press. */
export function emergencyRenewPage(
  facts: { readonly deviceName: string; readonly pharmacyName: string; readonly notAfter: Date },
  context: DateStyle & { readonly style: InlineStyle; readonly site: SiteFacts },
): Html {
  const { language, site } = context;
  const { emergency, ...words } = RENEW_WORDS[language];
  const body = html`<div class="what">
      ${devicePicture(undefined)}
      <div>
        <h1>${emergency.title}</h1>
        <p class="lead">${emergency.lead}</p>
        <dl class="facts">
          <dt>${words.device}</dt>
          <dd>${facts.pharmacyName} ${facts.deviceName}</dd>
          <dt>${emergency.until}</dt>
          <dd>${dayAndTime(facts.notAfter, context)}</dd>
        </dl>
      </div>
    </div>
    <div class="aside">
      ${FACE}
      <p class="contact">
        ${words.call}: ${contact(site.support?.[language] ?? words.supportUnnamed)}
      </p>
    </div>`;
  const { otherLanguage } = words;
  return standalonePage({ title: emergency.title, path: "/renew", otherLanguage, body }, context);
}

/** The page at which a device shows its certificate to get the next. It stands alone, as all pages of this host do. */
export function renewPage(
  facts: {
    readonly deviceName: string;
    readonly pharmacyName: string;
    readonly notAfter: Date;
    /** Where its form leads. */
    readonly action: string;
  },
  context: DateStyle & { readonly style: InlineStyle; readonly site: SiteFacts },
): Html {
  const { language, site } = context;
  const words = RENEW_WORDS[language];
  const { otherLanguage } = words;
  const body = html`<div class="what">
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
        <form method="post" action="${facts.action}">
          <button class="button">${words.button}</button>
        </form>
      </div>
    </div>
    <div class="aside">
      ${FACE}
      <div>
        <p>${words.safe}</p>
        <p class="contact">
          ${words.call}: ${contact(site.support?.[language] ?? words.supportUnnamed)}
        </p>
      </div>
    </div>`;
  return standalonePage({ title: words.title, path: "/renew", otherLanguage, body }, context);
}
