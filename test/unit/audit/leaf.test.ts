import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { canonicalJson } from "../../../src/audit/canonical-json.ts";
import { type AuditRow, leafBytes, rowHash } from "../../../src/audit/leaf.ts";
import type { Json } from "../../../src/audit/record.ts";

const ROW: AuditRow = {
  id: "0193b2a4-1f00-7000-8000-000000000001",
  at: "2026-11-21T03:04:05.678000Z",
  actor: "api-key:0193b2a4-1f00-7000-8000-000000000002",
  action: "pharmacy.created",
  subject: "pharmacy/0193b2a4-1f00-7000-8000-000000000003",
  corporation_id: null,
  detail: { b: [1, null], a: "水道" },
};

describe("canonicalJson", () => {
  it.for([
    [
      "RFC 8785 §3.2.2: numbers",
      [JSON.parse("333333333.33333329") as number, 1e30, 4.5, 2e-3, 1e-27],
      "[333333333.3333333,1e+30,4.5,0.002,1e-27]",
    ],
    [
      "RFC 8785 §3.2.2.2: strings",
      '\u20ac$\u000f\nA\'B"\\"/',
      '"\u20ac$\\u000f\\nA\'B\\"\\\\\\"/"',
    ],
    ["RFC 8785 §3.2.2.1: literals", [null, true, false], "[null,true,false]"],
    [
      "RFC 8785 §3.2.3: names in the order of UTF-16 code units",
      { "\u20ac": 1, "\r": 2, "\ufb33": 3, "1": 4, "\ud83d\ude00": 5, "\u0080": 6, "\u00f6": 7 },
      '{"\\r":2,"1":4,"\u0080":6,"\u00f6":7,"\u20ac":1,"\ud83d\ude00":5,"\ufb33":3}',
    ],
    [
      "nested",
      { b: { d: [], c: {} }, a: [{ z: 1, y: 2 }] },
      '{"a":[{"y":2,"z":1}],"b":{"c":{},"d":[]}}',
    ],
  ] as const satisfies readonly (readonly [string, Json, string])[])("%s", ([, value, text]) => {
    expect(canonicalJson(value)).toBe(text);
  });

  it("is JSON of the same value, whatever the order of its members", () => {
    fc.assert(
      fc.property(fc.jsonValue({ noUnicodeString: false }), (value) => {
        const text = canonicalJson(value as Json);
        expect(canonicalJson(JSON.parse(text) as Json)).toBe(text);
        expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
  });
});

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
