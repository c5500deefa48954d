import { describe, expect, it } from "vitest";

import { newOcspCounts } from "../../../src/va/ocsp-counts.ts";
import { combineStatus, type ProcessState, type VaStatus } from "../../../src/va/va-status.ts";

const at = (minute: number): Date => new Date(Date.UTC(2026, 10, 26, 9, minute));

const ready: VaStatus = {
  ready: true,
  reasons: [],
  processes: { count: 1, ready: 1 },
  certificates: 10,
  knownAt: at(10),
  statusOctets: 320,
  cachedAnswers: 4,
  answers: { ...newOcspCounts(), good: 5 },
  issuers: [{ id: "issuing-g1", delegateFrom: at(1), delegateUntil: at(50) }],
  lists: [
    { issuerId: "issuing-g1", scope: "full", number: 7n, thisUpdate: at(5), nextUpdate: at(55) },
  ],
};

const other = (number: number, more: Partial<ProcessState> = {}): ProcessState => ({
  number,
  status: ready,
  fault: undefined,
  answeredBefore: newOcspCounts(),
  ...more,
});

describe("combineStatus", () => {
  it("leaves one process as it is", () => {
    expect(combineStatus(ready, [])).toBe(ready);
  });

  it("adds what adds up, with what processes answered that are gone", () => {
    const answeredBefore = { ...newOcspCounts(), good: 100, revoked: 1 };
    expect(combineStatus(ready, [other(2), other(3, { answeredBefore })])).toMatchObject({
      ready: true,
      processes: { count: 3, ready: 3 },
      statusOctets: 960,
      cachedAnswers: 12,
      answers: { good: 115, revoked: 1 },
    });
  });

  it("shows the worst of ages, ends and sizes", () => {
    const worse: VaStatus = {
      ...ready,
      certificates: 9,
      knownAt: at(2),
      issuers: [{ id: "issuing-g1", delegateFrom: at(0), delegateUntil: at(20) }],
      lists: [{ ...ready.lists[0], number: 6n, thisUpdate: at(1) }] as VaStatus["lists"],
    };
    expect(combineStatus(ready, [other(2, { status: worse }), other(3)])).toMatchObject({
      certificates: 9,
      knownAt: at(2),
      issuers: [{ delegateUntil: at(20) }],
      lists: [{ number: 6n, thisUpdate: at(1) }],
    });
  });

  it("does not know what one of them does not know", () => {
    const status = { ...ready, knownAt: undefined };
    expect(combineStatus(ready, [other(2, { status })]).knownAt).toBeUndefined();
  });

  it("says which is not ready, and why", () => {
    const lame = { ...ready, ready: false, reasons: ["no-delegate"] };
    const states = [
      other(2, { status: lame }),
      other(3, { status: undefined, fault: "it is starting" }),
      other(4),
    ];
    expect(combineStatus({ ...lame, reasons: ["status-too-old"] }, states)).toMatchObject({
      ready: false,
      reasons: ["status-too-old", "process 2: no-delegate", "process 3: it is starting"],
      processes: { count: 4, ready: 1 },
      certificates: 10,
    });
  });
});
