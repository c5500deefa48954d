import { BACKDATE_MS } from "./clock.ts";
import { BeyondIssuerError } from "./errors.ts";
import type { Profile, ValidityRule } from "./profile.ts";

/** The first and the last second of a certificate's life, both inclusive (RFC 5280 §4.1.2.5). */
export interface Validity {
  readonly notBefore: Date;
  readonly notAfter: Date;
}

export interface ValidityQuestion {
  readonly now: Date;
  /** An IANA zone, such as `Asia/Tokyo`. */
  readonly timeZone: string;
  /** Absent only for a root. */
  readonly issuerNotAfter?: Date;
}

const DAY_MS = 86_400_000;

/** Clocks are set only at full quarters of an hour, so what holds at its beginning holds throughout. */
const QUARTER_MS = 15 * 60_000;

/** A zone with what it is ahead of UTC, in milliseconds, in the quarters that were asked about. */
interface Zone {
  readonly format: Intl.DateTimeFormat;
  readonly offsets: Map<number, number>;
}

/** Two of them, now and a year later, serve all certificates of a quarter. */
const MOST_OFFSETS = 64;

/** What the clock on the wall there shows, as milliseconds of a UTC date with the same digits. */
function wallClock(at: number, { format, offsets }: Zone): number {
  const quarter = Math.floor(at / QUARTER_MS) * QUARTER_MS;
  const known = offsets.get(quarter);
  if (known !== undefined) return at + known;
  const offset = readWallClock(quarter, format) - quarter;
  if (offsets.size >= MOST_OFFSETS) offsets.clear();
  offsets.set(quarter, offset);
  return at + offset;
}

function readWallClock(at: number, format: Intl.DateTimeFormat): number {
  const part = Object.fromEntries(
    format.formatToParts(at).map(({ type, value }) => [type, Number(value)]),
  );
  const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = part;
  return Date.UTC(year, month - 1, day, hour, minute, second);
}

/** By name; a process has one. Making a format costs more than building, linting and signing a certificate, and using it as much as signing. */
const ZONES = new Map<string, Zone>();

function zoneOf(timeZone: string): Zone {
  const known = ZONES.get(timeZone);
  if (known !== undefined) return known;
  const format = new Intl.DateTimeFormat("en-u-ca-iso8601-nu-latn", {
    timeZone,
    hourCycle: "h23",
    year: "numeric",
    month: "2-digit",
    day: "2-digit",
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
  });
  const zone = { format, offsets: new Map<number, number>() };
  ZONES.set(timeZone, zone);
  return zone;
}

/** The moment at which the wall clock shows this. Two rounds settle it, also near a change to or from summer time. */
function momentOf(wall: number, zone: Zone): number {
  let at = wall;
  for (let round = 0; round < 2; round++) at += wall - wallClock(at, zone);
  return at;
}

/** So many months later on the wall's calendar; a day that the month does not have becomes its last (31 January → 28 February). */
function addMonths(wall: number, months: number): number {
  const from = new Date(wall);
  const to = new Date(wall);
  to.setUTCDate(1);
  to.setUTCMonth(from.getUTCMonth() + months);
  const daysInMonth = new Date(Date.UTC(to.getUTCFullYear(), to.getUTCMonth() + 1, 0)).getUTCDate();
  to.setUTCDate(Math.min(from.getUTCDate(), daysInMonth));
  return to.getTime();
}

function endOf(rule: ValidityRule, now: number, timeZone: string): number {
  if (rule.kind === "days" && rule.endOfDay !== true) return now + rule.count * DAY_MS;
  const zone = zoneOf(timeZone);
  const wall = wallClock(now, zone);
  const last =
    rule.kind === "days"
      ? wall + rule.count * DAY_MS
      : addMonths(wall, rule.count * (rule.kind === "years" ? 12 : 1));
  return momentOf(
    rule.endOfDay === true ? Math.floor(last / DAY_MS) * DAY_MS + DAY_MS - 1000 : last,
    zone,
  );
}

/**
 * When a certificate that is issued now begins and ends, in whole seconds. It begins BACKDATE_MS ago. Throws
 * BeyondIssuerError when it would outlive its issuer (RFC 5280 §6.1 would refuse it then): never shortened in silence.
 */
export function validityOf(profile: Profile, question: ValidityQuestion): Validity {
  const { now, timeZone, issuerNotAfter } = question;
  const second = Math.floor(now.getTime() / 1000) * 1000;
  const notBefore = new Date(second - BACKDATE_MS);
  const notAfter = new Date(endOf(profile.validity, second, timeZone));
  if (issuerNotAfter !== undefined && notAfter > issuerNotAfter) {
    throw new BeyondIssuerError(
      `a "${profile.name}" certificate would end ${notAfter.toISOString()}, after its issuer (${issuerNotAfter.toISOString()})`,
    );
  }
  return { notBefore, notAfter };
}

/**
 * Whether a certificate of a device lives a day at most, which those of emergencies do and no others: who has nothing but
 * the certificate knows them by it.
 */
export function isForADay({ notBefore, notAfter }: Validity): boolean {
  return notAfter.getTime() - notBefore.getTime() <= DAY_MS + BACKDATE_MS;
}

/** The day on the wall's calendar there, counted from 1 January 1970. */
export function dayNumber(at: Date, timeZone: string): number {
  return Math.floor(wallClock(at.getTime(), zoneOf(timeZone)) / DAY_MS);
}

/** The moment at which such a day begins there. */
export function beginningOfDay(day: number, timeZone: string): Date {
  return new Date(momentOf(day * DAY_MS, zoneOf(timeZone)));
}

/** Whole days from now to notAfter, never below 0. */
export function daysLeft(notAfter: Date, now: Date): number {
  return Math.max(0, Math.floor((notAfter.getTime() - now.getTime()) / DAY_MS));
}
