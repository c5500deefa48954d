import type { OcspOutcome } from "./responder.ts";

/** Counts of answers, kept as plain numbers: the path of an answer touches nothing else. */
export type OcspCounts = Record<OcspOutcome, number>;

export const newOcspCounts = (): OcspCounts => ({
  good: 0,
  revoked: 0,
  unknown: 0,
  malformedRequest: 0,
  internalError: 0,
  tryLater: 0,
  sigRequired: 0,
  unauthorized: 0,
});

/** All of them together. */
export function sumOfCounts(all: readonly OcspCounts[]): OcspCounts {
  const sum = newOcspCounts();
  for (const counts of all) {
    for (const outcome of Object.keys(sum) as OcspOutcome[]) sum[outcome] += counts[outcome];
  }
  return sum;
}
