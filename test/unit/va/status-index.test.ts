import { createHash } from "node:crypto";

import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { compareBytes } from "../../../src/pki/bytes.ts";
import { StatusIndex, type CertificateStatus } from "../../../src/va/status-index.ts";

/** A serial as ours are: 16 octets, the top bits 01. */
function serialOf(n: number): Uint8Array {
  const bytes = createHash("md5").update(String(n)).digest();
  bytes[0] = ((bytes[0] ?? 0) & 0x3f) | 0x40;
  return bytes;
}

/** Serials that differ in their last octet only. */
function twin(last: number): Uint8Array {
  const bytes = serialOf(7);
  bytes[15] = last;
  return bytes;
}

/** How long an index takes to be filled, in milliseconds. */
function fill(from: readonly Uint8Array[]): number {
  const index = new StatusIndex();
  const started = performance.now();
  for (const serial of from) index.set(serial, good);
  return performance.now() - started;
}

const good: CertificateStatus = { issuer: 0, state: "good", reason: 0, revokedAt: 0 };
const held: CertificateStatus = { issuer: 0, state: "hold", reason: 6, revokedAt: 1_790_000_000 };
const revoked: CertificateStatus = {
  issuer: 0,
  state: "revoked",
  reason: 1,
  revokedAt: 1_790_000_001,
};

describe("StatusIndex", () => {
  it("knows nothing at first", () => {
    const index = new StatusIndex();
    expect(index.get(serialOf(1))).toBeUndefined();
    expect(index.find(serialOf(1))).toBe(-1);
    expect(index.size).toBe(0);
    expect(index.digests().size).toBe(0);
  });

  it.for([0, 1, 15, 17, 20, 32])("a serial of %i octets is never known", (length) => {
    const index = new StatusIndex();
    const serial = new Uint8Array(length).fill(0x41);
    expect(index.set(serial, good)).toBe(false);
    expect(index.get(serial)).toBeUndefined();
    expect(index.size).toBe(0);
  });

  it("says whether a status was new", () => {
    const index = new StatusIndex();
    expect(index.set(serialOf(1), good)).toBe(true);
    expect(index.set(serialOf(1), good)).toBe(false);
    expect(index.set(serialOf(1), held)).toBe(true);
    expect(index.set(serialOf(1), { ...held, revokedAt: held.revokedAt + 1 })).toBe(true);
    expect(index.size).toBe(1);
  });

  it("gets worse, whatever is said of it afterwards", () => {
    const index = new StatusIndex();
    index.set(serialOf(1), held);
    expect(index.set(serialOf(1), good)).toBe(false);
    expect(index.get(serialOf(1))).toEqual(held);
    index.set(serialOf(1), revoked);
    expect(index.set(serialOf(1), good)).toBe(false);
    expect(index.set(serialOf(1), held)).toBe(false);
    expect(index.get(serialOf(1))).toEqual(revoked);
  });

  it("a hold is released, and nothing else is", () => {
    const index = new StatusIndex();
    index.set(serialOf(1), held);
    index.set(serialOf(2), revoked);
    index.set(serialOf(3), good);
    expect(index.release(serialOf(1))).toBe(true);
    for (const n of [1, 2, 3, 4]) expect(index.release(serialOf(n))).toBe(false);
    expect(index.get(serialOf(1))).toEqual(good);
    expect(index.get(serialOf(2))).toEqual(revoked);
    const same = new StatusIndex();
    same.set(serialOf(1), good);
    same.set(serialOf(2), revoked);
    same.set(serialOf(3), good);
    expect(index.digests()).toEqual(same.digests());
  });

  it("numbers issuers in the order of their coming", () => {
    const index = new StatusIndex();
    expect(["root-g1", "issuing-g1", "root-g1"].map((id) => index.issuerNumber(id))).toEqual([
      0, 1, 0,
    ]);
    expect(index.issuers).toEqual(["root-g1", "issuing-g1"]);
    for (let n = 2; n < 256; n++) index.issuerNumber(`issuing-g${n}`);
    index.set(serialOf(1), { ...revoked, issuer: 255 });
    expect(index.get(serialOf(1))).toEqual({ ...revoked, issuer: 255 });
    expect(() => index.issuerNumber("one-too-many-g1")).toThrow(RangeError);
  });

  it("counts and XORs by state and reason", () => {
    const index = new StatusIndex();
    for (const n of [1, 2, 3]) index.set(serialOf(n), good);
    index.set(serialOf(2), held);
    index.set(serialOf(3), revoked);
    const last8 = (n: number): string => Buffer.from(serialOf(n).subarray(8)).toString("hex");
    expect([...index.digests()]).toEqual([
      ["good/0", { count: 1, xor: last8(1) }],
      ["hold/6", { count: 1, xor: last8(2) }],
      ["revoked/1", { count: 1, xor: last8(3) }],
    ]);
  });

  it("keeps ordinals and tells serials with the same fingerprint apart", () => {
    const index = new StatusIndex();
    for (let last = 0; last < 256; last++) index.set(twin(last), { ...revoked, revokedAt: last });
    for (let last = 0; last < 256; last++) {
      expect(index.find(twin(last))).toBe(last);
      expect(index.revokedAt(last)).toBe(last);
    }
  });

  it("is what a map would be in which a status only gets worse, and only a release ends a hold", () => {
    const step = fc.record({
      n: fc.nat(40),
      status: fc.constantFrom(good, held, revoked, "release" as const),
    });
    const order = ["good", "hold", "revoked"];
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const index = new StatusIndex();
        const model = new Map<number, CertificateStatus>();
        for (const { n, status } of steps) {
          const before = model.get(n);
          if (status === "release") {
            index.release(serialOf(n));
            if (before?.state === "hold") model.set(n, good);
          } else {
            index.set(serialOf(n), status);
            const isBetter = order.indexOf(status.state) < order.indexOf(before?.state ?? "good");
            if (!isBetter) model.set(n, status);
          }
        }
        expect(index.size).toBe(model.size);
        for (const [n, status] of model) expect(index.get(serialOf(n))).toEqual(status);
      }),
    );
  });

  it("is copied chunk by chunk", () => {
    const index = new StatusIndex();
    for (let n = 0; n < 40_000; n++) index.set(serialOf(n), n % 3 === 0 ? revoked : good);
    const copy = new StatusIndex();
    for (const chunk of index.chunks()) copy.add(chunk);
    expect(copy.size).toBe(40_000);
    expect(copy.digests()).toEqual(index.digests());
    expect(copy.get(serialOf(39_999))).toEqual(revoked);
  });

  it("holds a million certificates in at most 32 octets each", () => {
    const index = new StatusIndex();
    const serials = new Uint8Array(16 * 1_000_000);
    const random = createHash("shake256", { outputLength: serials.length }).update("one million");
    serials.set(random.digest());
    for (let n = 0; n < 1_000_000; n++) {
      index.set(serials.subarray(16 * n, 16 * n + 16), n % 10 === 0 ? revoked : good);
    }
    expect(index.size).toBe(1_000_000);
    expect(index.octets / index.size).toBeLessThanOrEqual(32);
    for (let n = 0; n < 1_000_000; n += 997) {
      const serial = serials.subarray(16 * n, 16 * n + 16);
      expect(index.find(serial)).toBe(n);
      expect(index.get(serial)).toEqual(n % 10 === 0 ? revoked : good);
    }
    expect(index.digests().get("revoked/1")?.count).toBe(100_000);
  });

  it("takes serials in their order, as the database's pages bring them, as fast as in any other", () => {
    const serials = Array.from({ length: 200_000 }, (_, n) => serialOf(n));
    const shuffled = fill(serials);
    // In the order of their fingerprints this took a hundred times as long.
    expect(fill(serials.toSorted(compareBytes))).toBeLessThan(20 * shuffled + 200);
  });

  it.for([1_000_000, 100_000, 30_000])("takes at most 32 octets each for %i", (count) => {
    const index = new StatusIndex();
    const serials = createHash("shake256", { outputLength: 16 * count })
      .update("x")
      .digest();
    let worst = 0;
    for (let n = 0; n < count; n++) {
      index.set(serials.subarray(16 * n, 16 * n + 16), good);
      if (n >= 100_000 && n % 1_000 === 0) worst = Math.max(worst, index.octets / index.size);
    }
    expect(index.octets / count).toBeLessThanOrEqual(32);
    expect(worst).toBeLessThanOrEqual(32);
  });
});
