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
  expect(statusOf({ state, not_after: END, ca_revoked_at: null }, now)).toBe(status);
});

it.for(states)("$state at $now is shown as revoked when its CA was", ({ state, now }) => {
  const row = { state, not_after: END, ca_revoked_at: before };
  expect(statusOf(row, now)).toBe("revoked");
});

it("is revoked with its CA since the CA was, unless it was before", () => {
  const dead = { reason: null, revoked_at: null, ca_revoked_at: before } as const;
  const withCa = { reason: "cACompromise", revokedAt: before };
  expect(revocationOf({ ...dead, state: "good" })).toEqual(withCa);
  expect(revocationOf({ ...dead, state: "hold", reason: 6, revoked_at: END })).toEqual(withCa);
  const own = { ...dead, state: "revoked", reason: 4, revoked_at: END } as const;
  expect(revocationOf(own)).toEqual({ reason: "superseded", revokedAt: END });
});

it.for(Object.entries(REASON_CODES))(
  "the reason %s is the code %i, there and back",
  ([name, code]) => {
    expect(REASON_CODES[parseReason(name)]).toBe(code);
    const row = { state: "revoked", reason: code, revoked_at: END, ca_revoked_at: null } as const;
    expect(revocationOf(row)).toEqual({
      reason: name,
      revokedAt: END,
    });
  },
);

it("a row that is not revoked has neither reason nor date", () => {
  const row = { state: "good", reason: null, revoked_at: null, ca_revoked_at: null } as const;
  expect(revocationOf(row)).toEqual({});
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
