import { createHash, randomUUID } from "node:crypto";

import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { type AuthorizationFact, AuthorizationIndex } from "../../../src/va/authorization-index.ts";
import { KeyTable, uuidOctets, uuidText } from "../../../src/va/key-table.ts";

const octetsOf = (name: string): Uint8Array => createHash("md5").update(name).digest();
const idOf = (name: string): string => uuidText(octetsOf(name));

function fact(n: number, change: Partial<AuthorizationFact> = {}): AuthorizationFact {
  return {
    serial: octetsOf(`serial ${n}`),
    isOpen: true,
    deviceId: idOf(`device ${n}`),
    accountId: idOf(`account ${n}`),
    pharmacyId: idOf(`pharmacy ${n % 7}`),
    corporationId: idOf(`corporation ${(n % 7) % 3}`),
    epoch: 1,
    isPersonal: false,
    isRetired: false,
    isDisabled: false,
    memberFrom: 0,
    memberTo: 0,
    isMemberLater: false,
    ...change,
  };
}

const serialOf = (n: number): Uint8Array => fact(n).serial;

describe("KeyTable", () => {
  it("gives the same key the same number, and each new one the next", () => {
    const counters = fc.nat({ max: 300 }).map((n) => {
      const key = new Uint8Array(16);
      key[15] = n & 255;
      key[6] = n >>> 8;
      return key;
    });
    const keys = fc.oneof(fc.uint8Array({ minLength: 16, maxLength: 16 }), counters);
    fc.assert(
      fc.property(fc.array(keys, { maxLength: 400 }), (given) => {
        const table = new KeyTable();
        const model = new Map<string, number>();
        for (const key of given) {
          const name = Buffer.from(key).toString("hex");
          if (!model.has(name)) model.set(name, model.size);
          expect(table.add(key)).toBe(model.get(name));
        }
        expect(table.size).toBe(model.size);
        for (const [name, ordinal] of model) {
          const key = Buffer.from(name, "hex");
          expect(table.find(key)).toBe(ordinal);
          expect(key.equals(table.keyAt(ordinal))).toBe(true);
        }
        expect(table.find(octetsOf("never"))).toBe(-1);
      }),
    );
  });

  it("keeps no key of another length", () => {
    const table = new KeyTable();
    expect(table.find(new Uint8Array(15))).toBe(-1);
    expect(() => table.add(new Uint8Array(17))).toThrow(RangeError);
  });

  it("spells UUIDs as PostgreSQL does", () => {
    const id = randomUUID();
    expect(uuidText(uuidOctets(id))).toBe(id);
  });
});

describe("AuthorizationIndex", () => {
  it("knows nothing at first", () => {
    const index = new AuthorizationIndex();
    expect(index.get(serialOf(1), 0)).toBeUndefined();
    expect(index.corporationOf(idOf("pharmacy 1"))).toBeUndefined();
    expect(index.digests().size).toBe(0);
    expect(index.size).toBe(0);
  });

  it("tells who stands behind a certificate", () => {
    const index = new AuthorizationIndex();
    for (let n = 0; n < 100; n++) index.set(fact(n));
    const { deviceId, accountId, pharmacyId, corporationId } = fact(42);
    expect(index.get(serialOf(42), 0)).toEqual({
      deviceId,
      accountId,
      pharmacyId,
      corporationId,
      standing: { isPersonal: false, isRetired: false, isDisabled: false, isMember: false },
      isOutdated: false,
      isBehind: false,
    });
    expect(index.size).toBe(100);
  });

  it("takes the last that was told, and gives nothing of a binding that was closed", () => {
    const index = new AuthorizationIndex();
    index.set(fact(1));
    index.set(fact(1, { isPersonal: true, isRetired: true, isDisabled: true }));
    expect(index.get(serialOf(1), 0)?.standing).toEqual({
      isPersonal: true,
      isRetired: true,
      isDisabled: true,
      isMember: false,
    });
    index.set(fact(1, { isOpen: false }));
    expect(index.get(serialOf(1), 0)).toBeUndefined();
    index.set(fact(1, { deviceId: idOf("another") }));
    expect(index.get(serialOf(1), 0)?.deviceId).toBe(idOf("another"));
    expect(index.size).toBe(1);
  });

  it.for([
    { now: 9, isMember: false, isOutdated: false },
    { now: 10, isMember: true, isOutdated: false },
    { now: 19, isMember: true, isOutdated: false },
    { now: 20, isMember: false, isOutdated: true },
  ])("a time of work from 10 to 20, with another after it, at $now", ({ now, ...wanted }) => {
    const index = new AuthorizationIndex();
    index.set(fact(1, { isPersonal: true, memberFrom: 10, memberTo: 20, isMemberLater: true }));
    const found = index.get(serialOf(1), now);
    expect({ isMember: found?.standing.isMember, isOutdated: found?.isOutdated }).toEqual(wanted);
  });

  it("knows whose a pharmacy is, also where it has no certificate, and when it changes hands", () => {
    const index = new AuthorizationIndex();
    index.set(fact(1));
    index.setPharmacy(idOf("new"), idOf("corporation 9"));
    expect(index.corporationOf(idOf("new"))).toBe(idOf("corporation 9"));
    index.setPharmacy(idOf("pharmacy 1"), idOf("corporation 9"));
    expect(index.get(serialOf(1), 0)?.corporationId).toBe(idOf("corporation 9"));
  });

  it("does not believe a corporation whose epoch has fallen, until it is back", () => {
    const index = new AuthorizationIndex();
    index.set(fact(1, { epoch: 5 }));
    index.set(fact(1, { epoch: 4 }));
    expect(index.get(serialOf(1), 0)?.isBehind).toBe(true);
    index.set(fact(2, { epoch: 4 }));
    expect(index.get(serialOf(2), 0)?.isBehind).toBe(false);
    index.set(fact(1, { epoch: 5 }));
    expect(index.get(serialOf(1), 0)?.isBehind).toBe(false);
  });

  it("forgets what is not told when everything is told anew", () => {
    const index = new AuthorizationIndex();
    for (const n of [1, 2, 3]) index.set(fact(n));
    index.beginLoad();
    index.set(fact(1));
    index.set(fact(3));
    index.endLoad();
    expect([1, 2, 3].map((n) => index.get(serialOf(n), 0) !== undefined)).toEqual([
      true,
      false,
      true,
    ]);
    const rebuilt = new AuthorizationIndex();
    for (const n of [3, 1]) rebuilt.set(fact(n));
    expect(index.digests()).toEqual(rebuilt.digests());
  });

  it("has the same digests in whatever order it was told, and whatever was told between", () => {
    const facts = fc.array(
      fc.record({
        n: fc.nat({ max: 20 }),
        isPersonal: fc.boolean(),
        isRetired: fc.boolean(),
        isDisabled: fc.boolean(),
        isOpen: fc.boolean(),
      }),
      { maxLength: 60 },
    );
    fc.assert(
      fc.property(facts, (told) => {
        const index = new AuthorizationIndex();
        const last = new Map<number, AuthorizationFact>();
        for (const { n, ...flags } of told) {
          index.set(fact(n, flags));
          last.set(n, fact(n, flags));
        }
        const once = new AuthorizationIndex();
        for (const each of [...last.values()].toReversed()) once.set(each);
        expect(index.digests()).toEqual(once.digests());
      }),
    );
  });

  it("takes at most 160 octets for each of 100,000, each with a device and a person of its own", () => {
    const index = new AuthorizationIndex();
    const count = 100_000;
    const base = fact(0);
    const key = Buffer.alloc(16);
    const next = (n: number, kind: number): string => {
      key.writeUInt32BE(n * 4 + kind, 12);
      key.writeUInt32BE(Math.imul(n * 4 + kind, 0x9e37_79b1) >>> 0, 4);
      return uuidText(key);
    };
    for (let n = 0; n < count; n++) {
      const ids = { deviceId: next(n, 0), accountId: next(n, 1), pharmacyId: next(n >> 2, 3) };
      index.set({ ...base, ...ids, serial: uuidOctets(next(n, 2)) });
    }
    expect(index.size).toBe(count);
    expect(index.octets / count).toBeLessThanOrEqual(160);
  });
});
