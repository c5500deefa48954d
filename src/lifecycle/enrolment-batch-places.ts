import { serialOf } from "../ca/certificate-record.ts";
import type { Sql } from "../storage/sql.ts";
import type { BatchFault } from "./batch-fault.ts";
import { type CheckedLines, type Invitation, ITEMS_A_STATEMENT } from "./enrolment-batch-check.ts";
import { countPlaces, newestOfEach } from "./places.ts";
import { renewableKey, renewablesOf } from "./renewable.ts";

interface OfDevice extends Invitation {
  readonly deviceId: string;
}

interface Placing {
  readonly now: Date;
  /** In so many places a device may have a certificate. */
  readonly most: number;
}

const isOfDevice = (invitation: Invitation): invitation is OfDevice =>
  invitation.deviceId !== undefined;

/** What becomes of the certificates that the devices of some invitations have, which are at most `ITEMS_A_STATEMENT`. */
async function placeSome(
  sql: Sql,
  some: readonly Invitation[],
  { now, most }: Placing,
): Promise<readonly (Invitation | BatchFault)[]> {
  const known = some.filter(isOfDevice);
  const devices = (place: OfDevice["place"]): readonly string[] =>
    known.flatMap((each) => (each.place === place ? [each.deviceId] : []));
  const renewed = await renewablesOf(
    sql,
    known.filter(({ reason }) => reason === "renewal"),
    now,
  );
  const newest = await newestOfEach(sql, devices("instead"));
  const places = await countPlaces(sql, devices("further"), now);
  const placed = (invitation: OfDevice): Invitation | BatchFault => {
    const { deviceId, line, place, reason } = invitation;
    if (place === "further" && (places.get(deviceId) ?? 0) >= most)
      return { line, column: "place", code: "no-room", about: most };
    if (place === "instead") {
      const serial = newest.get(deviceId);
      return serial === undefined ? invitation : { ...invitation, replaces: serialOf(serial) };
    }
    const found = reason === "renewal" ? renewed.get(renewableKey(invitation)) : undefined;
    if (found === undefined) return invitation;
    return "bar" in found
      ? { line, column: "reason", code: `renewal-${found.bar}` }
      : { ...invitation, replaces: found.serial };
  };
  return some.map((each) => (isOfDevice(each) ? placed(each) : each));
}

/**
 * Says of each invitation for a device which certificate the new one follows: a renewal, the person's newest there, by the rule of
 * a single one (`renewableOf`); one instead of all that it has, its newest. Of any other the person is asked on the page. The rows
 * of the devices are locked where they are to stay so.
 */
export async function placeInvitations(
  sql: Sql,
  { invitations, faults }: CheckedLines,
  placing: Placing,
): Promise<CheckedLines> {
  const placed: Invitation[] = [];
  const found = [...faults];
  for (let from = 0; from < invitations.length; from += ITEMS_A_STATEMENT) {
    const some = invitations.slice(from, from + ITEMS_A_STATEMENT);
    for (const each of await placeSome(sql, some, placing))
      if ("code" in each) found.push(each);
      else placed.push(each);
  }
  return { invitations: placed, faults: found };
}
