import type { Standing } from "../pki/refusal-reason.ts";
import { KEY_OCTETS, KeyTable, uuidOctets, uuidText } from "./key-table.ts";
import type { StatusDigest } from "./status-index.ts";

/** Who stands behind a certificate, as the database tells it. */
export interface AuthorizationFact {
  readonly serial: Uint8Array;
  /** Whether the binding is open: one that was closed stands for nobody. */
  readonly isOpen: boolean;
  readonly deviceId: string;
  readonly accountId: string;
  readonly pharmacyId: string;
  readonly corporationId: string;
  /** The corporation's epoch. It only rises. */
  readonly epoch: number;
  readonly isPersonal: boolean;
  readonly isRetired: boolean;
  readonly isDisabled: boolean;
  /** Of a personal device: when its person works in its pharmacy, now or next, in milliseconds since 1970. */
  readonly memberFrom: number;
  /** Exclusive; infinite for work without an end. */
  readonly memberTo: number;
  /** Whether that person begins there anew after `memberTo`. */
  readonly isMemberLater: boolean;
}

/** The same, as a question needs it. */
export interface Authorization {
  readonly deviceId: string;
  readonly accountId: string;
  readonly pharmacyId: string;
  readonly corporationId: string;
  readonly standing: Standing;
  /** The time of work that is known is over, and the database knows of a later one. */
  readonly isOutdated: boolean;
  /** A database that is older than what was known says so. */
  readonly isBehind: boolean;
}

const CHUNK_BITS = 14;
const CHUNK = 1 << CHUNK_BITS;
const WITHIN = CHUNK - 1;

const FLAG = { personal: 1, retired: 2, disabled: 4, open: 8, later: 16, seen: 32 } as const;

/** The flags that make a digest's name: what only time changes is no part of it. */
const KINDS = 8;

/** Device, account and pharmacy by their ordinals; the member's two times; flags. 29 octets a certificate. */
interface Chunk {
  readonly devices: Uint32Array;
  readonly accounts: Uint32Array;
  readonly pharmacies: Uint32Array;
  readonly memberFrom: Float64Array;
  readonly memberTo: Float64Array;
  readonly flags: Uint8Array;
}

const newChunk = (): Chunk => ({
  devices: new Uint32Array(CHUNK),
  accounts: new Uint32Array(CHUNK),
  pharmacies: new Uint32Array(CHUNK),
  memberFrom: new Float64Array(CHUNK),
  memberTo: new Float64Array(CHUNK),
  flags: new Uint8Array(CHUNK),
});

const CHUNK_OCTETS = CHUNK * (3 * 4 + 2 * 8 + 1);

const flagsOf = (fact: AuthorizationFact): number =>
  (fact.isPersonal ? FLAG.personal : 0) |
  (fact.isRetired ? FLAG.retired : 0) |
  (fact.isDisabled ? FLAG.disabled : 0) |
  (fact.isOpen ? FLAG.open : 0) |
  (fact.isMemberLater ? FLAG.later : 0);

/** The name of a digest, from the flags that it is about. */
export const kindName = (flags: {
  readonly personal: boolean;
  readonly retired: boolean;
  readonly disabled: boolean;
}): string =>
  `${flags.personal ? "personal" : "shared"}${flags.retired ? "/retired" : ""}${flags.disabled ? "/disabled" : ""}`;

const word = (bytes: Uint8Array, at: number): number =>
  ((bytes[at] ?? 0) << 24) |
  ((bytes[at + 1] ?? 0) << 16) |
  ((bytes[at + 2] ?? 0) << 8) |
  (bytes[at + 3] ?? 0);

const hex32 = (value: number): string => (value >>> 0).toString(16).padStart(8, "0");

/**
 * Who stands behind every certificate: device, account, pharmacy and corporation, in less than 160 octets each. Their ids
 * are kept once and named by small numbers.
 */
export class AuthorizationIndex {
  readonly #serials = new KeyTable();
  readonly #devices = new KeyTable();
  readonly #accounts = new KeyTable();
  readonly #pharmacies = new KeyTable();
  readonly #corporations = new KeyTable();
  readonly #chunks: Chunk[] = [];
  /** The corporation of each pharmacy, by their ordinals. */
  readonly #corporationOf: number[] = [];
  /** The highest epoch of each corporation that was ever seen, and those whose database is behind it. */
  readonly #epochs: number[] = [];
  readonly #behind = new Set<number>();
  readonly #counts = new Uint32Array(KINDS);
  readonly #xorHigh = new Uint32Array(KINDS);
  readonly #xorLow = new Uint32Array(KINDS);

  /** How many certificates there ever were. */
  get size(): number {
    return this.#serials.size;
  }

  /** The memory that the arrays take. */
  get octets(): number {
    const tables = [
      this.#serials,
      this.#devices,
      this.#accounts,
      this.#pharmacies,
      this.#corporations,
    ];
    const keys = tables.reduce((sum, { octets }) => sum + octets, 0);
    return (
      keys +
      this.#chunks.length * CHUNK_OCTETS +
      8 * (this.#corporationOf.length + this.#epochs.length)
    );
  }

  /** Takes over a fact. Serials that cannot be ours are not taken. */
  set(fact: AuthorizationFact): void {
    if (fact.serial.length !== KEY_OCTETS) return;
    const before = this.#serials.size;
    const ordinal = this.#serials.add(fact.serial);
    if (ordinal === before) this.#append();
    else this.#count(ordinal, -1);
    const pharmacy = this.setPharmacy(fact.pharmacyId, fact.corporationId);
    this.#setEpoch(this.#corporationOf[pharmacy] ?? 0, fact.epoch);
    const chunk = this.#chunks[ordinal >>> CHUNK_BITS];
    const at = ordinal & WITHIN;
    if (chunk === undefined) return;
    chunk.devices[at] = this.#devices.add(uuidOctets(fact.deviceId));
    chunk.accounts[at] = this.#accounts.add(uuidOctets(fact.accountId));
    chunk.pharmacies[at] = pharmacy;
    chunk.memberFrom[at] = fact.memberFrom;
    chunk.memberTo[at] = fact.memberTo;
    chunk.flags[at] = flagsOf(fact) | FLAG.seen;
    this.#count(ordinal, 1);
  }

  /** Notes whose a pharmacy is, and returns its ordinal. */
  setPharmacy(pharmacyId: string, corporationId: string): number {
    const pharmacy = this.#pharmacies.add(uuidOctets(pharmacyId));
    this.#corporationOf[pharmacy] = this.#corporations.add(uuidOctets(corporationId));
    return pharmacy;
  }

  /** Whose pharmacy this is; undefined for one that is not known. */
  corporationOf(pharmacyId: string): string | undefined {
    const pharmacy = this.#pharmacies.find(uuidOctets(pharmacyId));
    const corporation = pharmacy < 0 ? undefined : this.#corporationOf[pharmacy];
    return corporation === undefined ? undefined : uuidText(this.#corporations.keyAt(corporation));
  }

  /** Whether the certificate ever stood for somebody. */
  has(serial: Uint8Array): boolean {
    return this.#serials.find(serial) >= 0;
  }

  /** Who stands behind a certificate at this time; undefined for one that stands for nobody, or is not known. */
  get(serial: Uint8Array, now: number): Authorization | undefined {
    const ordinal = this.#serials.find(serial);
    const chunk = this.#chunks[ordinal >>> CHUNK_BITS];
    if (ordinal < 0 || chunk === undefined) return undefined;
    const at = ordinal & WITHIN;
    const flags = chunk.flags[at] ?? 0;
    if ((flags & FLAG.open) === 0) return undefined;
    const memberFrom = chunk.memberFrom[at] ?? 0;
    const memberTo = chunk.memberTo[at] ?? 0;
    return {
      ...this.#idsAt(chunk, at),
      standing: {
        isPersonal: (flags & FLAG.personal) !== 0,
        isRetired: (flags & FLAG.retired) !== 0,
        isDisabled: (flags & FLAG.disabled) !== 0,
        isMember: now >= memberFrom && now < memberTo,
      },
      isOutdated: now >= memberTo && (flags & FLAG.later) !== 0,
    };
  }

  /** Everything is to be told anew: what is not told until `endLoad` is not there any more. */
  beginLoad(): void {
    for (const { flags } of this.#chunks)
      for (let i = 0; i < flags.length; i++) flags[i] = (flags[i] ?? 0) & ~FLAG.seen;
  }

  endLoad(): void {
    for (let ordinal = 0; ordinal < this.#serials.size; ordinal++) {
      const { flags } = this.#chunks[ordinal >>> CHUNK_BITS] ?? newChunk();
      const at = ordinal & WITHIN;
      const held = flags[at] ?? 0;
      if ((held & FLAG.seen) !== 0 || (held & FLAG.open) === 0) continue;
      this.#count(ordinal, -1);
      flags[at] = held & ~FLAG.open;
    }
  }

  /** What a comparison with the database needs: one digest for each combination of flags that occurs. */
  digests(): ReadonlyMap<string, StatusDigest> {
    const digests = new Map<string, StatusDigest>();
    for (let kind = 0; kind < KINDS; kind++) {
      const count = this.#counts[kind] ?? 0;
      if (count === 0) continue;
      const name = kindName({
        personal: (kind & FLAG.personal) !== 0,
        retired: (kind & FLAG.retired) !== 0,
        disabled: (kind & FLAG.disabled) !== 0,
      });
      const xor = hex32(this.#xorHigh[kind] ?? 0) + hex32(this.#xorLow[kind] ?? 0);
      digests.set(name, { count, xor });
    }
    return digests;
  }

  #idsAt(chunk: Chunk, at: number): Omit<Authorization, "standing" | "isOutdated"> {
    const pharmacy = chunk.pharmacies[at] ?? 0;
    const corporation = this.#corporationOf[pharmacy] ?? 0;
    return {
      deviceId: uuidText(this.#devices.keyAt(chunk.devices[at] ?? 0)),
      accountId: uuidText(this.#accounts.keyAt(chunk.accounts[at] ?? 0)),
      pharmacyId: uuidText(this.#pharmacies.keyAt(pharmacy)),
      corporationId: uuidText(this.#corporations.keyAt(corporation)),
      isBehind: this.#behind.has(corporation),
    };
  }

  #append(): void {
    if (((this.#serials.size - 1) & WITHIN) === 0) this.#chunks.push(newChunk());
  }

  #setEpoch(corporation: number, epoch: number): void {
    const known = this.#epochs[corporation] ?? 0;
    if (epoch < known) this.#behind.add(corporation);
    else this.#behind.delete(corporation);
    this.#epochs[corporation] = Math.max(known, epoch);
  }

  /** Of those that are open, as the database counts them. */
  #count(ordinal: number, change: 1 | -1): void {
    const chunk = this.#chunks[ordinal >>> CHUNK_BITS];
    const at = ordinal & WITHIN;
    const flags = chunk?.flags[at] ?? 0;
    if (chunk === undefined || (flags & FLAG.open) === 0) return;
    const kind = flags & (KINDS - 1);
    const keys = [
      this.#serials.keyAt(ordinal),
      this.#devices.keyAt(chunk.devices[at] ?? 0),
      this.#accounts.keyAt(chunk.accounts[at] ?? 0),
      this.#pharmacies.keyAt(chunk.pharmacies[at] ?? 0),
    ];
    this.#counts[kind] = (this.#counts[kind] ?? 0) + change;
    for (const key of keys) {
      this.#xorHigh[kind] = (this.#xorHigh[kind] ?? 0) ^ word(key, 8);
      this.#xorLow[kind] = (this.#xorLow[kind] ?? 0) ^ word(key, 12);
    }
  }
}
