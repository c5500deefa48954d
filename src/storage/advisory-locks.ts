/**
 * Our advisory locks: (class, number). They are one table, because two uses of the same number wait for each other for
 * ever. The migrations' SQL names its own by the same numbers.
 */
export const ADVISORY_LOCK_CLASS = 727_077;

export const ADVISORY_LOCK = {
  /** Taken by whoever changes a status: changes are numbered in the order of their commits. */
  changes: 1,
  /** The audit log's sequencer. */
  auditSequencer: 2,
  /** Planning of expiry mails; taken inside app.plan_expiry_mails. */
  mailPlanning: 3,
  /** Preparing the queue's schema. */
  queueSchema: 4,
  /** Held by the one signer for as long as it lives. */
  signer: 5,
} as const;

/** The two arguments of `pg_advisory_lock` and its siblings, as SQL. */
export function advisoryLock(name: keyof typeof ADVISORY_LOCK): string {
  return `${ADVISORY_LOCK_CLASS}, ${ADVISORY_LOCK[name]}`;
}
