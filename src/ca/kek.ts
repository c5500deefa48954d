import { createHash, createSecretKey, type KeyObject } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, statSync } from "node:fs";
import path from "node:path";
import type { Random } from "../pki/crypto.ts";
import { replaceFileSync } from "../storage/durable-file.ts";
import { KeyStoreError } from "./errors.ts";

/** AES-256 (docs/decisions.md). */
export const KEK_OCTETS = 32;

/** A key-encryption key. It never leaves memory but for its own file. */
export interface Kek {
  /** Names it without telling it: the beginning of its SHA-256. */
  readonly id: string;
  readonly key: KeyObject;
}

/** The key of these 32 octets. It keeps a copy of them. */
export function createKek(octets: Uint8Array): Kek {
  const id = createHash("sha256").update("suido kek").update(octets).digest("hex").slice(0, 16);
  return { id, key: createSecretKey(octets) };
}

/** Reads the key of a file with 32 random octets in base64, which nobody but its owner may read. Throws KeyStoreError. */
export function readKek(file: string): Kek {
  const facts = statSync(file, { throwIfNoEntry: false });
  if (facts === undefined) {
    throw new KeyStoreError(
      `there is no key-encryption key at ${file}; make one with: (umask 077; openssl rand -base64 32 > ${file})`,
    );
  }
  if ((facts.mode & 0o077) !== 0) {
    throw new KeyStoreError(`others may read the key-encryption key ${file}: chmod 600 ${file}`);
  }
  const text = readFileSync(file, "utf8").trim();
  const octets = Buffer.from(text, "base64");
  if (octets.length !== KEK_OCTETS || octets.toString("base64") !== text) {
    throw new KeyStoreError(`${file} is not 32 octets in base64`);
  }
  return createKek(octets);
}

/** Makes a key-encryption key where there is none. */
export function makeKek(file: string, random: Random): Kek {
  if (existsSync(file)) throw new KeyStoreError(`there is a key-encryption key at ${file} already`);
  mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 });
  replaceFileSync(
    file,
    new TextEncoder().encode(`${Buffer.from(random(KEK_OCTETS)).toString("base64")}\n`),
  );
  return readKek(file);
}

/** Where the key waits that a rotation is moving to. */
export function nextKekFile(file: string): string {
  return `${file}.next`;
}

/** The keys that sealed files may be sealed with: the one in force and, in the middle of a rotation, its successor. */
export function readKeks(file: string): readonly Kek[] {
  const next = nextKekFile(file);
  return existsSync(next) ? [readKek(file), readKek(next)] : [readKek(file)];
}
