import { randomBytes } from "node:crypto";

import fc from "fast-check";
import { expect, it } from "vitest";

import { openOctets, sealOctets } from "../../../src/storage/sealed-octets.ts";

const random = (octets: number): Uint8Array => randomBytes(octets);
const sealing = { key: randomBytes(32), context: Buffer.from("the key of issuing-g1") };
const octets = fc.uint8Array({ maxLength: 100 });

it("opens what it has sealed", () => {
  fc.assert(
    fc.property(octets, (plain) => {
      const opened = openOctets(sealOctets(plain, sealing, random), sealing);
      expect(new Uint8Array(opened ?? [0])).toEqual(plain);
    }),
  );
});

it("gives nothing for any octets that were not sealed", () => {
  fc.assert(
    fc.property(octets, (sealed) => {
      expect(openOctets(sealed, sealing)).toBeUndefined();
    }),
  );
});

it("opens nothing of which an octet was changed, or that was cut off", () => {
  const sealed = sealOctets(Buffer.from("a private key"), sealing, random);
  for (let at = 0; at < sealed.length; at++) {
    const changed = Buffer.from(sealed);
    changed[at] = (changed[at] ?? 0) ^ 1;
    expect(openOctets(changed, sealing)).toBeUndefined();
    expect(openOctets(sealed.subarray(0, at), sealing)).toBeUndefined();
  }
});

it.for([
  ["key", { ...sealing, key: randomBytes(32) }],
  ["context", { ...sealing, context: Buffer.from("the key of root-g1") }],
] as const)("opens nothing with another %s", ([, other]) => {
  const sealed = sealOctets(Buffer.from("a private key"), sealing, random);
  expect(openOctets(sealed, other)).toBeUndefined();
});
