import { html, type Html } from "./html.ts";
import { RENEWAL_BANNER } from "./messages/renewal-banner.ts";

/** What the fragment tells. */
export interface RenewalBannerFacts {
  /** Whole days to go; 0 on the last one. */
  readonly daysLeft: number;
  /** The address of the page on which the device renews. */
  readonly link: string;
  readonly language: "ja" | "en";
}

/** The sentence in both languages, for a product that draws its own banner. */
export function renewalText(daysLeft: number): { readonly ja: string; readonly en: string } {
  return { ja: RENEWAL_BANNER.ja.text(daysLeft), en: RENEWAL_BANNER.en.text(daysLeft) };
}

/** A fragment for a product's page: no script, no style of its own, class names to draw it by. */
export function renewalBanner({ daysLeft, link, language }: RenewalBannerFacts): Html {
  const words = RENEWAL_BANNER[language];
  return html`<section class="suido-banner" lang="${language}" role="status">
    <p class="suido-banner-text">${words.text(daysLeft)}</p>
    <a class="suido-banner-link" href="${link}">${words.link}</a>
  </section>`;
}
