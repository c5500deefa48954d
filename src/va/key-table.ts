import { toHex } from "../pki/bytes.ts";

/** The keys of a table have this many octets: serial numbers of ours, and UUIDs. */
export const KEY_OCTETS = 16;

/** A chunk is filled before the next one is made, so that growing never holds two copies. */
const CHUNK_BITS = 14;
const CHUNK = 1 << CHUNK_BITS;
const WITHIN = CHUNK - 1;

/** The table of slots is between 0.6 and 0.75 full, as in the index of the status. */
const FULLEST = 0.75;
const GROWTH = 1.25;
const FEWEST_SLOTS = 1 << 8;

const octets4 = (bytes: Uint8Array, at: number): number =>
  (((bytes[at] ?? 0) << 24) |
    ((bytes[at + 1] ?? 0) << 16) |
    ((bytes[at + 2] ?? 0) << 8) |
    (bytes[at + 3] ?? 0)) >>>
  0;

/** Some of the octets may be a time or a counter: all of them are mixed. */
function mixed(bytes: Uint8Array, at: number): number {
  let word = 0;
  for (let i = 0; i < KEY_OCTETS; i += 4) {
    word = Math.imul(word ^ octets4(bytes, at + i), 0x9e37_79b1);
    word ^= word >>> 15;
  }
  return word >>> 0;
}

/**
 * Gives each key of 16 octets a small number, its *ordinal*, in the order of their first appearance and for ever. 21 to 23
 * octets a key.
 */
export class KeyTable {
  readonly #chunks: Uint8Array[] = [];
  /** Ordinal + 1, or 0 where the slot is free. */
  #slots = new Uint32Array(FEWEST_SLOTS);
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** The memory that the arrays take. */
  get octets(): number {
    return this.#slots.byteLength + this.#chunks.length * CHUNK * KEY_OCTETS;
  }

  /** The key's ordinal, or −1 for one that is not known. */
  find(key: Uint8Array): number {
    return key.length === KEY_OCTETS ? (this.#slots[this.#slotOf(key)] ?? 0) - 1 : -1;
  }

  /** The key's ordinal; a new key gets the next. Throws RangeError for another length. */
  add(key: Uint8Array): number {
    if (key.length !== KEY_OCTETS) throw new RangeError("a key has 16 octets");
    const slot = this.#slotOf(key);
    const known = (this.#slots[slot] ?? 0) - 1;
    if (known >= 0) return known;
    const ordinal = this.#size++;
    if ((ordinal & WITHIN) === 0) this.#chunks.push(new Uint8Array(CHUNK * KEY_OCTETS));
    this.#chunks[ordinal >>> CHUNK_BITS]?.set(key, (ordinal & WITHIN) * KEY_OCTETS);
    this.#slots[slot] = ordinal + 1;
    if (this.#size > this.#slots.length * FULLEST) this.#grow();
    return ordinal;
  }

  /** The key at an ordinal that `find` or `add` gave: a view, to be copied by whoever keeps it. */
  keyAt(ordinal: number): Uint8Array {
    const at = (ordinal & WITHIN) * KEY_OCTETS;
    return this.#chunks[ordinal >>> CHUNK_BITS]?.subarray(at, at + KEY_OCTETS) ?? new Uint8Array();
  }

  #holds(ordinal: number, key: Uint8Array): boolean {
    const stored = this.#chunks[ordinal >>> CHUNK_BITS];
    const at = (ordinal & WITHIN) * KEY_OCTETS;
    if (stored === undefined) return false;
    for (let i = 0; i < KEY_OCTETS; i++) if (stored[at + i] !== key[i]) return false;
    return true;
  }

  /** The slot that holds the key, or the free one where it belongs. */
  #slotOf(key: Uint8Array): number {
    const slots = this.#slots;
    let slot = this.#first(mixed(key, 0));
    for (;;) {
      const held = slots[slot] ?? 0;
      if (held === 0 || this.#holds(held - 1, key)) return slot;
      slot = slot + 1 === slots.length ? 0 : slot + 1;
    }
  }

  #first(word: number): number {
    return Math.floor((word / 0x1_0000_0000) * this.#slots.length);
  }

  #grow(): void {
    const slots = new Uint32Array(Math.ceil(this.#slots.length * GROWTH));
    this.#slots = slots;
    for (let ordinal = 0; ordinal < this.#size; ordinal++) {
      const chunk = this.#chunks[ordinal >>> CHUNK_BITS] ?? new Uint8Array();
      let slot = this.#first(mixed(chunk, (ordinal & WITHIN) * KEY_OCTETS));
      while (slots[slot] !== 0) slot = slot + 1 === slots.length ? 0 : slot + 1;
      slots[slot] = ordinal + 1;
    }
  }
}

/** The value of a digit of lower-case hex. */
const digit = (text: string, at: number): number => {
  const code = text.charCodeAt(at);
  return code < 0x60 ? code & 15 : (code & 15) + 9;
};

/** Where the octets of a UUID stand in its text. */
const PLACES = [0, 2, 4, 6, 9, 11, 14, 16, 19, 21, 24, 26, 28, 30, 32, 34];

/** The octets of a UUID in the spelling of PostgreSQL. By hand, because millions of them are read at a start. */
export function uuidOctets(uuid: string): Uint8Array {
  const octets = new Uint8Array(KEY_OCTETS);
  for (let i = 0; i < KEY_OCTETS; i++) {
    const place = PLACES[i] ?? 0;
    octets[i] = (digit(uuid, place) << 4) | digit(uuid, place + 1);
  }
  return octets;
}

/** The UUID of these octets, as PostgreSQL spells it. */
export function uuidText(octets: Uint8Array): string {
  const hex = toHex(octets);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}
