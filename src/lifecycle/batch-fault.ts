/** What a line of many invitations may name. */
export const BATCH_COLUMNS = ["account", "pharmacy", "device", "count", "reason", "place"] as const;
export type BatchColumn = (typeof BATCH_COLUMNS)[number];

/** Why a line that is well-formed cannot become an invitation. Stable: part of the API. */
export type BatchFaultCode =
  | "account-form"
  | "account-unknown"
  | "account-ambiguous"
  | "account-disabled"
  | "pharmacy-unknown"
  | "device-unknown"
  | "device-needs-pharmacy"
  | "device-retired"
  | "device-elsewhere"
  | "device-twice"
  | "not-a-member"
  | "renewal-revoked"
  | "renewal-on-hold"
  | "renewal-too-late"
  | "no-room";

/** What is wrong with one of many invitations. */
export interface BatchFault {
  /** In the file, from 1. */
  readonly line: number;
  readonly column: BatchColumn;
  readonly code: BatchFaultCode;
  /** What its sentence tells: how many, how many at most, or in which other line. */
  readonly about?: number;
}
