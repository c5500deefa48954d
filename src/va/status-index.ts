import { SERIAL_OCTETS } from "../pki/serial.ts";

export const CERTIFICATE_STATES = ["good", "hold", "revoked"] as const;

/** What can have become of a certificate that was issued. */
export type CertificateState = (typeof CERTIFICATE_STATES)[number];

export interface CertificateStatus {
  /** The number that this index has given the issuer. */
  readonly issuer: number;
  readonly state: CertificateState;
  /** CRLReason (RFC 5280 §5.3.1); 0 for a good certificate. */
  readonly reason: number;
  /** Whole seconds since 1970, the true time; 0 for a good certificate. */
  readonly revokedAt: number;
}

/** Count and XOR of the serials' last eight octets, for all certificates of one state and reason. */
export interface StatusDigest {
  readonly count: number;
  /** 16 hex digits. */
  readonly xor: string;
}

/** Certificates that are stored together. The arrays are views of what the index works with. */
export interface StatusChunk {
  readonly count: number;
  readonly serials: Uint8Array;
  readonly marks: Uint16Array;
  readonly revokedAt: Uint32Array;
}

/** A chunk is filled before the next one is made, so that growing never holds two copies. */
const CHUNK_BITS = 14;
const CHUNK = 1 << CHUNK_BITS;
const WITHIN = CHUNK - 1;

/** The table of slots is between 0.6 and 0.75 full: five to seven octets a certificate, and short probes. */
const FULLEST = 0.75;
const GROWTH = 1.25;
const FEWEST_SLOTS = 1 << 10;

/**
 * Where the fingerprint's four octets begin. Not at the front: slots follow the order of fingerprints, and serials that come
 * sorted, as pages of the database do, would all crowd into the table's first part.
 */
const FINGERPRINT = 8;

/** A mark: issuer in bits 6–13, state in bits 4–5, reason in bits 0–3. What lies below the issuer names a digest. */
const KINDS = 1 << 6;
const MOST_ISSUERS = 1 << 8;

interface Chunk {
  readonly serials: Uint8Array;
  readonly marks: Uint16Array;
  readonly revokedAt: Uint32Array;
}

const newChunk = (): Chunk => ({
  serials: new Uint8Array(CHUNK * SERIAL_OCTETS),
  marks: new Uint16Array(CHUNK),
  revokedAt: new Uint32Array(CHUNK),
});

const octets4 = (bytes: Uint8Array, at: number): number =>
  (((bytes[at] ?? 0) << 24) |
    ((bytes[at + 1] ?? 0) << 16) |
    ((bytes[at + 2] ?? 0) << 8) |
    (bytes[at + 3] ?? 0)) >>>
  0;

function sameSerial(stored: Uint8Array, at: number, serial: Uint8Array): boolean {
  for (let i = 0; i < SERIAL_OCTETS; i++) if (stored[at + i] !== serial[i]) return false;
  return true;
}

const hex32 = (word: number): string => (word >>> 0).toString(16).padStart(8, "0");

/**
 * The status of every certificate that was ever issued, in at most 32 octets each: 16 of the serial, 6 of what became of
 * it, and its share of a hash table whose fingerprint is four of the serial's random octets. A certificate keeps its place
 * (its *ordinal*) for ever, so that whoever remembers it sees in one step whether the status is still the same.
 */
export class StatusIndex {
  /** How many certificates every chunk but the last one holds. */
  static readonly chunkSize = CHUNK;
  readonly #chunks: Chunk[] = [];
  /** Ordinal + 1, or 0 where the slot is free. */
  #slots = new Uint32Array(FEWEST_SLOTS);
  #size = 0;
  readonly #issuers: string[] = [];
  readonly #counts = new Uint32Array(KINDS);
  readonly #xorHigh = new Uint32Array(KINDS);
  readonly #xorLow = new Uint32Array(KINDS);

  get size(): number {
    return this.#size;
  }

  /** The memory that the arrays take. */
  get octets(): number {
    return this.#slots.byteLength + this.#chunks.length * CHUNK * (SERIAL_OCTETS + 2 + 4);
  }

  /** The issuers in the order of their numbers. */
  get issuers(): readonly string[] {
    return this.#issuers;
  }

  /** The number of an issuer; a new one gets the next. */
  issuerNumber(id: string): number {
    const known = this.#issuers.indexOf(id);
    if (known >= 0) return known;
    if (this.#issuers.length === MOST_ISSUERS) throw new RangeError("more than 256 issuers");
    return this.#issuers.push(id) - 1;
  }

  /** Where the certificate stands, or −1 for one that is not known, such as any whose serial cannot be ours. */
  find(serial: Uint8Array): number {
    if (serial.length !== SERIAL_OCTETS) return -1;
    return (this.#slots[this.#slotOf(serial)] ?? 0) - 1;
  }

  /** Issuer, state and reason in one number: the same as before means that nothing has changed but perhaps the date. */
  markAt(ordinal: number): number {
    return this.#chunks[ordinal >>> CHUNK_BITS]?.marks[ordinal & WITHIN] ?? 0;
  }

  /** Whole seconds since 1970; 0 for a good certificate. */
  revokedAt(ordinal: number): number {
    return this.#chunks[ordinal >>> CHUNK_BITS]?.revokedAt[ordinal & WITHIN] ?? 0;
  }

  /** The status at an ordinal that `find` gave. */
  statusAt(ordinal: number): CertificateStatus {
    const mark = this.markAt(ordinal);
    const state = CERTIFICATE_STATES[(mark >>> 4) & 3] ?? "revoked";
    return { issuer: mark >>> 6, state, reason: mark & 15, revokedAt: this.revokedAt(ordinal) };
  }

  /** The status of a certificate, or undefined for one that is not known. */
  get(serial: Uint8Array): CertificateStatus | undefined {
    const ordinal = this.find(serial);
    return ordinal < 0 ? undefined : this.statusAt(ordinal);
  }

  /**
   * Takes over a status and says whether that changed anything. It only gets worse (revoked > hold > good), whatever a
   * database that was restored to yesterday says; a hold ends by `release`. Serials that cannot be ours are not taken.
   */
  set(serial: Uint8Array, status: CertificateStatus): boolean {
    if (serial.length !== SERIAL_OCTETS) return false;
    const kind = (CERTIFICATE_STATES.indexOf(status.state) << 4) | status.reason;
    const mark = (status.issuer << 6) | kind;
    const slot = this.#slotOf(serial);
    const known = (this.#slots[slot] ?? 0) - 1;
    if (known < 0) {
      this.#slots[slot] = this.#append(serial, mark, status.revokedAt);
      this.#count(kind, serial, 1);
      if (this.#size > this.#slots.length * FULLEST) this.#grow();
      return true;
    }
    const before = this.markAt(known);
    if (before === mark && this.revokedAt(known) === status.revokedAt) return false;
    if (kind >>> 4 < (before & (KINDS - 1)) >>> 4) return false;
    this.#replace(known, mark, status.revokedAt);
    return true;
  }

  /** Ends a hold, and does nothing to a certificate that is not on hold. Only for a release that was recorded as such. */
  release(serial: Uint8Array): boolean {
    const known = this.find(serial);
    if (known < 0 || this.statusAt(known).state !== "hold") return false;
    this.#replace(known, this.markAt(known) & ~(KINDS - 1), 0);
    return true;
  }

  /** What a comparison with the database needs: one digest for each state and reason that occurs, named `state/reason`. */
  digests(): ReadonlyMap<string, StatusDigest> {
    const digests = new Map<string, StatusDigest>();
    for (let kind = 0; kind < KINDS; kind++) {
      const count = this.#counts[kind] ?? 0;
      if (count === 0) continue;
      const xor = hex32(this.#xorHigh[kind] ?? 0) + hex32(this.#xorLow[kind] ?? 0);
      digests.set(`${CERTIFICATE_STATES[kind >>> 4] ?? ""}/${kind & 15}`, { count, xor });
    }
    return digests;
  }

  // Everything, in the order of the ordinals. The views change with the index: copy before waiting.
  *chunks(): Generator<StatusChunk> {
    for (const [at, { serials, marks, revokedAt }] of this.#chunks.entries()) {
      const count = Math.min(CHUNK, this.#size - at * CHUNK);
      yield {
        count,
        serials: serials.subarray(0, count * SERIAL_OCTETS),
        marks: marks.subarray(0, count),
        revokedAt: revokedAt.subarray(0, count),
      };
    }
  }

  /** Takes over a chunk of an index that had the same issuers' numbers. */
  add({ count, serials, marks, revokedAt }: StatusChunk): void {
    for (let i = 0; i < count; i++) {
      const mark = marks[i] ?? 0;
      const state = CERTIFICATE_STATES[(mark >>> 4) & 3] ?? "revoked";
      const serial = serials.subarray(i * SERIAL_OCTETS, (i + 1) * SERIAL_OCTETS);
      const status = { issuer: mark >>> 6, state, reason: mark & 15, revokedAt: revokedAt[i] ?? 0 };
      this.set(serial, status);
    }
  }

  /** The slot that holds the serial, or the free one where it belongs. */
  #slotOf(serial: Uint8Array): number {
    const slots = this.#slots;
    let slot = Math.floor((octets4(serial, FINGERPRINT) / 0x1_0000_0000) * slots.length);
    for (;;) {
      const held = slots[slot] ?? 0;
      if (held === 0) return slot;
      const stored = this.#chunks[(held - 1) >>> CHUNK_BITS]?.serials;
      if (stored !== undefined && sameSerial(stored, ((held - 1) & WITHIN) * SERIAL_OCTETS, serial))
        return slot;
      slot = slot + 1 === slots.length ? 0 : slot + 1;
    }
  }

  /** Returns the ordinal + 1. */
  #append(serial: Uint8Array, mark: number, revokedAt: number): number {
    const ordinal = this.#size++;
    if ((ordinal & WITHIN) === 0) this.#chunks.push(newChunk());
    this.#chunks[ordinal >>> CHUNK_BITS]?.serials.set(serial, (ordinal & WITHIN) * SERIAL_OCTETS);
    this.#write(ordinal, mark, revokedAt);
    return ordinal + 1;
  }

  #write(ordinal: number, mark: number, revokedAt: number): void {
    const chunk = this.#chunks[ordinal >>> CHUNK_BITS];
    if (chunk === undefined) return;
    chunk.marks[ordinal & WITHIN] = mark;
    chunk.revokedAt[ordinal & WITHIN] = revokedAt;
  }

  /** Another mark for a certificate that is known, and the digests with it. */
  #replace(ordinal: number, mark: number, revokedAt: number): void {
    const at = (ordinal & WITHIN) * SERIAL_OCTETS;
    const stored = this.#chunks[ordinal >>> CHUNK_BITS]?.serials ?? new Uint8Array();
    const serial = stored.subarray(at, at + SERIAL_OCTETS);
    this.#count(this.markAt(ordinal) & (KINDS - 1), serial, -1);
    this.#count(mark & (KINDS - 1), serial, 1);
    this.#write(ordinal, mark, revokedAt);
  }

  #count(kind: number, serial: Uint8Array, change: 1 | -1): void {
    this.#counts[kind] = (this.#counts[kind] ?? 0) + change;
    this.#xorHigh[kind] = (this.#xorHigh[kind] ?? 0) ^ octets4(serial, 8);
    this.#xorLow[kind] = (this.#xorLow[kind] ?? 0) ^ octets4(serial, 12);
  }

  #grow(): void {
    this.#slots = new Uint32Array(Math.ceil(this.#slots.length * GROWTH));
    for (let ordinal = 0; ordinal < this.#size; ordinal++) {
      const at = (ordinal & WITHIN) * SERIAL_OCTETS;
      const serials = this.#chunks[ordinal >>> CHUNK_BITS]?.serials;
      if (serials === undefined) continue;
      this.#slots[this.#freeSlot(octets4(serials, at + FINGERPRINT))] = ordinal + 1;
    }
  }

  #freeSlot(fingerprint: number): number {
    const slots = this.#slots;
    let slot = Math.floor((fingerprint / 0x1_0000_0000) * slots.length);
    while (slots[slot] !== 0) slot = slot + 1 === slots.length ? 0 : slot + 1;
    return slot;
  }
}
