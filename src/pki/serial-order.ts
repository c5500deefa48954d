import { type EntryRows, SERIAL_SLOT } from "./crl-entry-rows.ts";

/** Whole numbers of so many bits are exact. */
const EXACT_BITS = 53;

/** Octets of a serial that a key is made of. */
const KEY_OCTETS = 5;

/** How many octets in front are zero in every serial. */
function sharedZeros(rows: EntryRows): number {
  let fewest = SERIAL_SLOT - 1;
  for (let row = 0; row < rows.length && fewest > 0; row++)
    fewest = Math.min(fewest, rows.firstOctet(row) - rows.serialAt(row));
  return fewest;
}

/** Negative, zero or positive, as the serial of one row is lower than, equal to or higher than that of the other. */
function compareSerials(rows: EntryRows, a: number, b: number): number {
  const first = rows.serialAt(a);
  const second = rows.serialAt(b);
  const { octets } = rows;
  for (let i = 0; i < SERIAL_SLOT; i++) {
    const difference = (octets[first + i] ?? 0) - (octets[second + i] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

/** The beginning of each serial with its row behind it in one number: what the engine sorts by itself, without calling back. */
function sortedKeys(rows: EntryRows, places: number): Float64Array {
  const zeros = sharedZeros(rows);
  // Where fewer octets differ, zeros in front make up a key of as many.
  const skipped = Math.min(zeros, SERIAL_SLOT - KEY_OCTETS);
  const cut = 2 ** (8 * KEY_OCTETS - (EXACT_BITS - Math.log2(places)));
  const keys = new Float64Array(rows.length);
  const { octets } = rows;
  for (let row = 0; row < rows.length; row++) {
    const from = rows.serialAt(row) + skipped;
    const low =
      ((octets[from + 1] ?? 0) << 24) |
      ((octets[from + 2] ?? 0) << 16) |
      ((octets[from + 3] ?? 0) << 8) |
      (octets[from + 4] ?? 0);
    const key = (octets[from] ?? 0) * 2 ** 32 + (low >>> 0);
    keys[row] = Math.floor(key / cut) * places + row;
  }
  // oxlint-disable-next-line unicorn/no-array-sort -- the keys are ours alone, and a copy of them is 8 MB
  return keys.sort();
}

/**
 * The rows in ascending order of their serials as numbers. Serials are random, so few begin alike; those that do are put
 * right one by one. Throws RangeError when a serial comes twice.
 */
export function ascendingRows(rows: EntryRows): Uint32Array {
  const places = 2 ** Math.ceil(Math.log2(Math.max(2, rows.length)));
  const order = new Uint32Array(rows.length);
  const keys = sortedKeys(rows, places);
  let before = -1;
  for (let i = 0; i < keys.length; i++) {
    const key = keys[i] ?? 0;
    const beginning = Math.floor(key / places);
    const row = key - beginning * places;
    order[i] = row;
    if (beginning === before) putRight(rows, order, i);
    before = beginning;
  }
  return order;
}

/** Puts the last of the rows so far where it belongs among those that begin like it. */
function putRight(rows: EntryRows, order: Uint32Array, last: number): void {
  const row = order[last] ?? 0;
  let at = last;
  for (; at > 0; at--) {
    const other = order[at - 1] ?? 0;
    const difference = compareSerials(rows, other, row);
    if (difference === 0)
      throw new RangeError(`the serials of a list must be unique: ${rows.serialHex(row)}`);
    if (difference < 0) break;
    order[at] = other;
  }
  order[at] = row;
}
