import type { Invitation } from "./enrolment-batch-check.ts";
import { MOST_DEVICES } from "./enrolment-request.ts";

/** One invitation for one machine. */
export interface SingleInvitation extends Omit<Invitation, "count"> {
  /** That it is in one mail with others; absent where it has its own, which names its device. */
  readonly requestId?: string;
}

/** Of one person for one reason, of which the mail speaks. */
function byMailbox(invitations: readonly Invitation[]): readonly (readonly Invitation[])[] {
  return [...Map.groupBy(invitations, (each) => `${each.accountId} ${each.reason}`).values()];
}

/**
 * Each machine as an invitation of its own, in the order of the lines, and those of one person for one reason in one mail:
 * nobody is sent twenty. A mail has at most fifty of them.
 */
export function inMails(
  invitations: readonly Invitation[],
  newId: () => string,
): readonly SingleInvitation[] {
  return byMailbox(invitations)
    .flatMap((mailbox) => {
      const singles = mailbox.flatMap(({ count, ...single }) =>
        Array.from({ length: count }, (): SingleInvitation => single),
      );
      const [first, ...others] = singles;
      if (first?.deviceId !== undefined && others.length === 0) return singles;
      const mails = Array.from({ length: Math.ceil(singles.length / MOST_DEVICES) }, newId);
      return singles.map((single, place) => {
        const requestId = mails[Math.floor(place / MOST_DEVICES)];
        return requestId === undefined ? single : Object.assign({ requestId }, single);
      });
    })
    .toSorted((a, b) => a.line - b.line);
}

/** How many mails that makes. */
export function countMails(invitations: readonly Invitation[]): number {
  return byMailbox(invitations.filter(({ hasAddress }) => hasAddress))
    .map((mailbox) => mailbox.reduce((sum, { count }) => sum + count, 0))
    .reduce((sum, devices) => sum + Math.ceil(devices / MOST_DEVICES), 0);
}
