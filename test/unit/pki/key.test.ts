import { checkPrimeSync, generatePrimeSync } from "node:crypto";
import fc from "fast-check";
import { expect, it } from "vitest";
import { integer, oid } from "../../../src/pki/der.ts";
import { PkiError } from "../../../src/pki/errors.ts";
import {
  checkPublicKey,
  KEY_KINDS,
  keyIdentifier,
  keyKind,
  parsePublicKey,
  spkiSha256,
} from "../../../src/pki/key.ts";
import { digest, ecKey, rsaKey } from "../../support/certificates.ts";
import { constructed, decode, descend, encode, member, primitive } from "../../support/der-edit.ts";

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");

it.for([
  { kind: "P-256", spki: ecKey("P-256").spki },
  { kind: "P-384", spki: ecKey("P-384").spki },
  { kind: "RSA-2048", spki: rsaKey(2048).spki },
  { kind: "RSA-3072", spki: rsaKey(3072).spki },
])("reads and takes $kind", ({ kind, spki }) => {
  const key = parsePublicKey(spki);
  expect(keyKind(key)).toBe(kind);
  expect(() => checkPublicKey(key, KEY_KINDS)).not.toThrow();
});

it("takes every key that Node makes", () => {
  for (let i = 0; i < 50; i++) {
    expect(() =>
      checkPublicKey(parsePublicKey(ecKey(i % 2 === 0 ? "P-256" : "P-384").spki), KEY_KINDS),
    ).not.toThrow();
  }
});

it("refuses a kind that is not allowed", () => {
  expect(() => checkPublicKey(parsePublicKey(ecKey("P-384").spki), ["P-256"])).toThrow(
    expect.objectContaining({ code: "unsupported-key" }),
  );
});

/** The generator of P-256 and a key made of it: RFC 6979 A.2.5's public key, whose identifier anyone can compute. */
const P256_KEY = Buffer.from(
  "3059301306072a8648ce3d020106082a8648ce3d030107034200" +
    "0460fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb6" +
    "7903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e9f5177a3c294d4462299",
  "hex",
);

it("names a key by SHA-1 of the BIT STRING's octets, and by SHA-256 of the whole", () => {
  expect(hex(keyIdentifier(P256_KEY, digest))).toBe(hex(digest("sha1", P256_KEY.subarray(26))));
  expect(spkiSha256(P256_KEY, digest)).toBe(hex(digest("sha256", P256_KEY)));
});

/** An SPKI of this algorithm and these key octets. */
const spki = (algorithm: Uint8Array[], key: Uint8Array): Uint8Array =>
  encode(
    constructed(
      0x30,
      constructed(0x30, ...algorithm.map(decode)),
      primitive(0x03, Buffer.concat([Uint8Array.of(0), key])),
    ),
  );

const EC = oid("1.2.840.10045.2.1");
const P256 = oid("1.2.840.10045.3.1.7");
const RSA = oid("1.2.840.113549.1.1.1");
const NULL = Uint8Array.of(5, 0);
const point = P256_KEY.subarray(26);

it.for([
  { name: "Ed25519", der: spki([oid("1.3.101.112")], new Uint8Array(32)) },
  { name: "P-521", der: ecKey("P-521").spki },
  { name: "an EC key without a curve", der: spki([EC], point) },
  { name: "an EC key with explicit parameters", der: spki([EC, Uint8Array.of(0x30, 0)], point) },
  { name: "an EC key with an implicit curve", der: spki([EC, NULL], point) },
  {
    name: "a compressed point",
    der: spki([EC, P256], Buffer.concat([Uint8Array.of(2), point.subarray(1, 33)])),
  },
  { name: "infinity", der: spki([EC, P256], Uint8Array.of(0)) },
  {
    name: "a hybrid point",
    der: spki([EC, P256], Buffer.concat([Uint8Array.of(6), point.subarray(1)])),
  },
  { name: "a point too long", der: spki([EC, P256], Buffer.concat([point, Uint8Array.of(0)])) },
  { name: "an RSA key without NULL", der: spki([RSA], Buffer.from("3006020101020101", "hex")) },
  {
    name: "a negative RSA modulus",
    der: spki([RSA, NULL], Buffer.from("3006020181020103", "hex")),
  },
])("does not support $name", ({ der }) => {
  expect(() => parsePublicKey(der)).toThrow(expect.objectContaining({ code: "unsupported-key" }));
});

it.for([
  { name: "bytes at the end", der: Buffer.concat([P256_KEY, Uint8Array.of(0)]) },
  { name: "unused bits", der: Buffer.from(hex(P256_KEY).replace("034200", "034201"), "hex") },
  { name: "a padded modulus", der: spki([RSA, NULL], Buffer.from("300702020001020103", "hex")) },
  { name: "nothing", der: new Uint8Array() },
])("finds malformed: $name", ({ der }) => {
  expect(() => parsePublicKey(der)).toThrow(expect.objectContaining({ code: "malformed-der" }));
});

function withOctet(index: number, octet: number): Uint8Array {
  const copy = Uint8Array.from(P256_KEY);
  copy[index] = octet;
  return copy;
}

const P = 2n ** 256n - 2n ** 224n + 2n ** 192n + 2n ** 96n - 1n;

/** x + p is on the curve if x is, but no coordinate of the field; there is room for it only where x is small. */
const beyondTheField = Buffer.from(`04${P.toString(16)}${hex(point.subarray(33))}`, "hex");

it.for([
  { name: "y off by one", der: withOctet(90, 0x98) },
  { name: "x off by one", der: withOctet(58, 0xb7) },
  {
    name: "zero for both",
    der: spki([EC, P256], Buffer.concat([Uint8Array.of(4), new Uint8Array(64)])),
  },
  { name: "a coordinate that is not in the field", der: spki([EC, P256], beyondTheField) },
])("finds an EC key weak: $name", ({ der }) => {
  expect(() => checkPublicKey(parsePublicKey(der), KEY_KINDS)).toThrow(
    expect.objectContaining({ code: "weak-key" }),
  );
});

const rsaSpki = (modulus: bigint, exponent: bigint): Uint8Array =>
  spki([RSA, NULL], encode(constructed(0x30, decode(integer(modulus)), decode(integer(exponent)))));

const GOOD = member([parsePublicKey(rsaKey(2048).spki)], 0);
const goodModulus = GOOD.kind === "rsa" ? GOOD.modulus : 0n;

function nextPrime(from: bigint): bigint {
  let n = from;
  while (!checkPrimeSync(n)) n += 2n;
  return n;
}

/** Two neighbouring primes, as a generator makes them that searches for both from one start. */
function closePrimesModulus(): bigint {
  const p = generatePrimeSync(1024, { bigint: true });
  return p * nextPrime(p + 2n);
}

const SMALL = Array.from({ length: 752 }, (_, i) => BigInt(i)).filter(
  (n) => n > 1n && checkPrimeSync(n),
);

/** A modulus that is a power of 65537 modulo all primes up to 167, as every product of two ROCA primes is. */
function rocaModulus(): bigint {
  const product = SMALL.filter((prime) => prime < 168n).reduce((all, prime) => all * prime, 1n);
  let power = 1n;
  for (let i = 0; i < 12_345; i++) power = (power * 65537n) % product;
  let n = ((3n << 2046n) / product) * product + power;
  while (n % 2n === 0n || SMALL.some((prime) => n % prime === 0n)) n += product;
  return n;
}

it.for([
  { name: "1024 bits", modulus: goodModulus >> 1024n, exponent: 65537n },
  { name: "exponent 3", modulus: goodModulus, exponent: 3n },
  { name: "an even exponent", modulus: goodModulus, exponent: 65538n },
  { name: "an exponent beyond 32 bits", modulus: goodModulus, exponent: 2n ** 32n + 1n },
  { name: "an even modulus", modulus: goodModulus - 1n, exponent: 65537n },
  { name: "a small factor", modulus: goodModulus - (goodModulus % 1502n) + 751n, exponent: 65537n },
  { name: "close primes", modulus: closePrimesModulus(), exponent: 65537n },
  { name: "the ROCA fingerprint", modulus: rocaModulus(), exponent: 65537n },
])("finds an RSA key weak: $name", ({ modulus, exponent }) => {
  expect(() => checkPublicKey(parsePublicKey(rsaSpki(modulus, exponent)), KEY_KINDS)).toThrow(
    expect.objectContaining({ code: "weak-key" }),
  );
});

const check = (modulus: bigint): void =>
  checkPublicKey(parsePublicKey(rsaSpki(modulus, 65537n)), KEY_KINDS);

it("says which fault it was", () => {
  expect(() => check(closePrimesModulus())).toThrow(/close together/);
  expect(() => check(rocaModulus())).toThrow(/ROCA/);
});

it("does not support an RSA key of another size", () => {
  expect(() =>
    checkPublicKey(parsePublicKey(rsaSpki(goodModulus * 5n, 65537n)), KEY_KINDS),
  ).toThrow(expect.objectContaining({ code: "unsupported-key" }));
});

/** What reading and checking come to: a key, one of our errors, or a stranger. */
function outcome(der: Uint8Array): unknown {
  try {
    checkPublicKey(parsePublicKey(der), KEY_KINDS);
    return "taken";
  } catch (error) {
    return error instanceof PkiError ? "refused" : error;
  }
}

it("throws nothing but PkiErrors for changed bytes", () => {
  const sources = [P256_KEY, Buffer.from(rsaKey(2048).spki)];
  fc.assert(
    fc.property(fc.constantFrom(...sources), fc.nat(), fc.nat(255), (source, index, octet) => {
      const der = Uint8Array.from(source);
      der[index % der.length] = octet;
      expect(["taken", "refused"]).toContain(outcome(der));
    }),
  );
});

it("keeps the point where the SPKI has it", () => {
  const key = parsePublicKey(P256_KEY);
  expect(key.kind === "ec" && hex(key.point)).toBe(
    hex(descend(decode(P256_KEY), 1).content.subarray(1)),
  );
});
