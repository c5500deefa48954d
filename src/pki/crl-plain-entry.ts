import { TAG } from "./der.ts";

/**
 * Reads an entry in the one form that nearly all have: a serial number, UTCTime, and a reason or nothing. What is not
 * exactly that is not read here but by the reader that knows all of RFC 5280 §5.3, and that says what is wrong with it.
 */
export interface PlainEntry {
  at: number;
  octets: number;
  revokedAt: number;
  reason: number;
  /** Where the entry ends. */
  end: number;
}

/** A Time of UTCTime: header, twelve digits, Z. */
const TIME_OCTETS = 15;

/** The extensions that hold a reason and nothing else, up to the reason (RFC 5280 §5.3.1). */
const REASON = [0x30, 12, 0x30, 10, 0x06, 3, 0x55, 0x1d, 0x15, 0x04, 3, 0x0a, 1] as const;

/** Reasons that a full list may give and that are written out (R12); 0 is left out, 8 belongs to deltas. */
export const WRITTEN_REASONS: ReadonlySet<number> = new Set([1, 2, 3, 4, 5, 6, 9, 10]);

const isWritten = Uint8Array.from({ length: 256 }, (_, code) => Number(WRITTEN_REASONS.has(code)));

const DAY_MS = 86_400_000;

/** Days since 1970 of each day of a UTCTime from 2000 to 2049, or −1 for what is none; by year, month and day. */
const DAYS = new Int32Array(50 * 12 * 31).fill(-1);

const MONTH_DAYS = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] as const;

const placeOf = (year: number, month: number, day: number): number =>
  (year * 12 + month - 1) * 31 + day - 1;

const daysIn = (year: number, month: number): number =>
  month === 2 && year % 4 === 0 ? 29 : (MONTH_DAYS[month - 1] ?? 0);

for (let year = 0; year < 50; year++) {
  for (let month = 1; month <= 12; month++) {
    for (let day = 1; day <= daysIn(year, month); day++)
      DAYS[placeOf(year, month, day)] = Date.UTC(2000 + year, month - 1, day) / DAY_MS;
  }
}

/** Two digits, or NaN. */
function two(source: Uint8Array, at: number): number {
  const [tens, ones] = [(source[at] ?? 0) - 0x30, (source[at + 1] ?? 0) - 0x30];
  return tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9 ? 10 * tens + ones : Number.NaN;
}

/** −1 for what is no day of those years. */
function daysSince1970(year: number, month: number, day: number): number {
  const isDay = year < 50 && month >= 1 && month <= 12 && day >= 1 && day <= 31;
  return isDay ? (DAYS[placeOf(year, month, day)] ?? -1) : -1;
}

/** Milliseconds since 1970 of a UTCTime from 2000 to 2049, or NaN for what is none. */
function utcTime(source: Uint8Array, at: number): number {
  if (source[at] !== TAG.utcTime || source[at + 1] !== 13 || source[at + 14] !== 0x5a)
    return Number.NaN;
  const year = two(source, at + 2);
  const month = two(source, at + 4);
  const day = two(source, at + 6);
  const days = daysSince1970(year, month, day);
  const hour = two(source, at + 8);
  const minute = two(source, at + 10);
  const second = two(source, at + 12);
  if (days < 0 || !(hour < 24 && minute < 60 && second < 60)) return Number.NaN;
  return days * DAY_MS + (hour * 3600 + minute * 60 + second) * 1000;
}

/** The reason in the octets up to `end`, 0 where there are none, or −1. */
function reasonIn(source: Uint8Array, at: number, end: number): number {
  if (at === end) return 0;
  if (at + REASON.length + 1 !== end) return -1;
  for (let i = 0; i < REASON.length; i++) if (source[at + i] !== REASON[i]) return -1;
  const reason = source[end - 1] ?? 0;
  return isWritten[reason] === 1 ? reason : -1;
}

/** How many octets in front of the serial are there for its sign, or −1 where it is none of ours: not positive, or padded. */
function signOctets(source: Uint8Array, at: number, octets: number): number {
  const first = source[at] ?? 0x80;
  if (first !== 0) return first < 0x80 ? 0 : -1;
  return octets > 1 && (source[at + 1] ?? 0) >= 0x80 ? 1 : -1;
}

/** Whether an entry with a serial number and a time stands at `at`, as far as its headers and lengths tell. */
function isPlain(source: Uint8Array, at: number, limit: number): boolean {
  if (source[at] !== TAG.sequence || source[at + 2] !== TAG.integer) return false;
  const length = source[at + 1] ?? 0x80;
  const octets = source[at + 3] ?? 0x80;
  return (
    length < 0x80 &&
    octets >= 1 &&
    octets <= 20 &&
    at + 2 + length <= limit &&
    2 + octets + TIME_OCTETS <= length
  );
}

/** Reads the entry at `at` into `entry`. False when it has another form, or reaches beyond `limit`. */
export function readPlainEntry(
  source: Uint8Array,
  { at, limit }: { readonly at: number; readonly limit: number },
  entry: PlainEntry,
): boolean {
  if (!isPlain(source, at, limit)) return false;
  const octets = source[at + 3] ?? 0;
  const end = at + 2 + (source[at + 1] ?? 0);
  const time = at + 4 + octets;
  const sign = signOctets(source, at + 4, octets);
  const revokedAt = utcTime(source, time);
  const reason = reasonIn(source, time + TIME_OCTETS, end);
  if (sign < 0 || reason < 0 || Number.isNaN(revokedAt)) return false;
  entry.at = at + 4 + sign;
  entry.octets = octets - sign;
  entry.revokedAt = revokedAt;
  entry.reason = reason;
  entry.end = end;
  return true;
}
