import { expect, it } from "vitest";
import { createProfile, type ValidityRule } from "../../../src/pki/profile.ts";
import { validityOf } from "../../../src/pki/validity.ts";
import { PROFILE_FIELDS, profiles } from "../../support/certificates.ts";

const notAfter = (now: string, validity: ValidityRule, timeZone = "Asia/Tokyo"): string =>
  validityOf(createProfile({ ...PROFILE_FIELDS.device, validity }), {
    now: new Date(now),
    timeZone,
    issuerNotAfter: new Date("2100-01-01T00:00:00Z"),
  }).notAfter.toISOString();

it("begins five minutes ago, in whole seconds", () => {
  const { notBefore } = validityOf(profiles.root, {
    now: new Date("2026-11-21T00:00:00.999Z"),
    timeZone: "Asia/Tokyo",
  });
  expect(notBefore.toISOString()).toBe("2026-11-20T23:55:00.000Z");
});

const DEVICE: ValidityRule = { kind: "months", count: 13, endOfDay: true };

it.for([
  { name: "an afternoon in Tokyo", now: "2026-11-21T05:00:00Z", end: "2027-12-21T14:59:59.000Z" },
  {
    name: "the last second of a day there",
    now: "2026-11-21T14:59:59Z",
    end: "2027-12-21T14:59:59.000Z",
  },
  {
    name: "the first second of a day there",
    now: "2026-11-21T15:00:00Z",
    end: "2027-12-22T14:59:59.000Z",
  },
  {
    name: "the 31st into a month of 28 days",
    now: "2026-01-31T00:00:00Z",
    end: "2027-02-28T14:59:59.000Z",
  },
  {
    name: "the 31st into a leap February",
    now: "2027-01-31T00:00:00Z",
    end: "2028-02-29T14:59:59.000Z",
  },
  { name: "a leap day", now: "2028-02-29T00:00:00Z", end: "2029-03-29T14:59:59.000Z" },
  {
    name: "the turn of the year there, not yet in UTC",
    now: "2026-12-31T15:30:00Z",
    end: "2028-02-01T14:59:59.000Z",
  },
  { name: "the turn of the century", now: "2048-11-30T15:00:00Z", end: "2050-01-01T14:59:59.000Z" },
])("gives a device 13 calendar months to the end of the day: $name", ({ now, end }) => {
  expect(notAfter(now, DEVICE)).toBe(end);
});

it.for([
  {
    name: "14 days are so many times 24 hours",
    now: "2026-03-28T12:00:00.500Z",
    rule: { kind: "days", count: 14 },
    zone: "Europe/Berlin",
    end: "2026-04-11T12:00:00.000Z",
  },
  {
    name: "days to the end of the day, over summer time",
    now: "2026-03-28T12:00:00Z",
    rule: { kind: "days", count: 1, endOfDay: true },
    zone: "Europe/Berlin",
    end: "2026-03-29T21:59:59.000Z",
  },
  {
    name: "months keep the hour on the wall",
    now: "2026-01-15T12:00:00Z",
    rule: { kind: "months", count: 6 },
    zone: "Europe/Berlin",
    end: "2026-07-15T11:00:00.000Z",
  },
  {
    name: "five years",
    now: "2028-02-29T00:00:00Z",
    rule: { kind: "years", count: 5 },
    zone: "Asia/Tokyo",
    end: "2033-02-28T00:00:00.000Z",
  },
  {
    name: "a year in UTC",
    now: "2026-06-01T00:00:00Z",
    rule: { kind: "years", count: 1, endOfDay: true },
    zone: "UTC",
    end: "2027-06-01T23:59:59.000Z",
  },
  {
    name: "west of Greenwich",
    now: "2026-06-01T02:00:00Z",
    rule: { kind: "months", count: 1, endOfDay: true },
    zone: "America/New_York",
    end: "2026-07-01T03:59:59.000Z",
  },
] as const)("$name", ({ now, rule, zone, end }) => {
  expect(notAfter(now, rule, zone)).toBe(end);
});

it("refuses, rather than shortens, what would outlive the issuer by a second", () => {
  const now = new Date("2026-11-21T05:00:00Z");
  const ask = (issuerNotAfter: string): unknown =>
    validityOf(profiles.device, {
      now,
      timeZone: "Asia/Tokyo",
      issuerNotAfter: new Date(issuerNotAfter),
    });
  expect(() => ask("2027-12-21T14:59:59Z")).not.toThrow();
  expect(() => ask("2027-12-21T14:59:58Z")).toThrow(
    expect.objectContaining({ code: "beyond-issuer" }),
  );
});

it("refuses a zone that does not exist", () => {
  expect(() => notAfter("2026-01-01T00:00:00Z", DEVICE, "Asia/Kyoto")).toThrow(RangeError);
});
