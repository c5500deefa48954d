import { expect, it } from "vitest";

import type { Invitation } from "../../../src/lifecycle/enrolment-batch-check.ts";
import { countMails, inMails } from "../../../src/lifecycle/enrolment-batch-mails.ts";

const invitation = (line: number, fields: Partial<Invitation> = {}): Invitation => ({
  line,
  accountId: "taro",
  hasAddress: true,
  pharmacyId: "p",
  count: 1,
  reason: "first",
  ...fields,
});

/** Which mail each machine is in, in the order of the lines. */
function mailsOf(invitations: readonly Invitation[]): readonly (string | undefined)[] {
  let made = 0;
  return inMails(invitations, () => `m${(made += 1)}`).map(({ requestId }) => requestId);
}

it.for<[string, readonly Invitation[], readonly (string | undefined)[], number]>([
  ["a device alone in its own", [invitation(2, { deviceId: "d" })], [undefined], 1],
  ["a machine without a name in one that does not name it", [invitation(2)], ["m1"], 1],
  [
    "those of one person in one, although others stand between them",
    [
      invitation(2, { deviceId: "d" }),
      invitation(3, { accountId: "hanako", deviceId: "e" }),
      invitation(4, { count: 2 }),
    ],
    ["m1", undefined, "m1", "m1"],
    2,
  ],
  [
    "another reason in another one",
    [invitation(2, { count: 2 }), invitation(3, { count: 2, reason: "support" })],
    ["m1", "m1", "m2", "m2"],
    2,
  ],
  [
    "fifty at most",
    [invitation(2, { count: 50 }), invitation(3)],
    [...Array.from({ length: 50 }, () => "m1"), "m2"],
    2,
  ],
  ["none where there is no address", [invitation(2, { hasAddress: false })], ["m1"], 0],
])("puts %s", ([, invitations, mails, count]) => {
  expect(mailsOf(invitations)).toEqual(mails);
  expect(countMails(invitations)).toBe(count);
});
