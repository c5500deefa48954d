/**
 * Every screen between a machine that failed and the way of another one (`way/states.ts`), where a person with two factors
 * goes on as anybody who was identified.
 */
export const EMERGENCY_PAGES = [
  "start",
  "code",
  "factor",
  "locked",
  "unprepared",
  "not-allowed",
  "choose",
  "used-up",
] as const;
export type EmergencyPage = (typeof EMERGENCY_PAGES)[number];

/** What can happen to somebody there. */
export const EMERGENCY_EVENTS = [
  "address-given",
  "code-right",
  "code-wrong",
  "factor-right",
  "factor-wrong",
  "factor-locked",
  "device-chosen",
  "time-over",
  "came-back",
  "begun-again",
] as const;
type EmergencyEvent = (typeof EMERGENCY_EVENTS)[number];

/** `way` is where it ends: the page on which a file is made. */
type Next = EmergencyPage | "way";

/** State × event → pages, of which the person's own facts decide one. */
export const EMERGENCY_TABLE: Readonly<
  Record<EmergencyPage, Readonly<Partial<Record<EmergencyEvent, readonly Next[]>>>>
> = {
  start: { "address-given": ["code"], "came-back": ["start"] },
  code: {
    "code-right": ["factor", "locked", "unprepared", "not-allowed"],
    "code-wrong": ["code"],
    "time-over": ["code"],
    "came-back": ["code"],
    "begun-again": ["start"],
  },
  factor: {
    "factor-right": ["choose", "used-up"],
    "factor-wrong": ["factor"],
    "factor-locked": ["locked"],
    "time-over": ["code"],
    "came-back": ["factor"],
    "begun-again": ["start"],
  },
  locked: { "time-over": ["code"], "came-back": ["locked", "factor"], "begun-again": ["start"] },
  unprepared: { "time-over": ["code"], "came-back": ["unprepared"], "begun-again": ["start"] },
  "not-allowed": { "time-over": ["code"], "came-back": ["not-allowed"], "begun-again": ["start"] },
  choose: {
    "device-chosen": ["way", "used-up"],
    "time-over": ["code"],
    "came-back": ["choose"],
  },
  "used-up": { "time-over": ["code"], "came-back": ["used-up"], "begun-again": ["start"] },
};

/** What of a visit decides which page its browser sees. */
export interface EmergencyFacts {
  readonly hasSecond: boolean;
  /** Absent before the first factor. */
  readonly person?: {
    readonly hasApp: boolean;
    readonly hasPasskey: boolean;
    readonly lockedUntil?: Date;
    readonly pharmacies: readonly { readonly left: number }[];
  };
}

/** The page of the browser that has begun. */
export function emergencyPageOf({ hasSecond, person }: EmergencyFacts): EmergencyPage {
  if (person === undefined) return "code";
  const { hasApp, hasPasskey, lockedUntil, pharmacies } = person;
  if (pharmacies.length === 0) return "not-allowed";
  if (!hasApp && !hasPasskey) return "unprepared";
  if (!hasSecond) return lockedUntil !== undefined && !hasPasskey ? "locked" : "factor";
  return pharmacies.every(({ left }) => left === 0) ? "used-up" : "choose";
}
