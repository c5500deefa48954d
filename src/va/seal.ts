import { link, readFile, rm } from "node:fs/promises";
import { dirname } from "node:path";

import { toHex } from "../pki/bytes.ts";
import type { Random } from "../pki/crypto.ts";
import { readIfThere, replaceFile, syncFolder } from "../storage/durable-file.ts";
import { isErrno } from "../storage/errno.ts";
import { openOctets, sealOctets } from "../storage/sealed-octets.ts";
import { SealBrokenError } from "./errors.ts";

const KEY_OCTETS = 32;

/**
 * AES-256-GCM under a key that lies beside what it seals, with its own file mode: it keeps keys out of copies of single
 * files, not from whoever can read the whole folder.
 */
export interface Seal {
  /** `context` is authenticated with it: what was sealed for one purpose does not open for another. */
  close(plain: Uint8Array, context: string): Uint8Array;
  /** Throws SealBrokenError. */
  open(sealed: Uint8Array, context: string): Uint8Array;
}

/** The seal whose key is in this file; made, readable by its owner only, where there is none. */
export async function openSeal(keyFile: string, random: Random): Promise<Seal> {
  const key = await readOrMakeKey(keyFile, random);
  return {
    close: (plain, context) => sealOctets(plain, { key, context: Buffer.from(context) }, random),
    open: (sealed, context) => {
      const plain = openOctets(sealed, { key, context: Buffer.from(context) });
      if (plain === undefined)
        throw new SealBrokenError(`${context}: the sealed bytes do not open`);
      return plain;
    },
  };
}

async function readOrMakeKey(file: string, random: Random): Promise<Uint8Array> {
  const key = (await readIfThere(file)) ?? (await makeKey(file, random));
  if (key.length !== KEY_OCTETS)
    throw new SealBrokenError(`${file} does not hold a key of 32 octets`);
  return key;
}

/**
 * Makes the key under another name and links it: it is there whole or not at all, and of several processes that make one
 * at the same time all get the first one's.
 */
async function makeKey(file: string, random: Random): Promise<Uint8Array> {
  const fresh = `${file}.${toHex(random(8))}`;
  await replaceFile(fresh, [random(KEY_OCTETS)]);
  try {
    await link(fresh, file);
  } catch (error) {
    if (!isErrno(error, "EEXIST")) throw error;
  } finally {
    await rm(fresh);
  }
  syncFolder(dirname(file));
  return readFile(file);
}
