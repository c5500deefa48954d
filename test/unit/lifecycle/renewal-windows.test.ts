import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { type Renewable, renewalWindows } from "../../../src/lifecycle/renewal-windows.ts";
import { parseSerial, type Serial } from "../../../src/pki/serial.ts";

const DAY = 86_400_000;
const TOKYO_MS = 9 * 3_600_000;

const serialOf = (index: number): Serial => parseSerial(`4${index.toString(16).padStart(31, "0")}`);

/** A certificate of 13 months that ends with that day in Tokyo. */
function endingOn(lastDay: number, index: number, deviceId = `device-${index}`): Renewable {
  const notAfter = new Date((lastDay + 1) * DAY - TOKYO_MS - 1000);
  const notBefore = new Date(notAfter.getTime() - 396 * DAY);
  return { serialNumber: serialOf(index), deviceId, notBefore, notAfter };
}

const dayOf = (at: Date): number => (at.getTime() + TOKYO_MS) / DAY;

const FROM = Date.UTC(2026, 0, 1) / DAY;
const UNTIL = Date.UTC(2040, 0, 1) / DAY;
const anyDay = fc.integer({ min: FROM, max: UNTIL });
const upToForty = fc
  .array(fc.integer({ min: 0, max: 60 }), { minLength: 1, maxLength: 40 })
  .chain((offsets) =>
    anyDay.map((first) => offsets.map((offset, index) => endingOn(first + offset, index))),
  );

describe("the windows of a pharmacy's devices", () => {
  it("are quiet days: after the tenth, no Mondays, no year's end, 120 to 30 days before the last one", () => {
    fc.assert(
      fc.property(upToForty, (certificates) => {
        for (const [serial, from] of renewalWindows(certificates, "Asia/Tokyo")) {
          const local = new Date(from.getTime() + TOKYO_MS);
          expect(local.getTime() % DAY).toBe(0);
          expect(local.getUTCDate()).toBeGreaterThan(10);
          expect(local.getUTCDay()).not.toBe(1);
          expect(local.getUTCMonth() === 11 && local.getUTCDate() >= 29).toBe(false);
          const found = certificates.find(({ serialNumber }) => serialNumber === serial);
          const end = (found?.notAfter.getTime() ?? 0) + 1000;
          const before = dayOf(new Date(end)) - 1 - dayOf(from);
          expect(before).toBeGreaterThanOrEqual(30);
          expect(before).toBeLessThanOrEqual(120);
        }
      }),
    );
  });

  it("are never two on one day, up to forty that end together", () => {
    fc.assert(
      fc.property(upToForty, (certificates) => {
        const windows = [...renewalWindows(certificates, "Asia/Tokyo").values()];
        expect(new Set(windows.map(Number)).size).toBe(certificates.length);
      }),
    );
    fc.assert(
      fc.property(anyDay, (day) => {
        const all = Array.from({ length: 40 }, (_, index) => endingOn(day, index));
        const windows = [...renewalWindows(all, "Asia/Tokyo").values()];
        expect(new Set(windows.map(Number)).size).toBe(40);
      }),
    );
  });

  it("stay as they were told when others come later", () => {
    fc.assert(
      fc.property(upToForty, fc.nat(), (certificates, cut) => {
        const some = certificates.slice(0, cut % (certificates.length + 1));
        const all = renewalWindows(certificates, "Asia/Tokyo");
        for (const [serial, from] of renewalWindows(some, "Asia/Tokyo"))
          expect(all.get(serial)).toEqual(from);
      }),
    );
  });

  it("are 60 to 30 days before the end while there is room, and differ between devices", () => {
    const day = Date.UTC(2027, 11, 21) / DAY;
    const windows = Array.from({ length: 200 }, (_, index) => [
      ...renewalWindows([endingOn(day, index)], "Asia/Tokyo").values(),
    ]).flat();
    const before = windows.map((from) => day - dayOf(from));
    expect(Math.min(...before)).toBeGreaterThanOrEqual(30);
    expect(Math.max(...before)).toBeLessThanOrEqual(60);
    expect(new Set(before).size).toBeGreaterThan(10);
  });

  it("share days evenly where hundreds end together", () => {
    const day = Date.UTC(2027, 11, 21) / DAY;
    const all = Array.from({ length: 300 }, (_, index) => endingOn(day, index));
    const counts = Map.groupBy([...renewalWindows(all, "Asia/Tokyo").values()], Number);
    const sizes = [...counts.values()].map(({ length }) => length);
    expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1);
  });
});

it("gives a device that was installed twice on a day one window", () => {
  const day = Date.UTC(2027, 11, 21) / DAY;
  const twice = [endingOn(day, 1, "same"), endingOn(day, 2, "same")];
  const [first, second] = [...renewalWindows(twice, "Asia/Tokyo").values()];
  expect(first).toEqual(second);
});

it("begins after two thirds of a short life", () => {
  const notBefore = new Date("2027-01-04T00:00:00Z");
  const notAfter = new Date("2027-01-07T00:00:00Z");
  const short = { serialNumber: serialOf(1), deviceId: "d", notBefore, notAfter };
  expect(renewalWindows([short], "Asia/Tokyo").get(serialOf(1))).toEqual(
    new Date("2027-01-06T00:00:00Z"),
  );
});

it("counts the days of the zone", () => {
  const zones = ["Pacific/Kiritimati", "America/New_York", "Asia/Tokyo"] as const;
  for (const timeZone of zones) {
    const [from] = renewalWindows([endingOn(Date.UTC(2027, 2, 31) / DAY, 1)], timeZone).values();
    const hour = new Intl.DateTimeFormat("en-GB", { timeStyle: "medium", timeZone }).format(from);
    expect(hour).toBe("00:00:00");
  }
});
