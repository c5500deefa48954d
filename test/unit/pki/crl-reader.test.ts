import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { fromHex } from "../../../src/pki/bytes.ts";
import { checkCrl, type ExpectedCrl, type ExpectedEntry } from "../../../src/pki/crl-check.ts";
import { readCrl } from "../../../src/pki/crl-reader.ts";
import {
  boolean,
  context,
  contextPrimitive,
  enumerated,
  generalizedTime,
  integer,
  nullValue,
  octetString,
  oid,
  sequence,
  time,
} from "../../../src/pki/der.ts";
import { parseSerial } from "../../../src/pki/serial.ts";
import { assembleSigned } from "../../../src/pki/signed.ts";
import { errorCode } from "../../support/error-code.ts";

/** Lists that our own writer cannot make are put together here, part by part. */
interface Parts {
  readonly version: Uint8Array;
  readonly innerAlgorithm: Uint8Array;
  readonly thisUpdate: Uint8Array;
  readonly nextUpdate: Uint8Array;
  readonly entries: readonly Uint8Array[] | undefined;
  readonly extensions: readonly Uint8Array[] | undefined;
}

const ALGORITHM = sequence(oid("1.2.840.10045.4.3.2"));
const ISSUER = sequence(integer(5));
const KEY = new Uint8Array([0xaa, 0xbb]);
const THIS_UPDATE = new Date("2026-11-21T12:00:00Z");
const NEXT_UPDATE = new Date("2026-11-28T12:00:00Z");
const NOW = new Date("2026-11-21T12:05:00Z");
const REVOKED_AT = new Date("2026-11-01T00:00:00Z");

const extension = (id: string, value: Uint8Array, critical = false): Uint8Array =>
  sequence(oid(id), ...(critical ? [boolean(true)] : []), octetString(value));
const AKI_VALUE = sequence(contextPrimitive(0, KEY));
const AKI = extension("2.5.29.35", AKI_VALUE);
const NUMBER = extension("2.5.29.20", integer(7));
const reason = (code: number, critical = false): Uint8Array =>
  sequence(extension("2.5.29.21", enumerated(code), critical));
const entry = (serial: number, ...more: readonly Uint8Array[]): Uint8Array =>
  sequence(integer(serial), time(REVOKED_AT), ...more);
const idp = (...members: readonly Uint8Array[]): Uint8Array =>
  extension("2.5.29.28", sequence(...members), true);
const name = (url: string): Uint8Array =>
  context(0, context(0, contextPrimitive(6, new TextEncoder().encode(url))));

const SOUND: Parts = {
  version: integer(1),
  innerAlgorithm: ALGORITHM,
  thisUpdate: time(THIS_UPDATE),
  nextUpdate: time(NEXT_UPDATE),
  entries: [entry(0x11, reason(1)), entry(0x22)],
  extensions: [AKI, NUMBER],
};

function crl(changes: Partial<Parts> = {}): Uint8Array {
  const parts = { ...SOUND, ...changes };
  const tbs = sequence(
    parts.version,
    parts.innerAlgorithm,
    ISSUER,
    parts.thisUpdate,
    parts.nextUpdate,
    ...(parts.entries === undefined ? [] : [sequence(...parts.entries)]),
    ...(parts.extensions === undefined ? [] : [context(0, sequence(...parts.extensions))]),
  );
  return assembleSigned(tbs, ALGORITHM, new Uint8Array([9]));
}

const listed = (serial: string, changes: Partial<ExpectedEntry> = {}): ExpectedEntry => ({
  serial: parseSerial(serial),
  required: true,
  ...changes,
});

function expected(changes: Partial<ExpectedCrl> = {}): ExpectedCrl {
  return {
    issuerName: ISSUER,
    issuerSpki: new Uint8Array(),
    issuerKeyIdentifier: KEY,
    previousNumber: 6n,
    now: NOW,
    entries: [listed("11", { reason: 1, revokedAt: REVOKED_AT }), listed("22", { reason: 0 })],
    ...changes,
  };
}

const check = (der: Uint8Array, changes: Partial<ExpectedCrl> = {}): string[] =>
  checkCrl(readCrl(der), expected(changes), () => true);

describe("readCrl refuses", () => {
  it.for([
    { name: "R01 version 1", changes: { version: integer(0) } },
    { name: "R02 a list without nextUpdate", changes: { nextUpdate: new Uint8Array() } },
    { name: "R02 a GeneralizedTime before 2050", changes: { thisUpdate: generalizedTime(NOW) } },
    {
      name: "R04 a negative number",
      changes: { extensions: [AKI, extension("2.5.29.20", fromHex("0201ff"))] },
    },
    { name: "an extension that comes twice", changes: { extensions: [AKI, NUMBER, NUMBER] } },
    { name: "an empty list of extensions", changes: { extensions: [] } },
    {
      name: "an explicit FALSE",
      changes: {
        extensions: [sequence(oid("2.5.29.20"), boolean(false), octetString(integer(7)))],
      },
    },
    { name: "an entry with more members", changes: { entries: [entry(1, nullValue())] } },
    { name: "an entry whose extensions are empty", changes: { entries: [entry(1, sequence())] } },
    { name: "serial number 0", changes: { entries: [entry(0)] } },
    {
      name: "a reason that is no ENUMERATED",
      changes: { entries: [entry(1, sequence(extension("2.5.29.21", integer(1))))] },
    },
    {
      name: "R14 an invalidityDate as UTCTime",
      changes: { entries: [entry(1, sequence(extension("2.5.29.24", time(REVOKED_AT))))] },
    },
  ])("$name", ({ changes }) => {
    expect(() => readCrl(crl(changes))).toThrow(expect.objectContaining({ code: "malformed-crl" }));
  });

  it.for([
    { name: "nothing", der: new Uint8Array() },
    { name: "bytes after the end", der: new Uint8Array([...crl(), 0]) },
    { name: "a list cut short", der: crl().slice(0, -1) },
  ])("$name", ({ der }) => {
    expect(() => readCrl(der)).toThrow(expect.objectContaining({ code: "malformed-crl" }));
  });

  it("arbitrary and mutated bytes with a PkiError or not at all", () => {
    const der = crl({ extensions: [AKI, NUMBER, idp(name("http://h/s"))] });
    const mutated = fc
      .array(fc.tuple(fc.nat(der.length - 1), fc.nat(255)), { minLength: 1, maxLength: 4 })
      .map((edits) => {
        const bytes = der.slice();
        for (const [at, octet] of edits) bytes[at] = octet;
        return bytes;
      });
    fc.assert(
      fc.property(fc.oneof(mutated, fc.uint8Array({ maxLength: 60 })), (bytes) => {
        const code = errorCode(() => {
          const view = readCrl(bytes);
          // What reads once reads always: nothing is thrown later.
          expect([...view.entries()]).toHaveLength(view.entryCount);
          check(bytes);
        });
        expect([undefined, "malformed-crl"]).toContain(code);
      }),
      { numRuns: 2000 },
    );
  });
});

describe("checkCrl has nothing to say", () => {
  it.for([
    { name: "about a full list", changes: {}, facts: {} },
    {
      name: "R06 about a list without entries",
      changes: { entries: undefined },
      facts: { entries: [] },
    },
    {
      name: "R10 about a shard",
      changes: { extensions: [AKI, NUMBER, idp(name("http://h/s"))] },
      facts: { distributionPoint: "http://h/s" },
    },
    {
      name: "R14 about an invalidity date",
      changes: {
        entries: [entry(0x11, sequence(extension("2.5.29.24", generalizedTime(REVOKED_AT))))],
      },
      facts: { entries: [listed("11")] },
    },
    {
      name: "about one that may be missing",
      changes: {},
      facts: {
        entries: [
          listed("05", { required: false }),
          listed("11"),
          listed("22"),
          listed("4444", { required: false }),
        ],
      },
    },
    {
      name: "about one that may be there",
      changes: {},
      facts: { entries: [listed("11", { required: false }), listed("22")] },
    },
    { name: "about a first list", changes: {}, facts: { previousNumber: undefined } },
  ])("$name", ({ changes, facts }) => {
    const all = { ...expected(), ...facts } as ExpectedCrl;
    expect(checkCrl(readCrl(crl(changes)), all, () => true)).toEqual([]);
  });
});

describe("checkCrl finds", () => {
  const dated = (code: string, at: Date): Uint8Array =>
    sequence(extension(code, generalizedTime(at)));
  it.for([
    {
      rule: "R02",
      name: "nextUpdate before thisUpdate",
      changes: { nextUpdate: time(new Date("2026-11-21T11:00:00Z")) },
    },
    { rule: "R03", name: "no authorityKeyIdentifier", changes: { extensions: [NUMBER] } },
    {
      rule: "R03",
      name: "a critical authorityKeyIdentifier",
      changes: { extensions: [extension("2.5.29.35", AKI_VALUE, true), NUMBER] },
    },
    { rule: "R04", name: "no number", changes: { extensions: [AKI] } },
    {
      rule: "R04",
      name: "a critical number",
      changes: { extensions: [AKI, extension("2.5.29.20", integer(7), true)] },
    },
    {
      rule: "R04",
      name: "a number of 21 octets",
      changes: { extensions: [AKI, extension("2.5.29.20", integer(1n << 160n))] },
    },
    { rule: "R06", name: "an empty revokedCertificates", changes: { entries: [] } },
    {
      rule: "R07",
      name: "a delta",
      changes: { extensions: [AKI, NUMBER, extension("2.5.29.27", integer(1), true)] },
    },
    {
      rule: "R09",
      name: "freshestCRL",
      changes: { extensions: [AKI, NUMBER, extension("2.5.29.46", sequence())] },
    },
    {
      rule: "R10",
      name: "an extension that we do not know",
      changes: { extensions: [AKI, NUMBER, extension("1.2.3", sequence())] },
    },
    {
      rule: "R11",
      name: "a certificateIssuer",
      changes: { entries: [entry(0x11, sequence(extension("2.5.29.29", sequence(), true)))] },
    },
    { rule: "R12", name: "reason 0 written out", changes: { entries: [entry(0x11, reason(0))] } },
    { rule: "R12", name: "reason 7", changes: { entries: [entry(0x11, reason(7))] } },
    { rule: "R12", name: "removeFromCRL", changes: { entries: [entry(0x11, reason(8))] } },
    {
      rule: "R12",
      name: "a critical reason",
      changes: { entries: [entry(0x11, reason(1, true))] },
    },
    {
      rule: "R14",
      name: "an invalidity date after the revocation",
      changes: { entries: [entry(0x11, dated("2.5.29.24", NOW))] },
    },
    {
      rule: "R15",
      name: "a revocation after thisUpdate",
      changes: { entries: [sequence(integer(0x11), time(NOW))] },
    },
    {
      rule: "R17",
      name: "a serial that is listed twice",
      changes: { entries: [entry(0x11), entry(0x11)] },
    },
    { rule: "R17", name: "serials out of order", changes: { entries: [entry(0x22), entry(0x11)] } },
    {
      rule: "R22",
      name: "a distribution point on a full list",
      changes: { extensions: [AKI, NUMBER, idp(name("http://h/s"))] },
    },
    {
      rule: "RFC 5280",
      name: "two different algorithms",
      changes: { innerAlgorithm: sequence(oid("1.2.840.10045.4.3.3")) },
    },
  ])("$rule $name", ({ rule, changes }) => {
    expect(check(crl(changes))).toContainEqual(expect.stringMatching(new RegExp(`^${rule} `)));
  });

  it.for([
    { rule: "R02", name: "a list that has expired", facts: { now: NEXT_UPDATE } },
    { rule: "R04", name: "a number that does not rise", facts: { previousNumber: 7n } },
    {
      rule: "R10",
      name: "a shard without distribution point",
      facts: { distributionPoint: "http://h/s" },
    },
    {
      rule: "R12",
      name: "another reason",
      facts: { entries: [listed("11", { reason: 4 }), listed("22")] },
    },
    {
      rule: "R15",
      name: "another date",
      facts: { entries: [listed("11"), listed("22", { revokedAt: NOW })] },
    },
    {
      rule: "R16",
      name: "one who left in front",
      facts: { entries: [listed("05"), listed("11"), listed("22")] },
    },
    {
      rule: "R16",
      name: "one who left in the middle",
      facts: { entries: [listed("11"), listed("12"), listed("22")] },
    },
    {
      rule: "R16",
      name: "one who left at the end",
      facts: { entries: [listed("11"), listed("22"), listed("4444")] },
    },
    { rule: "R17", name: "one who must not be there", facts: { entries: [listed("11")] } },
    {
      rule: "R18",
      name: "a thisUpdate in the future",
      facts: { now: new Date("2026-11-21T11:59:59Z") },
    },
    { rule: "R23", name: "another issuer", facts: { issuerName: sequence() } },
    { rule: "R23", name: "another key", facts: { issuerKeyIdentifier: new Uint8Array([1]) } },
  ])("$rule $name", ({ rule, facts }) => {
    expect(check(crl(), facts)).toEqual([expect.stringMatching(new RegExp(`^${rule} `))]);
  });

  it.for([
    { rule: "R10", name: "another URL", value: idp(name("http://h/other")) },
    { rule: "R10", name: "no URL", value: idp() },
    {
      rule: "R10",
      name: "an IDP that is not critical",
      value: extension("2.5.29.28", sequence(name("http://h/s"))),
    },
    {
      rule: "R11",
      name: "onlySomeReasons",
      value: idp(name("http://h/s"), contextPrimitive(3, new Uint8Array([0, 0x80]))),
    },
    {
      rule: "R11",
      name: "indirectCRL",
      value: idp(name("http://h/s"), contextPrimitive(4, new Uint8Array([0xff]))),
    },
  ])("$rule $name on a shard", ({ rule, value }) => {
    const shard = crl({ extensions: [AKI, NUMBER, value] });
    expect(check(shard, { distributionPoint: "http://h/s" })).toEqual([
      expect.stringMatching(new RegExp(`^${rule} `)),
    ]);
  });

  it("a signature that does not verify, asked for over exactly the signed bytes", () => {
    const asked: unknown[] = [];
    const view = readCrl(crl());
    const findings = checkCrl(view, expected(), (...of) => {
      asked.push(of);
      return false;
    });
    expect(findings).toEqual([expect.stringContaining("signature")]);
    expect(asked).toEqual([
      [expected().issuerSpki, "ecdsa-with-SHA256", view.tbs, new Uint8Array([9])],
    ]);
  });

  it("R07 a delta, however many entries are wrong as well", () => {
    const entries = Array.from({ length: 100 }, (_, i) => entry(i + 1, reason(8)));
    const delta = extension("2.5.29.27", integer(1), true);
    expect(check(crl({ entries, extensions: [AKI, NUMBER, delta] }))).toContainEqual(
      expect.stringMatching(/^R07 /),
    );
  });

  it("so many wrong entries that it stops counting", () => {
    const entries = Array.from({ length: 1000 }, (_, i) => entry(i + 1, reason(7)));
    expect(check(crl({ entries }), { entries: [] })).toHaveLength(40);
  });
});
