import { expect, it } from "vitest";
import {
  type CertificateStatus,
  revocationOf,
  statusOf,
} from "../../../src/ca/certificate-record.ts";
import { daysLeft } from "../../../src/pki/validity.ts";
import { parseReason } from "../../../src/ca/revocation.ts";
import { REASON_CODES } from "../../../src/pki/revocation-reason.ts";

const END = new Date("2027-12-21T14:59:59Z");
const before = new Date(END.getTime() - 1);
const after = new Date(END.getTime() + 1);

const states: readonly {
  state: "good" | "hold" | "revoked";
  now: Date;
  status: CertificateStatus;
}[] = [
  { state: "good", now: before, status: "good" },
  { state: "good", now: END, status: "good" },
  { state: "good", now: after, status: "expired" },
  { state: "hold", now: END, status: "hold" },
  { state: "hold", now: after, status: "expired" },
  { state: "revoked", now: before, status: "revoked" },
  { state: "revoked", now: after, status: "revoked" },
];

it.for(states)("$state at $now is shown as $status", ({ state, now, status }) => {
  expect(statusOf({ state, not_after: END }, now)).toBe(status);
});

it.for(Object.entries(REASON_CODES))(
  "the reason %s is the code %i, there and back",
  ([name, code]) => {
    expect(REASON_CODES[parseReason(name)]).toBe(code);
    expect(revocationOf({ reason: code, revoked_at: END })).toEqual({
      reason: name,
      revokedAt: END,
    });
  },
);

it("a row that is not revoked has neither reason nor date", () => {
  expect(revocationOf({ reason: null, revoked_at: null })).toEqual({});
});

it.for(["removeFromCRL", "", "1", "keycompromise", "toString", "constructor"])(
  "refuses the reason %o",
  (name) => {
    expect(() => parseReason(name)).toThrow(
      expect.objectContaining({ code: "invalid-value", field: "reason" }),
    );
  },
);

it.for([
  [END, 0],
  [new Date(END.getTime() - 86_400_000 + 1), 0],
  [new Date(END.getTime() - 86_400_000), 1],
  [new Date(END.getTime() - 365 * 86_400_000), 365],
  [after, 0],
] as const)("at %o there are %i whole days left", ([now, days]) => {
  expect(daysLeft(END, now)).toBe(days);
});
