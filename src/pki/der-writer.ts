import { put } from "./bytes.ts";
import { TAG, tlvLength, writeHeader } from "./der.ts";

export const DAY_MS = 86_400_000;
/** Days from 0000-03-01 to 1970-01-01, and in 400 years. */
const DAYS_TO_1970 = 719_468;
const DAYS_OF_400_YEARS = 146_097;

interface Civil {
  readonly year: number;
  readonly month: number;
  readonly day: number;
}

/** The calendar date of a day since 1970, by arithmetic: a third of the time that a Date's getters take. */
export function civilFromDays(days: number): Civil {
  const shifted = days + DAYS_TO_1970;
  const era = Math.floor(shifted / DAYS_OF_400_YEARS);
  const dayOfEra = shifted - era * DAYS_OF_400_YEARS;
  const leapDays =
    Math.trunc(dayOfEra / 1460) - Math.trunc(dayOfEra / 36_524) + Math.trunc(dayOfEra / 146_096);
  const yearOfEra = Math.trunc((dayOfEra - leapDays) / 365);
  const centuries = Math.trunc(yearOfEra / 100);
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.trunc(yearOfEra / 4) - centuries);
  const monthFromMarch = Math.trunc((5 * dayOfYear + 2) / 153);
  const month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9;
  return {
    year: yearOfEra + era * 400 + (month <= 2 ? 1 : 0),
    month,
    day: dayOfYear - Math.trunc((153 * monthFromMarch + 2) / 5) + 1,
  };
}

/**
 * Writes DER from the end towards the front into one buffer: a length is known when its header is written, so nothing is
 * measured first and nothing is copied twice. For what is made a thousand times a second (OCSP) or is a hundred
 * megabytes long (CRLs); everything else reads better with the functions of `der.ts`.
 */
export class DerWriter {
  readonly #into: Uint8Array;
  #at: number;

  /** Room for so many octets. `finish` throws RangeError when they were not enough. */
  constructor(capacity: number) {
    this.#into = new Uint8Array(capacity);
    this.#at = capacity;
  }

  /** Where the next thing ends: what `wrap` wants to know about the content that is written from here on. */
  get mark(): number {
    return this.#at;
  }

  /** Puts these octets in front. */
  bytes(part: Uint8Array): void {
    this.#at -= part.length;
    put(this.#into, this.#at, part);
  }

  /** Puts a short part of a longer array in front. */
  range(source: Uint8Array, from: number, end: number): void {
    for (let i = end - 1; i >= from; i--) this.#into[--this.#at] = source[i] ?? 0;
  }

  /** Puts one octet in front. */
  octet(value: number): void {
    this.#into[--this.#at] = value;
  }

  /** Takes so many octets in front, for the caller to fill. */
  room(octets: number): Uint8Array {
    this.#at -= octets;
    return this.#into.subarray(Math.max(0, this.#at), Math.max(0, this.#at + octets));
  }

  /** Puts the header in front of all that was written since the mark was taken. */
  wrap(tag: number, mark: number): void {
    const length = mark - this.#at;
    this.#at = mark - tlvLength(length);
    writeHeader(this.#into, this.#at, { tag, length });
  }

  /** Puts a whole GeneralizedTime in front: UTC, seconds, no fraction (RFC 5280 §4.1.2.5.2). */
  generalizedTime(at: Date): void {
    this.#time(at.getTime(), false);
  }

  /** Puts a Time in front: UTCTime through 2049, then GeneralizedTime (RFC 5280 §5.1.2.4). Milliseconds since 1970. */
  time(at: number): void {
    this.#time(at, true);
  }

  /** The bytes, a view of the one buffer. */
  finish(): Uint8Array {
    if (this.#at < 0) throw new RangeError("more was written than there was room for");
    return this.#into.subarray(this.#at);
  }

  #time(at: number, short: boolean): void {
    const days = Math.floor(at / DAY_MS);
    const { day, month, year } = civilFromDays(days);
    if (!(year >= 1950 && year <= 9999)) throw new RangeError(`no DER time for the year ${year}`);
    const second = Math.floor((at - days * DAY_MS) / 1000);
    this.octet(0x5a);
    this.#two(second % 60);
    this.#two(Math.trunc(second / 60) % 60);
    this.#two(Math.trunc(second / 3600));
    this.#two(day);
    this.#two(month);
    this.#two(year % 100);
    const utc = short && year < 2050;
    if (!utc) this.#two(Math.trunc(year / 100));
    this.octet(utc ? 13 : 15);
    this.octet(utc ? TAG.utcTime : TAG.generalizedTime);
  }

  #two(value: number): void {
    this.octet(0x30 + (value % 10));
    this.octet(0x30 + Math.trunc(value / 10));
  }
}
