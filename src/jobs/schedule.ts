/** Everything that Suido does by itself. */
export const JOB_NAMES = [
  "lists",
  "rotate",
  "reminders",
  "mail",
  "audit",
  "expiry-watch",
  "probe",
  "parties",
  "bulk",
  "enrolments",
  "supersede",
  "forget",
] as const;

export type JobName = (typeof JOB_NAMES)[number];

const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;

/** How often a job looks whether something is due. What is due is a row: looking too often or twice does no harm. */
export interface Rhythm {
  /** Every so many milliseconds, or at these times (second, minute, hour, …) of the pharmacies' zone. */
  readonly on: { readonly every: number } | { readonly pattern: string };
  /** When the queue has not brought the job for so long, the sweeper does it, in milliseconds. */
  readonly sweptAfter: number;
}

export const SCHEDULE: Readonly<Record<JobName, Rhythm>> = {
  // An urgent revocation is on the lists within 60 s (docs/decisions.md).
  lists: { on: { every: 15 * SECOND_MS }, sweptAfter: 30 * SECOND_MS },
  rotate: { on: { every: 10 * MINUTE_MS }, sweptAfter: 20 * MINUTE_MS },
  // At the full hour of the zone, and so just after 09:00 too, when a day's reminders become due.
  reminders: { on: { pattern: "5 0 * * * *" }, sweptAfter: HOUR_MS + 10 * MINUTE_MS },
  mail: { on: { every: 10 * SECOND_MS }, sweptAfter: 30 * SECOND_MS },
  audit: { on: { every: 5 * SECOND_MS }, sweptAfter: 30 * SECOND_MS },
  "expiry-watch": { on: { every: HOUR_MS }, sweptAfter: HOUR_MS + 10 * MINUTE_MS },
  probe: { on: { every: MINUTE_MS }, sweptAfter: 3 * MINUTE_MS },
  parties: { on: { every: MINUTE_MS }, sweptAfter: 3 * MINUTE_MS },
  bulk: { on: { every: 2 * SECOND_MS }, sweptAfter: 30 * SECOND_MS },
  enrolments: { on: { every: MINUTE_MS }, sweptAfter: 3 * MINUTE_MS },
  supersede: { on: { every: 10 * MINUTE_MS }, sweptAfter: 20 * MINUTE_MS },
  forget: { on: { pattern: "0 30 3 * * *" }, sweptAfter: 25 * HOUR_MS },
};
