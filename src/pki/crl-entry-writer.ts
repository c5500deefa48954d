import { TAG, octetString, oid, sequence } from "./der.ts";
import { civilFromDays, DAY_MS } from "./der-writer.ts";
import { STATUS_OID } from "./oids-status.ts";
import type { EntryRows } from "./crl-entry-rows.ts";

/** RFC 5280 §5.3.1: reasonCode in an entry's extensions, up to the value itself; never critical. */
const REASON_PREFIX = sequence(
  sequence(oid(STATUS_OID.reasonCode), octetString(new Uint8Array([TAG.enumerated, 1, 0]))),
).slice(0, -1);
const REASON_OCTETS = REASON_PREFIX.length + 1;

/** RFC 5280 §5.1.2.4: from here on a Time is a GeneralizedTime, with two more digits. */
const FROM_2050 = Date.UTC(2050, 0);
const UTC_TIME_OCTETS = 15;

/** The content octets of the serial's INTEGER: no leading zeros, but a sign octet where it needs one. */
function serialLength(rows: EntryRows, row: number): number {
  const from = rows.firstOctet(row);
  return rows.serialEnd(row) - from + ((rows.octets[from] ?? 0) >= 0x80 ? 1 : 0);
}

/** The content octets of an entry: below 128 with every part as long as it can be. */
function contentLength(rows: EntryRows, row: number, serialOctets: number): number {
  const time = rows.revokedAt(row) < FROM_2050 ? UTC_TIME_OCTETS : UTC_TIME_OCTETS + 2;
  return 2 + serialOctets + time + (rows.reason(row) === 0 ? 0 : REASON_OCTETS);
}

/** How many octets all entries have in DER. */
export function entriesLength(rows: EntryRows): number {
  let length = 2 * rows.length;
  for (let row = 0; row < rows.length; row++)
    length += contentLength(rows, row, serialLength(rows, row));
  return length;
}

/** Writes two digits at `at`, and gives the place behind them. */
function putTwo(into: Uint8Array, at: number, value: number): number {
  const tens = Math.trunc(value / 10);
  into[at] = 0x30 + tens;
  into[at + 1] = 0x30 + value - 10 * tens;
  return at + 2;
}

/**
 * Writes entries from the front, each in one go: their parts are short, and the general writer spends most of a list's
 * time on calls between them.
 */
export class EntryWriter {
  readonly #into: Uint8Array;
  #at = 0;
  /** The digits of each day that was written: there are a few hundred of them. */
  readonly #days = new Map<number, Uint8Array>();
  /** Those of the last one, which is often the next one's. */
  #day = Number.NaN;
  #digits: Uint8Array = new Uint8Array(8);

  /** Into octets of just the length of all entries. */
  constructor(into: Uint8Array) {
    this.#into = into;
  }

  /** Throws RangeError for a date that no Time can hold. */
  write(rows: EntryRows, row: number): void {
    const into = this.#into;
    const octets = serialLength(rows, row);
    let at = this.#at;
    into[at++] = TAG.sequence;
    into[at++] = contentLength(rows, row, octets);
    into[at++] = TAG.integer;
    into[at++] = octets;
    // A sign octet is one of the zeros in front, or there is none of them left.
    const end = rows.serialEnd(row);
    const from = Math.max(end - octets, rows.serialAt(row));
    if (from > end - octets) into[at++] = 0;
    for (let i = from; i < end; i++) into[at++] = rows.octets[i] ?? 0;
    at = this.#time(at, rows.revokedAt(row));
    const reason = rows.reason(row);
    if (reason !== 0) {
      for (let i = 0; i < REASON_PREFIX.length; i++) into[at++] = REASON_PREFIX[i] ?? 0;
      into[at++] = reason;
    }
    this.#at = at;
  }

  /** Writes a Time at `at`, and gives the place behind it. */
  #time(start: number, moment: number): number {
    const into = this.#into;
    const day = Math.floor(moment / DAY_MS);
    if (day !== this.#day) this.#digits = this.#digitsOf(day);
    this.#day = day;
    const digits = this.#digits;
    const isShort = moment < FROM_2050;
    let at = start;
    into[at++] = isShort ? TAG.utcTime : TAG.generalizedTime;
    into[at++] = isShort ? 13 : 15;
    for (let i = isShort ? 2 : 0; i < 8; i++) into[at++] = digits[i] ?? 0;
    const second = Math.floor((moment - day * DAY_MS) / 1000);
    at = putTwo(into, at, Math.trunc(second / 3600));
    at = putTwo(into, at, Math.trunc(second / 60) % 60);
    at = putTwo(into, at, second % 60);
    into[at++] = 0x5a;
    return at;
  }

  /** Year, month and day in eight digits. */
  #digitsOf(days: number): Uint8Array {
    const known = this.#days.get(days);
    if (known !== undefined) return known;
    const { day, month, year } = civilFromDays(days);
    if (!(year >= 1950 && year <= 9999)) throw new RangeError(`no DER time for the year ${year}`);
    const digits = new Uint8Array(8);
    for (const [i, part] of [Math.trunc(year / 100), year % 100, month, day].entries()) {
      digits[2 * i] = 0x30 + Math.trunc(part / 10);
      digits[2 * i + 1] = 0x30 + (part % 10);
    }
    this.#days.set(days, digits);
    return digits;
  }
}
