import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { fromHex, toHex } from "../../../src/pki/bytes.ts";
import { EntryRows } from "../../../src/pki/crl-entry-rows.ts";
import { CrlEntries, type CrlEntry } from "../../../src/pki/crl-entries.ts";
import { buildCrlTbs, type CrlTemplate } from "../../../src/pki/crl.ts";
import { readCrl } from "../../../src/pki/crl-reader.ts";
import { oid, sequence } from "../../../src/pki/der.ts";
import { REASON_CODES } from "../../../src/pki/revocation-reason.ts";
import { parseSerial } from "../../../src/pki/serial.ts";
import { assembleSigned } from "../../../src/pki/signed.ts";

const ALGORITHM = sequence(oid("1.2.840.10045.4.3.2"));

function template(changes: Partial<CrlTemplate> = {}): CrlTemplate {
  return {
    issuerName: sequence(),
    issuerKeyIdentifier: new Uint8Array([0xaa, 0xbb]),
    signatureAlgorithm: ALGORITHM,
    number: 128n,
    thisUpdate: new Date("2026-11-21T12:00:00Z"),
    nextUpdate: new Date("2026-11-28T12:00:00Z"),
    entries: CrlEntries.of(),
    ...changes,
  };
}

const VERSION_AND_ALGORITHM = "020101300a06082a8648ce3d040302";
const ISSUER_AND_TIMES = "3000170d3236313132313132303030305a170d3236313132383132303030305a";
const AKI = "300d0603551d23040630048002aabb";
const NUMBER = "300b0603551d14040402020080";

describe("buildCrlTbs: golden bytes", () => {
  it("R06 an empty list has no revokedCertificates", () => {
    expect(toHex(buildCrlTbs(template()))).toBe(
      `304f${VERSION_AND_ALGORITHM}${ISSUER_AND_TIMES}a01e301c${AKI}${NUMBER}`,
    );
  });

  it("R12 an entry without and one with a reason", () => {
    const entries = CrlEntries.of([
      { serial: parseSerial("7f"), revokedAt: new Date("2026-11-01T00:00:00Z"), reason: 0 },
      { serial: parseSerial("80"), revokedAt: new Date("2050-01-01T00:00:00Z"), reason: 1 },
    ]);
    const first = "301202017f170d3236313130313030303030305a";
    const second = "302302020080180f32303530303130313030303030305a300c300a0603551d1504030a0101";
    expect(toHex(buildCrlTbs(template({ entries })))).toContain(
      `${ISSUER_AND_TIMES}3039${first}${second}a01e`,
    );
  });

  it("R10 a shard has a critical distribution point with exactly its URL", () => {
    const tbs = toHex(buildCrlTbs(template({ distributionPoint: "http://h/s" })));
    expect(tbs.endsWith("301c0603551d1c0101ff04123010a00ea00c860a687474703a2f2f682f73")).toBe(true);
  });
});

describe("buildCrlTbs refuses", () => {
  it.for([
    { name: "a number of 21 octets", changes: { number: 1n << 159n } },
    { name: "a negative number", changes: { number: -1n } },
    { name: "a nextUpdate that is not later", changes: { nextUpdate: template().thisUpdate } },
    { name: "a URL that is not ASCII", changes: { distributionPoint: "http://h/é" } },
    { name: "an empty URL", changes: { distributionPoint: "" } },
  ])("$name", ({ changes }) => {
    expect(() => buildCrlTbs(template(changes))).toThrow(RangeError);
  });
});

const of = (serial: string, revokedAt = new Date("2026-11-01T00:00:00Z")): CrlEntry => ({
  serial: parseSerial(serial),
  revokedAt,
  reason: 0,
});

const serialsOf = (entries: CrlEntries): readonly string[] => {
  const tbs = buildCrlTbs(template({ entries }));
  const view = readCrl(assembleSigned(tbs, ALGORITHM, new Uint8Array(1)));
  return Array.from(view.entries(), ({ serial }) => serial);
};

describe("CrlEntries", () => {
  it("refuses the same serial twice, and names it", () => {
    expect(() => CrlEntries.of([of("4001"), of("7f"), of("4001")])).toThrow(
      new RangeError("the serials of a list must be unique: 4001"),
    );
  });

  it("refuses a date that is none", () => {
    expect(() => CrlEntries.of([of("01", new Date(Number.NaN))])).toThrow(RangeError);
  });

  it("sorts serials that begin alike", () => {
    const serials = Array.from(
      { length: 300 },
      (_, i) => `4011223344556677${((i * 7) % 300) + 1000}`,
    );
    const all = CrlEntries.of(serials.map((serial) => of(serial)));
    expect(serialsOf(all)).toEqual(serials.toSorted());
  });

  it("splits into shards that keep the order", () => {
    const rows = new EntryRows(4);
    for (const [row, [hex, shard]] of (
      [
        ["4003", 0],
        ["7f", 2],
        ["4001", 2],
        ["4002", 0],
      ] as const
    ).entries()) {
      rows.octets.set(fromHex(hex.padStart(40, "0")), rows.serialAt(row));
      rows.put(row, { revokedAt: 0, reason: 0, shard });
    }
    const all = CrlEntries.sorted(rows);
    expect(all.split(3).map(serialsOf)).toEqual([["4002", "4003"], [], ["7f", "4001"]]);
  });
});

const entryLists = fc
  .uniqueArray(
    fc.record({
      serial: fc
        .bigInt({ min: 1n, max: (1n << 159n) - 1n })
        .map((value) => value.toString(16))
        .map((hex) => parseSerial(hex.length % 2 === 0 ? hex : `0${hex}`)),
      revokedAt: fc
        .integer({ min: Date.parse("1990-01-01T00:00:00Z") / 1000, max: 1_795_262_400 })
        .map((seconds) => new Date(1000 * seconds)),
      reason: fc.constantFrom(...Object.values(REASON_CODES)),
    }),
    { selector: ({ serial }) => serial, maxLength: 200 },
  )
  .map((list) => ({
    drawn: list,
    sorted: list.toSorted((a, b) => (BigInt(`0x${a.serial}`) < BigInt(`0x${b.serial}`) ? -1 : 1)),
  }));

describe("what buildCrlTbs writes, readCrl reads", () => {
  it("entry for entry, without a fault", () => {
    fc.assert(
      fc.property(entryLists, fc.bigInt({ min: 0n, max: (1n << 159n) - 1n }), (lists, number) => {
        const entries = CrlEntries.of(lists.drawn);
        const tbs = buildCrlTbs(template({ entries, number, distributionPoint: "http://h/s" }));
        const view = readCrl(assembleSigned(tbs, ALGORITHM, new Uint8Array([1, 2, 3])));
        expect([...view.entries()]).toEqual(lists.sorted);
        expect(view).toMatchObject({
          number,
          entryCount: lists.sorted.length,
          faults: [],
          tbs,
          signature: new Uint8Array([1, 2, 3]),
          signatureAlgorithm: "ecdsa-with-SHA256",
          issuerName: sequence(),
          authorityKeyIdentifier: new Uint8Array([0xaa, 0xbb]),
          issuingDistributionPoint: { critical: true, urls: ["http://h/s"], others: [] },
          thisUpdate: template().thisUpdate,
          nextUpdate: template().nextUpdate,
        });
      }),
      { numRuns: 50 },
    );
  });
});
