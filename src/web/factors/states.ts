/** Every screen on which a person prepares for a night: enrols a second way to confirm who they are. */
export const FACTOR_PAGES = ["link", "unknown", "closed", "list", "confirm"] as const;
export type FactorPage = (typeof FACTOR_PAGES)[number];

/** What can happen to somebody there. */
export const FACTOR_EVENTS = [
  "begin-pressed",
  "begin-refused",
  "app-wanted",
  "passkey-made",
  "passkey-refused",
  "code-right",
  "code-wrong",
  "removed",
  "time-over",
  "came-back",
] as const;
type FactorEvent = (typeof FACTOR_EVENTS)[number];

/** State × event → page, as the table of the way has it (`way/states.ts`). */
export const FACTOR_TABLE: Readonly<
  Record<FactorPage, Readonly<Partial<Record<FactorEvent, FactorPage>>>>
> = {
  link: { "begin-pressed": "list", "begin-refused": "closed", "came-back": "link" },
  unknown: { "begin-pressed": "list", "begin-refused": "closed", "came-back": "unknown" },
  closed: { "begin-pressed": "list", "begin-refused": "closed", "came-back": "closed" },
  list: {
    "app-wanted": "confirm",
    "passkey-made": "list",
    "passkey-refused": "list",
    removed: "list",
    "time-over": "closed",
    "came-back": "list",
  },
  confirm: {
    "code-right": "list",
    "code-wrong": "confirm",
    "passkey-made": "list",
    removed: "confirm",
    "time-over": "closed",
    "came-back": "confirm",
  },
};
