import type { Shades } from "./accent.ts";

/** The same in both languages that people are addressed in. */
export interface Bilingual {
  readonly ja: string;
  readonly en: string;
}

/** A system that pharmacists work with, and whose proxy asks for certificates. */
export interface Product {
  /** As its relying parties and stages have it. */
  readonly id: string;
  readonly name: Bilingual;
  /** Where it opens. */
  readonly url: string;
}

/** A picture that stands for the site. */
export interface Logo {
  readonly type: "image/svg+xml" | "image/png";
  readonly body: Uint8Array;
}

/** Under which name and look people meet this service: pharmacists know their product, not Suido. */
export interface Site {
  readonly name: Bilingual;
  readonly logo: Logo | undefined;
  /** The accent with its shades, on light and on dark pages. Absent: Suido's own. */
  readonly colours: { readonly light: Shades; readonly dark: Shades } | undefined;
  /**
   * Whom people call, with hours, on one line. Absent: mails and pages name the support of the pharmacy's own system. It
   * comes from the site's file, or from SUIDO_SUPPORT where that says nothing of it.
   */
  readonly support: Bilingual | undefined;
  readonly products: readonly Product[];
  /** Whose name mails come under. Absent: the one that SUIDO_MAIL_FROM has. */
  readonly sender: Bilingual | undefined;
}

/** The site where no file describes one: Suido under its own name, with the support line of SUIDO_SUPPORT, if there is one. */
export function plainSite(support?: string): Site {
  return Object.freeze({
    name: { ja: "Suido", en: "Suido" },
    logo: undefined,
    colours: undefined,
    support: support === undefined ? undefined : { ja: support, en: support },
    products: [],
    sender: undefined,
  });
}
