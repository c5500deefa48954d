/** How dates are written for a reader: in their language, and in the zone of the pharmacies. */
export interface DateStyle {
  readonly language: "ja" | "en";
  readonly timeZone: string;
}

const DAY_MS = 86_400_000;

/** A day with its weekday: 2027年12月21日(火), Tuesday 21 December 2027. */
export function dayOf(at: Date, { language, timeZone }: DateStyle): string {
  const format = new Intl.DateTimeFormat(language === "ja" ? "ja-JP" : "en-GB", {
    year: "numeric",
    month: "long",
    day: "numeric",
    weekday: language === "ja" ? "short" : "long",
    timeZone,
  });
  return format.format(at);
}

/** A day as it stands in a subject: 12月21日, 21 December. */
export function shortDayOf(at: Date, { language, timeZone }: DateStyle): string {
  const format = new Intl.DateTimeFormat(language === "ja" ? "ja-JP" : "en-GB", {
    month: "long",
    day: "numeric",
    timeZone,
  });
  return format.format(at);
}

/** The hour and minute: 23:59. */
export function timeOf(at: Date, { timeZone }: DateStyle): string {
  return new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", timeZone }).format(
    at,
  );
}

/** Days in the calendar of the zone: 0 on the same day, 1 on the day before. */
export function calendarDaysBetween(from: Date, to: Date, timeZone: string): number {
  return Math.round((midnight(to, timeZone) - midnight(from, timeZone)) / DAY_MS);
}

/** The date in the zone, as if it were a date of UTC. */
function midnight(at: Date, timeZone: string): number {
  const parts = new Intl.DateTimeFormat("en-CA", { timeZone, dateStyle: "short" }).format(at);
  return Date.parse(`${parts}T00:00:00Z`);
}
