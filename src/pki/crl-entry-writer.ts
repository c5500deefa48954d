import { TAG, octetString, oid, sequence } from "./der.ts";
import { civilFromDays, DAY_MS } from "./der-writer.ts";
import { STATUS_OID } from "./oids-status.ts";
import { SERIAL_SLOT } from "./serial-order.ts";

/** Entries, a row each: 30 octets an entry, so that a million of them are 30 MB. */
export interface EntryColumns {
  /** In slots of 20 octets, zeros in front; the first one begins at a whole word of its buffer. */
  readonly serials: Uint8Array;
  /** The published dates, in milliseconds since 1970. */
  readonly revokedAt: Float64Array;
  /** Each a ReasonCode. */
  readonly reasons: Uint8Array;
  /** The shard of each. */
  readonly shards: Uint8Array;
}

/** RFC 5280 §5.3.1: reasonCode in an entry's extensions, up to the value itself; never critical. */
const REASON_PREFIX = sequence(
  sequence(oid(STATUS_OID.reasonCode), octetString(new Uint8Array([TAG.enumerated, 1, 0]))),
).slice(0, -1);
const REASON_OCTETS = REASON_PREFIX.length + 1;

/** RFC 5280 §5.1.2.4: from here on a Time is a GeneralizedTime, with two more digits. */
const FROM_2050 = Date.UTC(2050, 0);
const UTC_TIME_OCTETS = 15;

/** The slot's first octet that is not zero, but for the last one. */
export function firstOctet(serials: Uint8Array, row: number): number {
  let from = SERIAL_SLOT * row;
  while (from < SERIAL_SLOT * (row + 1) - 1 && serials[from] === 0) from++;
  return from;
}

/** The content octets of the serial's INTEGER: no leading zeros, but a sign octet where it needs one. */
function serialLength(serials: Uint8Array, row: number): number {
  const from = firstOctet(serials, row);
  return SERIAL_SLOT * (row + 1) - from + ((serials[from] ?? 0) >= 0x80 ? 1 : 0);
}

/** The content octets of an entry: below 128 with every part as long as it can be. */
function contentLength({ reasons, revokedAt, serials }: EntryColumns, row: number): number {
  const time = (revokedAt[row] ?? 0) < FROM_2050 ? UTC_TIME_OCTETS : UTC_TIME_OCTETS + 2;
  return 2 + serialLength(serials, row) + time + (reasons[row] === 0 ? 0 : REASON_OCTETS);
}

/** How many octets all entries have in DER. */
export function entriesLength(columns: EntryColumns): number {
  const count = columns.reasons.length;
  let length = 2 * count;
  for (let row = 0; row < count; row++) length += contentLength(columns, row);
  return length;
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

  /** Into octets of just the length of all entries. */
  constructor(into: Uint8Array) {
    this.#into = into;
  }

  /** Throws RangeError for a date that no Time can hold. */
  write(columns: EntryColumns, row: number): void {
    this.#octet(TAG.sequence);
    this.#octet(contentLength(columns, row));
    this.#serial(columns.serials, row);
    this.#time(columns.revokedAt[row] ?? Number.NaN);
    const reason = columns.reasons[row] ?? 0;
    if (reason === 0) return;
    for (let i = 0; i < REASON_PREFIX.length; i++) this.#octet(REASON_PREFIX[i] ?? 0);
    this.#octet(reason);
  }

  #octet(value: number): void {
    this.#into[this.#at++] = value;
  }

  #serial(serials: Uint8Array, row: number): void {
    this.#octet(TAG.integer);
    this.#octet(serialLength(serials, row));
    const from = firstOctet(serials, row);
    if ((serials[from] ?? 0) >= 0x80) this.#octet(0);
    for (let i = from; i < SERIAL_SLOT * (row + 1); i++) this.#octet(serials[i] ?? 0);
  }

  #time(at: number): void {
    const day = Math.floor(at / DAY_MS);
    const digits = this.#digitsOf(day);
    const isShort = at < FROM_2050;
    this.#octet(isShort ? TAG.utcTime : TAG.generalizedTime);
    this.#octet(isShort ? 13 : 15);
    for (let i = isShort ? 2 : 0; i < 8; i++) this.#octet(digits[i] ?? 0);
    const second = Math.floor((at - day * DAY_MS) / 1000);
    this.#two(Math.trunc(second / 3600));
    this.#two(Math.trunc(second / 60) % 60);
    this.#two(second % 60);
    this.#octet(0x5a);
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

  #two(value: number): void {
    this.#octet(0x30 + Math.trunc(value / 10));
    this.#octet(0x30 + (value % 10));
  }
}
