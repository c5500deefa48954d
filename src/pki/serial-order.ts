/** RFC 5280 §4.1.2.2: no serial number has more octets. */
export const SERIAL_SLOT = 20;

/** Whole numbers of so many bits are exact. */
const EXACT_BITS = 53;

/** Octets of a serial that a key is made of. */
const KEY_OCTETS = 5;

/** How many octets in front are zero in every slot. */
function sharedZeros(serials: Uint8Array): number {
  let fewest = SERIAL_SLOT - 1;
  for (let from = 0; from < serials.length; from += SERIAL_SLOT) {
    let zeros = 0;
    while (zeros < fewest && serials[from + zeros] === 0) zeros++;
    fewest = zeros;
  }
  return fewest;
}

/** Negative, zero or positive, as the serial of one slot is lower than, equal to or higher than that of the other. */
export function compareSlots(serials: Uint8Array, a: number, b: number): number {
  const [first, second] = [a * SERIAL_SLOT, b * SERIAL_SLOT];
  for (let i = 0; i < SERIAL_SLOT; i++) {
    const difference = (serials[first + i] ?? 0) - (serials[second + i] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

/** The beginning of each serial with its row behind it in one number: what the engine sorts by itself, without calling back. */
function sortedKeys(serials: Uint8Array, count: number, rows: number): Float64Array {
  const zeros = sharedZeros(serials);
  const cut = 2 ** (8 * KEY_OCTETS - (EXACT_BITS - Math.log2(rows)));
  const keys = new Float64Array(count);
  for (let row = 0; row < count; row++) {
    let key = 0;
    for (let i = zeros; i < zeros + KEY_OCTETS; i++)
      key = key * 256 + (i < SERIAL_SLOT ? (serials[row * SERIAL_SLOT + i] ?? 0) : 0);
    keys[row] = Math.floor(key / cut) * rows + row;
  }
  // oxlint-disable-next-line unicorn/no-array-sort -- the keys are ours alone, and a copy of them is 8 MB
  return keys.sort();
}

/**
 * The rows in ascending order of their serials as numbers. Each serial fills a slot of 20 octets, zeros in front. Serials
 * are random, so few begin alike; those that do are put right one by one.
 */
export function ascendingRows(serials: Uint8Array): Uint32Array {
  const count = serials.length / SERIAL_SLOT;
  const rows = 2 ** Math.ceil(Math.log2(Math.max(2, count)));
  const order = new Uint32Array(count);
  let before = -1;
  for (const [i, key] of sortedKeys(serials, count, rows).entries()) {
    const beginning = Math.floor(key / rows);
    const row = key - beginning * rows;
    let at = i;
    if (beginning === before) {
      for (; at > 0 && compareSlots(serials, order[at - 1] ?? 0, row) > 0; at--)
        order[at] = order[at - 1] ?? 0;
    }
    order[at] = row;
    before = beginning;
  }
  return order;
}
