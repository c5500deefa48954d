import type { KeyObject } from "node:crypto";

import { utf8Bytes } from "../../pki/bytes.ts";
import type { Random } from "../../pki/crypto.ts";
import { openOctets, sealOctets } from "../../storage/sealed-octets.ts";

/** Keeps the secrets of authenticators out of the database's copies. */
export interface FactorSeal {
  /** Sealed for one context it opens for no other. */
  close(secret: Uint8Array, context: string): Uint8Array;
  /** Undefined where it was sealed under another key. */
  open(sealed: Uint8Array, context: string): Uint8Array | undefined;
}

/**
 * The seal of a key of 32 octets. It is not the one of the CA's keys: those are the signer's alone, and this one is used
 * by the process that people's browsers talk to.
 */
export function createFactorSeal(key: KeyObject, random: Random): FactorSeal {
  const sealing = (context: string) => ({ key, context: utf8Bytes(`second factor: ${context}`) });
  return {
    close: (secret, context) => sealOctets(secret, sealing(context), random),
    open: (sealed, context) => openOctets(sealed, sealing(context)),
  };
}
