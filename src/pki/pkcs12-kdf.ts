import { concat } from "./bytes.ts";
import type { DigestName } from "./crypto.ts";

/** What the octets are for: the ID octet of the diversifier (RFC 7292 §B.3). */
export const PURPOSE = { encryptionKey: 1, initialVector: 2, macKey: 3 } as const;

export interface Pkcs12KdfInput {
  readonly digestName: "sha1" | "sha256";
  /** The password as a BMPString with two NUL octets after it. */
  readonly password: Uint8Array;
  readonly salt: Uint8Array;
  readonly iterations: number;
  readonly purpose: (typeof PURPOSE)[keyof typeof PURPOSE];
  readonly octets: number;
}

/** SHA-1 and SHA-256 both take blocks of 64 octets: `v` of RFC 7292 §B.2. */
const BLOCK = 64;

/** A password as the key derivation wants it: UTF-16BE and a NUL character (RFC 7292 §B.1). */
export function bmpPassword(password: string): Uint8Array {
  const octets = new Uint8Array(2 * password.length + 2);
  for (let i = 0; i < password.length; i++) {
    const unit = password.charCodeAt(i);
    octets[2 * i] = unit >> 8;
    octets[2 * i + 1] = unit & 0xff;
  }
  return octets;
}

/** Repeated until it fills whole blocks; nothing stays nothing. */
function toBlocks(bytes: Uint8Array): Uint8Array {
  const filled = new Uint8Array(BLOCK * Math.ceil(bytes.length / BLOCK));
  for (let i = 0; i < filled.length; i++) filled[i] = bytes[i % bytes.length] ?? 0;
  return filled;
}

/** I_j = (I_j + B + 1) mod 2^(8v), for every block of I (RFC 7292 §B.2, step 6C). */
function addToBlocks(blocks: Uint8Array, hash: Uint8Array): void {
  for (let start = 0; start < blocks.length; start += BLOCK) {
    let carry = 1;
    for (let i = BLOCK - 1; i >= 0; i--) {
      carry += (blocks[start + i] ?? 0) + (hash[i % hash.length] ?? 0);
      blocks[start + i] = carry & 0xff;
      carry >>= 8;
    }
  }
}

/** PKCS#12's own key derivation (RFC 7292 §B.2): weak and slow, and the only one that every importer's MAC knows. */
export function pkcs12Kdf(
  input: Pkcs12KdfInput,
  digest: (name: DigestName, bytes: Uint8Array) => Uint8Array,
): Uint8Array {
  const { digestName, iterations, octets, password, purpose, salt } = input;
  const diversifier = new Uint8Array(BLOCK).fill(purpose);
  const blocks = concat([toBlocks(salt), toBlocks(password)]);
  const derived: Uint8Array[] = [];
  for (let have = 0; have < octets;) {
    let hash = digest(digestName, concat([diversifier, blocks]));
    for (let round = 1; round < iterations; round++) hash = digest(digestName, hash);
    derived.push(hash);
    have += hash.length;
    addToBlocks(blocks, hash);
  }
  return concat(derived).slice(0, octets);
}
