/** Why a certificate that was shown identifies nobody. */
export const REFUSAL_REASONS = [
  "malformed",
  /** Signed by no issuing CA of ours. */
  "foreign-issuer",
  /** Signed by ours, but not what we have in the books. */
  "unknown",
  "revoked",
  "expired",
  "hold",
  "not-yet-valid",
  /** Ours and alive, but it stands for no device now. */
  "unbound",
  "device-retired",
  /** Of a personal device; a shared one works on when somebody leaves. */
  "account-disabled",
  "membership-ended",
  /** The corporation's epoch is behind what was known: its rows are those of an older database. */
  "tenant-behind",
] as const;
export type RefusalReason = (typeof REFUSAL_REASONS)[number];

/** What becomes of a certificate by itself. */
export interface Life {
  readonly state: "good" | "hold" | "revoked";
  readonly notBefore: Date;
  readonly notAfter: Date;
}

/**
 * Why a certificate is not alive: revoked > expired > hold > not yet valid. It is still good in its last second (RFC 5280
 * §4.1.2.5).
 */
export function lifeFault(
  { state, notBefore, notAfter }: Life,
  now: Date,
): RefusalReason | undefined {
  if (state === "revoked") return "revoked";
  if (notAfter < now) return "expired";
  if (state === "hold") return "hold";
  return now < notBefore ? "not-yet-valid" : undefined;
}

/** What stands behind a certificate now. */
export interface Standing {
  readonly isRetired: boolean;
  readonly isPersonal: boolean;
  /** The account that is responsible. */
  readonly isDisabled: boolean;
  /** Whether that account works in the device's pharmacy now. */
  readonly isMember: boolean;
}

/** A shared device is its pharmacy's, whoever answers for it; a personal one ends with its person's work there. */
export function standingFault({
  isRetired,
  isPersonal,
  isDisabled,
  isMember,
}: Standing): RefusalReason | undefined {
  if (isRetired) return "device-retired";
  if (!isPersonal) return undefined;
  if (isDisabled) return "account-disabled";
  return isMember ? undefined : "membership-ended";
}
