import { createCipheriv, createDecipheriv } from "node:crypto";
import { open, readFile } from "node:fs/promises";
import { mkdir } from "node:fs/promises";
import { dirname } from "node:path";

import type { Random } from "../pki/crypto.ts";
import { SealBrokenError } from "./errors.ts";

const KEY_OCTETS = 32;
const IV_OCTETS = 12;
const TAG_OCTETS = 16;

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
    close(plain, context) {
      const iv = random(IV_OCTETS);
      const cipher = createCipheriv("aes-256-gcm", key, iv).setAAD(Buffer.from(context));
      return Buffer.concat([iv, cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
    },
    open(sealed, context) {
      if (sealed.length < IV_OCTETS + TAG_OCTETS)
        throw new SealBrokenError(`${context}: too short`);
      const iv = sealed.subarray(0, IV_OCTETS);
      const decipher = createDecipheriv("aes-256-gcm", key, iv, { authTagLength: TAG_OCTETS });
      decipher.setAAD(Buffer.from(context)).setAuthTag(sealed.subarray(-TAG_OCTETS));
      try {
        const body = sealed.subarray(IV_OCTETS, -TAG_OCTETS);
        return Buffer.concat([decipher.update(body), decipher.final()]);
      } catch (cause) {
        throw new SealBrokenError(`${context}: the sealed bytes do not open`, { cause });
      }
    },
  };
}

async function readOrMakeKey(file: string, random: Random): Promise<Uint8Array> {
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  try {
    const handle = await open(file, "wx", 0o600);
    try {
      await handle.writeFile(random(KEY_OCTETS));
      await handle.sync();
    } finally {
      await handle.close();
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  }
  const key = await readFile(file);
  if (key.length !== KEY_OCTETS)
    throw new SealBrokenError(`${file} does not hold a key of 32 octets`);
  return key;
}
