/** The accent as pages use it: itself, a stronger one under the pointer, and a breath of it as a ground. `#rrggbb` each. */
export interface Shades {
  readonly water: string;
  readonly deep: string;
  readonly soft: string;
}

export type Scheme = "light" | "dark";

/** What the accent stands on and what stands on it, as `src/web/tokens.css` has them. */
export const GROUNDS = {
  light: { paper: "#f6fafa", card: "#ffffff", "on-water": "#ffffff" },
  dark: { paper: "#0d181d", card: "#14252d", "on-water": "#05222a" },
} as const;

/** WCAG 2.2, 1.4.3 (AA): text of usual size. */
const CONTRAST = 4.5;

type Rgb = readonly [number, number, number];

function rgbOf(colour: string): Rgb {
  const octet = (from: number): number => Number.parseInt(colour.slice(from, from + 2), 16);
  return [octet(1), octet(3), octet(5)];
}

/** So much of the other colour, from 0 to 1. */
function mix(colour: string, other: string, share: number): string {
  const [from, to] = [rgbOf(colour), rgbOf(other)];
  const parts = from.map((part, index) => part * (1 - share) + (to[index] ?? 0) * share);
  return `#${parts.map((part) => Math.round(part).toString(16).padStart(2, "0")).join("")}`;
}

/** Relative luminance as WCAG 2.2 defines it, from 0 to 1. */
function luminance(colour: string): number {
  const [red, green, blue] = rgbOf(colour).map((octet) => {
    const part = octet / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * (red ?? 0) + 0.7152 * (green ?? 0) + 0.0722 * (blue ?? 0);
}

/** The contrast ratio of two colours, from 1 to 21 (WCAG 2.2). */
export function contrast(one: string, other: string): number {
  const [dark = 0, light = 0] = [luminance(one), luminance(other)].toSorted((a, b) => a - b);
  return (light + 0.05) / (dark + 0.05);
}

/** The accent with its shades, in about the proportions of Suido's own. */
export function shadesOf(water: string, scheme: Scheme): Shades {
  return scheme === "light"
    ? { water, deep: mix(water, "#000000", 0.25), soft: mix(water, GROUNDS.light.card, 0.88) }
    : { water, deep: mix(water, "#ffffff", 0.35), soft: mix(water, GROUNDS.dark.paper, 0.88) };
}

function worst(
  water: string,
  scheme: Scheme,
): { readonly against: string; readonly ratio: number } {
  const { soft } = shadesOf(water, scheme);
  const [first = { against: "", ratio: 0 }] = [...Object.values(GROUNDS[scheme]), soft]
    .map((against) => ({ against, ratio: contrast(water, against) }))
    .toSorted((a, b) => a.ratio - b.ratio);
  return first;
}

/** The nearest shade towards black on light pages, towards white on dark ones, that can be read. */
function readable(water: string, scheme: Scheme): string {
  const end = scheme === "light" ? "#000000" : "#ffffff";
  for (let share = 0; share < 1; share += 0.01) {
    const shade = mix(water, end, share);
    if (worst(shade, scheme).ratio >= CONTRAST) return shade;
  }
  return end;
}

/** Why text in this accent, or upon it, could not be read on a page of this scheme, and which colour would do. */
export function accentFault(water: string, scheme: Scheme): string | undefined {
  const { against, ratio } = worst(water, scheme);
  if (ratio >= CONTRAST) return undefined;
  // Rounded down: 4.49 must not read as 4.5.
  const told = Math.floor(ratio * 10) / 10;
  return `has a contrast of ${told}:1 with ${against} of the ${scheme} pages, and needs ${CONTRAST}:1 (WCAG 2.2, 1.4.3): ${readable(water, scheme)} would do`;
}
