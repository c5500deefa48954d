import type { Language } from "./language.ts";

type Bilingual = Readonly<Record<Language, string>>;

/** The accent as pages use it (`--water`, `--water-deep`, `--water-soft`): `#rrggbb` each. */
interface Shades {
  readonly water: string;
  readonly deep: string;
  readonly soft: string;
}

/** What pages say and show of the site that runs this service. */
export interface SiteFacts {
  readonly name: Bilingual;
  readonly logo:
    | { readonly type: "image/svg+xml" | "image/png"; readonly body: Uint8Array }
    | undefined;
  /** Absent: those of `tokens.css`. */
  readonly colours: { readonly light: Shades; readonly dark: Shades } | undefined;
  /** Whom to call, with hours, on one line. Absent: pages name the support of the pharmacy's own system. */
  readonly support: Bilingual | undefined;
  /** What people open once the certificate is on their device. */
  readonly products: readonly { readonly name: Bilingual; readonly url: string }[];
}

/** The site's accent as a sheet that comes after the tokens; empty where it has none. */
export function accentSheet({ colours }: Pick<SiteFacts, "colours">): string {
  if (colours === undefined) return "";
  const { light, dark } = colours;
  return `:root {
  --water: light-dark(${light.water}, ${dark.water});
  --water-deep: light-dark(${light.deep}, ${dark.deep});
  --water-soft: light-dark(${light.soft}, ${dark.soft});
}
`;
}
