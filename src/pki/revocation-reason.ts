/** The reasons that a full CRL may give, with their CRLReason values (RFC 5280 §5.3.1). 7 is not used; 8 is for deltas only. */
export const REASON_CODES = {
  unspecified: 0,
  keyCompromise: 1,
  cACompromise: 2,
  affiliationChanged: 3,
  superseded: 4,
  cessationOfOperation: 5,
  certificateHold: 6,
  privilegeWithdrawn: 9,
  aACompromise: 10,
} as const;

export type RevocationReason = keyof typeof REASON_CODES;
export type ReasonCode = (typeof REASON_CODES)[RevocationReason];

/** The name of a CRLReason value, or undefined for one that nobody may publish. */
export function reasonName(code: number): RevocationReason | undefined {
  for (const [name, value] of Object.entries(REASON_CODES)) {
    if (value === code) return name as RevocationReason;
  }
  return undefined;
}
