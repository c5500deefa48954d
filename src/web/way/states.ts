/**
 * Every screen that a person can stand before between invitation and use. `limited`, `unknown` and `elsewhere` are of no
 * enrolment; `done` is the link of one that was proven, `proven` and `used` the page of the browser that did it. A link of
 * one whose time is over is `lapsed` where a new one can be sent, and `expired` where it cannot. A renewal is `late` when the old
 * certificate expired too long ago, and `barred` when that one was stopped: never, then, and for the person to call.
 */
export const WAY_PAGES = [
  "code",
  "limited",
  "invited",
  "unknown",
  "elsewhere",
  "identify",
  "otherPerson",
  "name",
  "replace",
  "place",
  "make",
  "proven",
  "used",
  "another",
  "held",
  "stopped",
  "expired",
  "lapsed",
  "resent",
  "enough",
  "replaced",
  "withdrawn",
  "late",
  "barred",
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
  "identified-unnamed",
  "identified-in-use",
  "named",
  "name-refused",
  "name-in-use",
  "name-taken",
  "place-chosen",
  "place-full",
  "another-asked",
  "new-asked",
  "new-asked-often",
  "file-made",
  "came-back",
  "check-passed",
  "check-failed",
  "other-place-shown",
  "product-used",
  "begun-elsewhere",
  "time-over",
  "taken-back",
  "newer-made",
  "certificate-stopped",
  "renewal-late",
  "old-stopped",
  "device-held",
  "device-released",
  "released-in-use",
  "identified-held",
] as const;
type WayEvent = (typeof WAY_EVENTS)[number];

/** What becomes of an open enrolment wherever its browser stands. */
const ENDINGS = {
  "begun-elsewhere": "elsewhere",
  "time-over": "expired",
  "taken-back": "withdrawn",
  "newer-made": "replaced",
} as const;

/** What may become of the certificate that is to be renewed, until there is another. */
const OLD_ENDINGS = { "renewal-late": "late", "old-stopped": "barred" } as const;

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
  lapsed: { ...CODE, "new-asked": "resent", "new-asked-often": "enough", "came-back": "lapsed" },
  resent: CODE,
  enough: CODE,
  replaced: CODE,
  withdrawn: CODE,
  late: { ...CODE, "came-back": "late" },
  barred: { ...CODE, "came-back": "barred" },
  done: CODE,
  invited: { "begin-pressed": "identify", "came-back": "invited", ...ENDINGS },
  identify: {
    identified: "make",
    "identified-unnamed": "name",
    "identified-in-use": "place",
    "identified-held": "held",
    "signed-in-as-other": "otherPerson",
    "came-back": "identify",
    ...OLD_ENDINGS,
    ...ENDINGS,
  },
  otherPerson: {
    identified: "make",
    "identified-unnamed": "name",
    "identified-in-use": "place",
    "identified-held": "held",
    "signed-in-as-other": "otherPerson",
    "came-back": "identify",
    ...OLD_ENDINGS,
    ...ENDINGS,
  },
  name: {
    named: "make",
    "name-refused": "name",
    "name-in-use": "replace",
    "came-back": "name",
    ...ENDINGS,
  },
  replace: {
    named: "make",
    "place-full": "replace",
    "device-held": "held",
    "came-back": "name",
    ...ENDINGS,
  },
  // The device was given, and has a certificate in use.
  place: {
    "place-chosen": "make",
    "place-full": "place",
    "device-held": "held",
    "came-back": "place",
    ...ENDINGS,
  },
  make: {
    "file-made": "make",
    "name-taken": "name",
    "came-back": "make",
    "check-passed": "proven",
    "check-failed": "make",
    // The check says that this browser works already; whoever needs the new one all the same goes on here.
    "other-place-shown": "make",
    "place-full": "place",
    "device-held": "held",
    "certificate-stopped": "stopped",
    ...OLD_ENDINGS,
    ...ENDINGS,
  },
  // Somebody of the pharmacy has stopped the device: there is no certificate for it until the manager lets it go on.
  held: {
    "device-released": "make",
    "released-in-use": "place",
    "came-back": "held",
    ...ENDINGS,
  },
  proven: {
    "product-used": "used",
    "another-asked": "another",
    "came-back": "proven",
    "certificate-stopped": "stopped",
  },
  used: { "another-asked": "another", "came-back": "used", "certificate-stopped": "stopped" },
  another: { "came-back": "proven" },
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
  /** Whether it is known which device it is for. */
  readonly isNamed: boolean;
  /** Whether it has to be said what becomes of the device's certificates. */
  readonly isPlaceOpen: boolean;
  /** Whether somebody of the pharmacy has stopped the device. */
  readonly isHeld: boolean;
  /** Why the certificate that is to be renewed cannot be: it ended too long ago, or was stopped. */
  readonly notRenewable?: "late" | "barred";
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

/** What the person is to say before there can be a certificate. */
function questionOf({ isNamed, isPlaceOpen }: WayFacts): WayPage | undefined {
  if (!isNamed) return "name";
  return isPlaceOpen ? "place" : undefined;
}

/** Before there is a certificate, and with one. */
const BEFORE: ReadonlySet<WayFacts["state"]> = new Set(["started", "identified"]);
const MADE: ReadonlySet<WayFacts["state"]> = new Set(["issued", "proven"]);

/** What keeps a certificate from whoever has begun: until the manager lets the device go on, or for good. */
function obstacleOf({ isHeld, notRenewable, state }: WayFacts): WayPage | undefined {
  if (isHeld && (state === "identified" || state === "issued")) return "held";
  return BEFORE.has(state) ? notRenewable : undefined;
}

/** The page of the browser that has begun it. */
export function pageOf(facts: WayFacts): WayPage {
  const { certificate, isReplaced, state } = facts;
  if (isReplaced) return "replaced";
  const obstacle = obstacleOf(facts);
  if (obstacle !== undefined) return obstacle;
  if (state === "identified") return questionOf(facts) ?? OF_STATE[state];
  if (MADE.has(state) && certificate?.isGood === false) return "stopped";
  if (state === "proven" && certificate?.usedAt !== undefined) return "used";
  return OF_STATE[state];
}

/** What of an enrolment decides which page its link shows. */
type LinkFacts = Pick<WayFacts, "state" | "isReplaced"> & { readonly offersAnew: boolean };

/** The page of whoever opens a link, whichever browser has begun it. */
export function linkPageOf({ state, isReplaced, offersAnew }: LinkFacts): WayPage {
  if (isReplaced) return "replaced";
  if (offersAnew) return "lapsed";
  if (state === "proven") return "done";
  return state === "expired" || state === "withdrawn" ? state : "invited";
}
