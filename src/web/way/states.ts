/**
 * Every screen that a person can stand before between invitation and use. `limited`, `unknown` and `elsewhere` are of no
 * enrolment; `done` is the link of one that was proven, `proven` and `used` the page of the browser that did it.
 */
export const WAY_PAGES = [
  "code",
  "limited",
  "invited",
  "unknown",
  "elsewhere",
  "identify",
  "otherPerson",
  "make",
  "proven",
  "used",
  "stopped",
  "expired",
  "replaced",
  "withdrawn",
  "done",
] as const;
export type WayPage = (typeof WAY_PAGES)[number];

/** What can happen to somebody on the way. */
export const WAY_EVENTS = [
  "code-entered",
  "code-wrong",
  "guesses-spent",
  "begin-pressed",
  "identified",
  "signed-in-as-other",
  "file-made",
  "came-back",
  "check-passed",
  "check-failed",
  "product-used",
  "begun-elsewhere",
  "time-over",
  "taken-back",
  "newer-made",
  "certificate-stopped",
] as const;
type WayEvent = (typeof WAY_EVENTS)[number];

/** What becomes of an open enrolment wherever its browser stands. */
const ENDINGS = {
  "begun-elsewhere": "elsewhere",
  "time-over": "expired",
  "taken-back": "withdrawn",
  "newer-made": "replaced",
} as const;

const CODE = {
  "code-entered": "identify",
  "code-wrong": "code",
  "guesses-spent": "limited",
  "came-back": "code",
} as const;

/** State × event → page. What a state does not name cannot happen to it; each names at least one way on. */
export const WAY_TABLE: Readonly<Record<WayPage, Readonly<Partial<Record<WayEvent, WayPage>>>>> = {
  code: CODE,
  limited: CODE,
  unknown: CODE,
  elsewhere: { ...CODE, "begin-pressed": "identify" },
  expired: CODE,
  replaced: CODE,
  withdrawn: CODE,
  done: CODE,
  invited: { "begin-pressed": "identify", "came-back": "invited", ...ENDINGS },
  identify: {
    identified: "make",
    "signed-in-as-other": "otherPerson",
    "came-back": "identify",
    ...ENDINGS,
  },
  otherPerson: {
    identified: "make",
    "signed-in-as-other": "otherPerson",
    "came-back": "identify",
    ...ENDINGS,
  },
  make: {
    "file-made": "make",
    "came-back": "make",
    "check-passed": "proven",
    "check-failed": "make",
    "certificate-stopped": "stopped",
    ...ENDINGS,
  },
  proven: { "product-used": "used", "came-back": "proven", "certificate-stopped": "stopped" },
  used: { "came-back": "used", "certificate-stopped": "stopped" },
  stopped: { ...CODE, "came-back": "stopped" },
};

/** What of an enrolment decides which page its browser sees. */
export interface WayFacts {
  readonly state:
    | "invited"
    | "started"
    | "identified"
    | "issued"
    | "proven"
    | "expired"
    | "withdrawn";
  readonly isReplaced: boolean;
  readonly certificate?: { readonly isGood: boolean; readonly usedAt?: Date };
}

const OF_STATE: Readonly<Record<WayFacts["state"], WayPage>> = {
  invited: "identify",
  started: "identify",
  identified: "make",
  issued: "make",
  proven: "proven",
  expired: "expired",
  withdrawn: "withdrawn",
};

/** The page of the browser that has begun it. */
export function pageOf({ state, isReplaced, certificate }: WayFacts): WayPage {
  if (isReplaced) return "replaced";
  const isMade = state === "issued" || state === "proven";
  if (isMade && certificate?.isGood === false) return "stopped";
  if (state === "proven" && certificate?.usedAt !== undefined) return "used";
  return OF_STATE[state];
}

/** The page of whoever opens a link, whichever browser has begun it. */
export function linkPageOf({ state, isReplaced }: Pick<WayFacts, "state" | "isReplaced">): WayPage {
  if (isReplaced) return "replaced";
  if (state === "proven") return "done";
  return state === "expired" || state === "withdrawn" ? state : "invited";
}
