import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  sign,
} from "node:crypto";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  unlinkSync,
} from "node:fs";
import path from "node:path";
import type { SignatureAlgorithm } from "../pki/certificate.ts";
import type { Random } from "../pki/crypto.ts";
import { KEY_KINDS, type KeyKind } from "../pki/key.ts";
import { replaceFileSync, syncFolder } from "../storage/durable-file.ts";
import { openOctets, sealOctets } from "../storage/sealed-octets.ts";
import { KeyStoreError } from "./errors.ts";
import { type Kek, makeKek, nextKekFile, readKek } from "./kek.ts";
import type { KeyPurposeName, KeySpec, KeyStore, SigningKey } from "./key-store.ts";

const FORMAT = "suido-key-1";
const SUFFIX = ".key.json";

/** A file of the store. Everything but `sealed` and `kek` is authenticated with it. */
interface SealedKey extends KeySpec {
  readonly format: typeof FORMAT;
  readonly kek: string;
  /** What `sealOctets` gives, in base64. */
  readonly sealed: string;
}

const ALGORITHMS: Record<
  KeyKind,
  { readonly algorithm: SignatureAlgorithm; readonly digest: string }
> = {
  "P-256": { algorithm: "ecdsa-with-SHA256", digest: "sha256" },
  "P-384": { algorithm: "ecdsa-with-SHA384", digest: "sha384" },
  "RSA-2048": { algorithm: "sha256WithRSAEncryption", digest: "sha256" },
  "RSA-3072": { algorithm: "sha256WithRSAEncryption", digest: "sha256" },
  "RSA-4096": { algorithm: "sha256WithRSAEncryption", digest: "sha256" },
};

/** Binds the sealed key to what it is for: a file renamed or edited to another purpose does not open. */
function associatedData({ id, purpose, kind }: KeySpec): Buffer {
  return Buffer.from(JSON.stringify([FORMAT, id, purpose, kind]));
}

function generateKey(kind: KeyKind): KeyObject {
  if (kind === "P-256" || kind === "P-384") {
    return generateKeyPairSync("ec", { namedCurve: kind }).privateKey;
  }
  return generateKeyPairSync("rsa", { modulusLength: Number(kind.slice("RSA-".length)) })
    .privateKey;
}

function seal(
  spec: KeySpec,
  pkcs8: Uint8Array,
  { kek, random }: { kek: Kek; random: Random },
): SealedKey {
  const sealed = sealOctets(pkcs8, { key: kek.key, context: associatedData(spec) }, random);
  const { id, purpose, kind } = spec;
  return { format: FORMAT, id, purpose, kind, kek: kek.id, sealed: sealed.toString("base64") };
}

/** The PKCS#8 of a file. Throws KeyStoreError when no key given opens it. */
function unseal(file: SealedKey, keks: readonly Kek[]): Buffer {
  const kek = keks.find(({ id }) => id === file.kek);
  if (kek === undefined) {
    throw new KeyStoreError(
      `the key "${file.id}" is sealed with another key-encryption key than SUIDO_KEK_FILE names`,
    );
  }
  const octets = Buffer.from(file.sealed, "base64");
  const pkcs8 = openOctets(octets, { key: kek.key, context: associatedData(file) });
  if (pkcs8 === undefined)
    throw new KeyStoreError(`the file of the key "${file.id}" has been changed, and does not open`);
  return pkcs8;
}

function isSealedKey(value: unknown): value is SealedKey {
  if (typeof value !== "object" || value === null) return false;
  const { format, id, purpose, kind, kek, sealed } = value as Partial<
    Record<keyof SealedKey, unknown>
  >;
  return (
    format === FORMAT &&
    typeof id === "string" &&
    (purpose === "root" || purpose === "issuing") &&
    KEY_KINDS.some((known) => known === kind) &&
    typeof kek === "string" &&
    typeof sealed === "string"
  );
}

function readSealedKey(file: string): SealedKey {
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(file, "utf8"));
  } catch (cause) {
    throw new KeyStoreError(`${file} cannot be read as a key`, { cause });
  }
  if (!isSealedKey(value)) throw new KeyStoreError(`${file} is not a file of this key store`);
  return value;
}

const encode = (key: SealedKey): Uint8Array => new TextEncoder().encode(`${JSON.stringify(key)}\n`);

function signingKey({ id, kind }: KeySpec, key: KeyObject): SigningKey {
  const { algorithm, digest } = ALGORITHMS[kind];
  return {
    id,
    algorithm,
    spki: createPublicKey(key).export({ format: "der", type: "spki" }),
    sign: (data) => sign(digest, data, key),
  };
}

const fileOf = (folder: string, id: string): string => path.join(folder, `${id}${SUFFIX}`);

/** Opens one key of a folder that it leaves as it is, so that the medium may be read-only. Throws KeyStoreError. */
export function openKeyFile(
  { folder, keks }: Pick<FileKeyStoreOptions, "folder" | "keks">,
  id: string,
  purpose: KeyPurposeName,
): SigningKey {
  const file = fileOf(folder, id);
  if (!existsSync(file)) throw new KeyStoreError(`there is no key "${id}" in this key store`);
  const sealed = readSealedKey(file);
  if (sealed.id !== id || sealed.purpose !== purpose) {
    throw new KeyStoreError(
      `${file} holds the key "${sealed.id}" (${sealed.purpose}), not "${id}" (${purpose})`,
    );
  }
  const pkcs8 = unseal(sealed, keks);
  const key = createPrivateKey({ key: pkcs8, format: "der", type: "pkcs8" });
  pkcs8.fill(0);
  return signingKey(sealed, key);
}

function idsIn(folder: string): readonly string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((name) => name.endsWith(SUFFIX))
    .map((name) => name.slice(0, -SUFFIX.length))
    .toSorted();
}

export interface FileKeyStoreOptions {
  readonly folder: string;
  /** The first seals what is new; all of them open (see `readKeks`). */
  readonly keks: readonly Kek[];
  readonly random: Random;
}

/** PKCS#8 keys in files of their own, sealed with AES-256-GCM under a key-encryption key that is kept elsewhere. */
export function openFileKeyStore({ folder, keks, random }: FileKeyStoreOptions): KeyStore {
  const [kek] = keks;
  if (kek === undefined) throw new KeyStoreError("a file key store needs a key-encryption key");
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  chmodSync(folder, 0o700);

  return {
    async generate(spec) {
      const file = fileOf(folder, spec.id);
      if (!/^[a-z][a-z0-9-]*$/.test(spec.id))
        throw new KeyStoreError(`"${spec.id}" is no name for a key`);
      if (existsSync(file)) throw new KeyStoreError(`there is a key "${spec.id}" already`);
      const key = generateKey(spec.kind);
      replaceFileSync(
        file,
        encode(seal(spec, key.export({ format: "der", type: "pkcs8" }), { kek, random })),
      );
      return signingKey(spec, key);
    },
    open: async (id, purpose) => openKeyFile({ folder, keks }, id, purpose),
    has: async (id) => existsSync(fileOf(folder, id)),
    list: async () => idsIn(folder),
    async remove(id) {
      if (!existsSync(fileOf(folder, id)))
        throw new KeyStoreError(`there is no key "${id}" in this key store`);
      unlinkSync(fileOf(folder, id));
      syncFolder(folder);
    },
  };
}

/** Seals a key once more, under another key-encryption key and in another folder, which is then a key store of its own. */
export function copyKey(
  { folder, keks, random }: FileKeyStoreOptions,
  id: string,
  to: { readonly folder: string; readonly kek: Kek },
): void {
  const sealed = readSealedKey(fileOf(folder, id));
  const copy = seal(sealed, unseal(sealed, keks), { kek: to.kek, random });
  replaceFileSync(fileOf(to.folder, id), encode(copy));
}

export interface RewrapOptions {
  readonly folder: string;
  readonly random: Random;
  /** Told after each file; a test ends the process here. */
  readonly onKey?: (id: string) => void;
}

/** Seals every key anew, file by file. Stopped in the middle, each file opens with one of both, and it can be begun again. */
export function rewrap({ folder, random, onKey }: RewrapOptions, from: Kek, to: Kek): void {
  for (const id of idsIn(folder)) {
    const file = fileOf(folder, id);
    const sealed = readSealedKey(file);
    if (sealed.kek !== to.id) {
      replaceFileSync(file, encode(seal(sealed, unseal(sealed, [from]), { kek: to, random })));
    }
    onKey?.(id);
  }
}

/**
 * Changes the key-encryption key: the new one is written beside the old, every key is sealed anew, then the new one takes
 * the old one's place. `readKeks` finds both in between, so that the signer starts after a crash at any step; running it
 * again finishes what was begun.
 */
export function rotateKek(options: RewrapOptions & { readonly kekFile: string }): Kek {
  const { kekFile, random } = options;
  const next = nextKekFile(kekFile);
  const to = existsSync(next) ? readKek(next) : makeKek(next, random);
  rewrap(options, readKek(kekFile), to);
  renameSync(next, kekFile);
  syncFolder(path.dirname(kekFile));
  return to;
}
