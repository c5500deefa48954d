import { html, type Html } from "./html.ts";
import { type BannerKind, BANNERS } from "./messages/banners.ts";

/** What a banner tells. */
export interface BannerFacts {
  readonly kind: BannerKind;
  /** Whole days to go; 0 on the last one, and where the kind does not speak of days. */
  readonly daysLeft?: number;
  /** Where the person learns what to do, or does it. */
  readonly link: string;
}

/** One banner in all its forms: a product takes what fits its page. */
export interface Banner {
  /** In both languages, for a product that draws its own. */
  readonly text: { readonly ja: string; readonly en: string };
  readonly link: string;
  /** No script, no style of its own, class names to draw it by: the same for all kinds, and one that names the kind. */
  fragment(language: "ja" | "en"): Html;
}

/** What products show on their own pages. */
export function bannerOf({ kind, daysLeft = 0, link }: BannerFacts): Banner {
  const { ja, en } = BANNERS[kind];
  const text = { ja: ja.text(daysLeft), en: en.text(daysLeft) };
  return {
    text,
    link,
    fragment: (language) =>
      html`<section class="suido-banner suido-banner-${kind}" lang="${language}">
        <p class="suido-banner-text">${text[language]}</p>
        <a class="suido-banner-link" href="${link}">${BANNERS[kind][language].link}</a>
      </section>`,
  };
}
