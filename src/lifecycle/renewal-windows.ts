import type { Serial } from "../pki/serial.ts";
import { beginningOfDay, dayNumber } from "../pki/validity.ts";

/** A certificate of a pharmacy's device. */
export interface Renewable {
  readonly serialNumber: Serial;
  readonly deviceId: string;
  readonly notBefore: Date;
  readonly notAfter: Date;
}

const DAY_MS = 86_400_000;

/** Days before the last one: where renewing normally begins, and how early it may where that is full. */
const LATEST = 30;
const USUAL = 60;
const EARLIEST = 120;

/** What lives for less is renewed after two thirds of its life, on whatever day that is. */
const SHORT_LIFE_MS = (EARLIEST + 30) * DAY_MS;

const MONDAY = 1;
const DECEMBER = 11;

/** Whether pharmacies have time: the first ten days of a month are those of claims, and Mondays and the year's end are full. */
function isQuiet(day: number): boolean {
  const date = new Date(day * DAY_MS);
  const [month, dayOfMonth] = [date.getUTCMonth(), date.getUTCDate()];
  const isYearsEnd = month === DECEMBER && dayOfMonth >= 29;
  return dayOfMonth > 10 && date.getUTCDay() !== MONDAY && !isYearsEnd;
}

/** FNV-1a, 32 bits: spreads devices over days, the same ones each time. */
function spread(text: string): number {
  let hash = 0x81_1c_9d_c5;
  for (let index = 0; index < text.length; index++)
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01_00_01_93) >>> 0;
  return hash;
}

/** The quiet days on which renewing may begin, the best first. There are always some: ten days and a week are not a month. */
function candidates(lastDay: number, deviceId: string): readonly number[] {
  const usual: number[] = [];
  for (let day = lastDay - USUAL; day <= lastDay - LATEST; day++) if (isQuiet(day)) usual.push(day);
  const first = spread(deviceId) % usual.length;
  const early: number[] = [];
  for (let day = lastDay - USUAL - 1; day >= lastDay - EARLIEST; day--)
    if (isQuiet(day)) early.push(day);
  return [...usual.slice(first), ...usual.slice(0, first), ...early];
}

/** How many other devices have each day. */
class Calendar {
  readonly #devices = new Map<number, Set<string>>();

  /** The first of these days that no other device has; where there is none, the one that the fewest have. */
  take(days: readonly number[], deviceId: string): number {
    let best = days[0] ?? 0;
    let fewest = Infinity;
    for (const day of days) {
      const others = this.#others(day, deviceId);
      if (others >= fewest) continue;
      [best, fewest] = [day, others];
      if (others === 0) break;
    }
    const devices = this.#devices.get(best) ?? new Set<string>();
    this.#devices.set(best, devices.add(deviceId));
    return best;
  }

  #others(day: number, deviceId: string): number {
    const devices = this.#devices.get(day);
    return devices === undefined ? 0 : devices.size - (devices.has(deviceId) ? 1 : 0);
  }
}

/**
 * From when each certificate of a pharmacy is to be renewed: the beginning of a quiet day in the zone, 60 to 30 days before
 * its last one, and no two devices on the same day. Where those days are taken it is earlier, up to 120 days, which is room
 * for more than forty devices whose certificates end together; beyond that, days are shared.
 *
 * Given in the order of their issue: what comes later does not move what was told before.
 */
export function renewalWindows(
  certificates: readonly Renewable[],
  timeZone: string,
): ReadonlyMap<Serial, Date> {
  const calendar = new Calendar();
  const windows = new Map<Serial, Date>();
  for (const { serialNumber, deviceId, notBefore, notAfter } of certificates) {
    const lifeMs = notAfter.getTime() - notBefore.getTime();
    if (lifeMs < SHORT_LIFE_MS) {
      windows.set(serialNumber, new Date(notBefore.getTime() + Math.floor((lifeMs * 2) / 3)));
      continue;
    }
    const days = candidates(dayNumber(notAfter, timeZone), deviceId);
    windows.set(serialNumber, beginningOfDay(calendar.take(days, deviceId), timeZone));
  }
  return windows;
}
