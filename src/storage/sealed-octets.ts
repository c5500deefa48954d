import { createCipheriv, createDecipheriv, type KeyObject } from "node:crypto";
import type { Random } from "../pki/crypto.ts";

/** Random nonces of 96 bits (NIST SP 800-38D §8.2.2): one key seals a handful of things in its life. */
const NONCE_OCTETS = 12;
const TAG_OCTETS = 16;

/** What seals, and what for: sealed for one context it does not open for another. */
export interface Sealing {
  /** Of AES-256. */
  readonly key: KeyObject | Uint8Array;
  readonly context: Uint8Array;
}

/** Seals with AES-256-GCM: nonce ‖ ciphertext ‖ tag. */
export function sealOctets(
  plain: Uint8Array,
  { key, context }: Sealing,
  random: Random,
): Buffer<ArrayBuffer> {
  const nonce = random(NONCE_OCTETS);
  const cipher = createCipheriv("aes-256-gcm", key, nonce, { authTagLength: TAG_OCTETS });
  cipher.setAAD(context);
  return Buffer.concat([nonce, cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
}

/** What was sealed; undefined where that was changed, cut off, or sealed under another key or for another context. */
export function openOctets(
  sealed: Uint8Array,
  { key, context }: Sealing,
): Buffer<ArrayBuffer> | undefined {
  if (sealed.length < NONCE_OCTETS + TAG_OCTETS) return undefined;
  const nonce = sealed.subarray(0, NONCE_OCTETS);
  const decipher = createDecipheriv("aes-256-gcm", key, nonce, { authTagLength: TAG_OCTETS });
  decipher.setAAD(context).setAuthTag(sealed.subarray(-TAG_OCTETS));
  const plain = decipher.update(sealed.subarray(NONCE_OCTETS, -TAG_OCTETS));
  try {
    return Buffer.concat([plain, decipher.final()]);
  } catch {
    return undefined;
  }
}
