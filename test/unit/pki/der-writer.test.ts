import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { toHex } from "../../../src/pki/bytes.ts";
import { DerWriter } from "../../../src/pki/der-writer.ts";
import { generalizedTime, octetString, sequence, time } from "../../../src/pki/der.ts";

/** What the writer makes of one call. */
function written(write: (into: DerWriter) => void): string {
  const into = new DerWriter(100_000);
  write(into);
  return toHex(into.finish());
}

describe("DerWriter agrees with der.ts", () => {
  it("on every date of the years 1950 to 9999", () => {
    const dates = fc.date({
      min: new Date("1950-01-01T00:00:00Z"),
      max: new Date("9999-12-31T23:59:59.999Z"),
      noInvalidDate: true,
    });
    fc.assert(
      fc.property(dates, (at) => {
        expect(written((into) => into.time(at.getTime()))).toBe(toHex(time(at)));
        expect(written((into) => into.generalizedTime(at))).toBe(toHex(generalizedTime(at)));
      }),
    );
  });

  it.for([
    ["2049-12-31T23:59:59Z", "170d3439313233313233353935395a"],
    ["2050-01-01T00:00:00Z", "180f32303530303130313030303030305a"],
    ["2000-02-29T12:34:56Z", "170d3030303232393132333435365a"],
    ["1969-12-31T23:59:59Z", "170d3639313233313233353935395a"],
  ] as const)("and writes %s as %s", ([iso, hex]) => {
    expect(written((into) => into.time(Date.parse(iso)))).toBe(hex);
  });

  it.for([0, 1, 127, 128, 255, 256, 65_535, 65_536])("on headers around %d octets", (length) => {
    const content = new Uint8Array(length).fill(7);
    const hex = written((into) => {
      const end = into.mark;
      into.bytes(content);
      into.wrap(0x04, end);
      into.wrap(0x30, end);
    });
    expect(hex).toBe(toHex(sequence(octetString(content))));
  });
});

describe("DerWriter refuses", () => {
  it.for(["1949-12-31T23:59:59Z", "+010000-01-01T00:00:00Z"])("the date %s", (iso) => {
    expect(() => written((into) => into.time(Date.parse(iso)))).toThrow(RangeError);
  });

  it("a date that is none", () => {
    expect(() => written((into) => into.time(Number.NaN))).toThrow(RangeError);
  });

  it.for([
    { name: "octets", write: (into: DerWriter) => [1, 2, 3].forEach((octet) => into.octet(octet)) },
    { name: "bytes", write: (into: DerWriter) => into.bytes(new Uint8Array(3)) },
    { name: "a header", write: (into: DerWriter) => [2, 2].forEach(() => into.wrap(0x30, 2)) },
  ])("more $name than there is room for", ({ write }) => {
    const into = new DerWriter(2);
    expect(() => {
      write(into);
      into.octet(0);
      into.finish();
    }).toThrow(RangeError);
  });
});
