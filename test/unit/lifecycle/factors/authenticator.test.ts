import { createSecretKey, randomBytes } from "node:crypto";

import { expect, it } from "vitest";

import { authenticatorKey, stepOfCode } from "../../../../src/lifecycle/factors/authenticator.ts";
import { createFactorSeal } from "../../../../src/lifecycle/factors/seal.ts";

const random = (octets: number) => new Uint8Array(randomBytes(octets));
const SECRET = new TextEncoder().encode("12345678901234567890");

// The last six digits of the test values in RFC 6238, Appendix B.
it.for([
  [59, "287082"],
  [1_111_111_109, "081804"],
  [1_111_111_111, "050471"],
  [1_234_567_890, "005924"],
  [2_000_000_000, "279037"],
  [20_000_000_000, "353130"],
] as const)("RFC 6238 Appendix B: at %i s the code is %s", async ([seconds, code]) => {
  const step = await stepOfCode(SECRET, code, new Date(seconds * 1000));
  expect(step).toBe(Math.floor(seconds / 30));
});

it.for([
  ["a step before", -30, 0],
  ["a step after", 30, 2],
] as const)("takes the code of %s as that step's", async ([, aside, step]) => {
  expect(await stepOfCode(SECRET, "287082", new Date((59 - aside) * 1000))).toBe(1);
  expect(Math.floor((59 + aside) / 30)).toBe(step);
});

it.for(["287083", "28708", "2870820", "28708a", "", "−87082", "0x1e240"])(
  "takes %s for no code",
  async (text) => {
    expect(await stepOfCode(SECRET, text, new Date(59_000))).toBeUndefined();
  },
);

it("refuses the code of two steps ago", async () => {
  expect(await stepOfCode(SECRET, "287082", new Date((59 + 60) * 1000))).toBeUndefined();
});

it("reads a code as a Japanese keyboard writes it, and in two groups", async () => {
  expect(await stepOfCode(SECRET, "２８７ー０８２", new Date(59_000))).toBe(1);
  expect(await stepOfCode(SECRET, "287 082", new Date(59_000))).toBe(1);
});

it("tells an app the secret by an address and by a key", async () => {
  const { text, uri } = await authenticatorKey(SECRET, { issuer: "みずき", label: "taro@a.jp" });
  expect(text).toBe("GEZD GNBV GY3T QOJQ GEZD GNBV GY3T QOJQ");
  const { hostname, pathname, protocol, searchParams } = new URL(uri);
  expect([protocol, hostname, decodeURIComponent(pathname)]).toEqual([
    "otpauth:",
    "totp",
    "/みずき:taro@a.jp",
  ]);
  expect(Object.fromEntries(searchParams)).toMatchObject({
    secret: text.replaceAll(" ", ""),
    issuer: "みずき",
    digits: "6",
    period: "30",
  });
});

it("seals a secret for one context and under one key", () => {
  const seal = createFactorSeal(createSecretKey(randomBytes(32)), random);
  const other = createFactorSeal(createSecretKey(randomBytes(32)), random);
  const sealed = seal.close(SECRET, "factor 1");
  expect(Buffer.from(seal.open(sealed, "factor 1") ?? [])).toEqual(Buffer.from(SECRET));
  expect(seal.open(sealed, "factor 2")).toBeUndefined();
  expect(other.open(sealed, "factor 1")).toBeUndefined();
  expect(Buffer.from(sealed).includes(Buffer.from(SECRET))).toBe(false);
});
