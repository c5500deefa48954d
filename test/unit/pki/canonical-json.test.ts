import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { canonicalJson } from "../../../src/pki/canonical-json.ts";

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
  ] as const satisfies readonly (readonly [string, unknown, string])[])("%s", ([, value, text]) => {
    expect(canonicalJson(value)).toBe(text);
  });

  it("is JSON of the same value, whatever the order of its members", () => {
    fc.assert(
      fc.property(fc.jsonValue({ noUnicodeString: false }), (value) => {
        const text = canonicalJson(value);
        expect(canonicalJson(JSON.parse(text))).toBe(text);
        expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
  });

  it("leaves members out that are undefined", () => {
    expect(canonicalJson({ b: undefined, a: { c: undefined } })).toBe('{"a":{}}');
  });
});
