import { describe, expect, it } from "vitest";

import { type AuditRow, leafBytes, rowHash } from "../../../src/audit/leaf.ts";

const ROW: AuditRow = {
  id: "0193b2a4-1f00-7000-8000-000000000001",
  at: "2026-11-21T03:04:05.678000Z",
  actor: "api-key:0193b2a4-1f00-7000-8000-000000000002",
  action: "pharmacy.created",
  subject: "pharmacy/0193b2a4-1f00-7000-8000-000000000003",
  corporation_id: null,
  detail: { b: [1, null], a: "水道" },
};

describe("leafBytes", () => {
  it("is the row's canonical JSON in UTF-8", () => {
    expect(leafBytes(ROW).toString()).toBe(
      '{"action":"pharmacy.created","actor":"api-key:0193b2a4-1f00-7000-8000-000000000002",' +
        '"at":"2026-11-21T03:04:05.678000Z","corporationId":null,"detail":{"a":"水道","b":[1,null]},' +
        '"id":"0193b2a4-1f00-7000-8000-000000000001","subject":"pharmacy/0193b2a4-1f00-7000-8000-000000000003"}',
    );
  });

  it.for([
    { id: "0193b2a4-1f00-7000-8000-0000000000ff" },
    { at: "2026-11-21T03:04:05.678001Z" },
    { actor: "worker" },
    { action: "pharmacy.deleted" },
    { subject: "pharmacy/0193b2a4-1f00-7000-8000-0000000000ff" },
    { corporation_id: "0193b2a4-1f00-7000-8000-0000000000ff" },
    { detail: { b: [1, null], a: "水" } },
  ])("another hash for a row with %o", (change) => {
    expect(rowHash({ ...ROW, ...change }).equals(rowHash(ROW))).toBe(false);
  });
});
