import { html, type Html } from "./html.ts";
import type { Language } from "./language.ts";

const DAY_MS = 86_400_000;

/** How dates are written for a reader: in their language, and in the zone of the pharmacies. */
export interface DateStyle {
  readonly language: Language;
  readonly timeZone: string;
}

function written(at: Date, options: Intl.DateTimeFormatOptions, style: DateStyle): Html {
  const { language, timeZone } = style;
  const format = new Intl.DateTimeFormat(language === "ja" ? "ja-JP" : "en-GB", {
    ...options,
    timeZone,
  });
  return html`<time datetime="${at.toISOString()}">${format.format(at)}</time>`;
}

/** A day: 2027年12月21日, 21 December 2027. */
export function day(at: Date, style: DateStyle): Html {
  return written(at, { dateStyle: "long" }, style);
}

/** A day as `day` writes it, and a time of day: 2027年12月21日 9:05. */
export function dayAndTime(at: Date, style: DateStyle): Html {
  return written(at, { dateStyle: "long", timeStyle: "short" }, style);
}

/** A day and a time of day, in short. */
export function minute(at: Date, style: DateStyle): Html {
  return written(at, { dateStyle: "medium", timeStyle: "short" }, style);
}

/** Whole days from one time to another; negative when it has passed. */
export function daysBetween(from: Date, to: Date): number {
  return Math.floor((to.getTime() - from.getTime()) / DAY_MS);
}
