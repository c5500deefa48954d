import { existsSync, mkdirSync } from "node:fs";
import path from "node:path";

import { type Actor, record } from "../audit/record.ts";
import { equal, utf8Bytes } from "../pki/bytes.ts";
import { parseCertificate } from "../pki/certificate-view.ts";
import type { Clock } from "../pki/clock.ts";
import type { Random, Verify } from "../pki/crypto.ts";
import type { NewId } from "../pki/uuid.ts";
import type { Database } from "../storage/database.ts";
import { replaceFileSync } from "../storage/durable-file.ts";
import { KeyStoreError } from "./errors.ts";
import { copyKey, openFileKeyStore } from "./file-key-store.ts";
import { type Issuer, readIssuers } from "./issuer.ts";
import { createKek, type Kek, KEK_OCTETS } from "./kek.ts";
import type { KeyStore, SigningKey } from "./key-store.ts";
import {
  checkThreshold,
  type RootShare,
  splitSecret,
  writeShareJson,
  writeSharePage,
} from "./root-shares.ts";
import {
  fingerprintOf,
  openSealedRoot,
  readShareFiles,
  sealFileOf,
  writeSealedRoot,
} from "./sealed-root.ts";

export interface RootSealDeps {
  /** As suido_signer. */
  readonly database: Database;
  /** The online store that holds the root's key. */
  readonly store: { readonly folder: string; readonly keks: readonly Kek[] };
  /** Where the sealed key goes: a folder that does not exist yet. */
  readonly folder: string;
  /** So many shares open it … */
  readonly threshold: number;
  /** … of so many. */
  readonly total: number;
  readonly actor: Actor;
  readonly clock: Clock;
  readonly random: Random;
  readonly newId: NewId;
  readonly verify: Verify;
}

/** What was sealed. */
export interface SealedKey {
  readonly rootId: string;
  readonly ceremonyId: string;
  /** The shares' files, the page for the safe and the JSON of each. */
  readonly shares: readonly { readonly page: string; readonly json: string }[];
}

/** Whether the key is the certificate's, and signs. */
function proveKey(
  key: SigningKey,
  root: { readonly id: string; readonly certificate: Uint8Array },
  { random, verify }: RootSealDeps,
): void {
  const { spki } = parseCertificate(root.certificate).view;
  const challenge = random(32);
  const signature = key.sign(challenge);
  if (!equal(key.spki, spki) || !verify(spki, key.algorithm, challenge, signature)) {
    throw new KeyStoreError(`the sealed copy of "${root.id}" does not sign for its certificate`);
  }
}

/** The root whose key is here. Those after it are sealed by calling again, each into a folder of its own. */
async function rootWithKey(database: Database, online: KeyStore): Promise<Issuer> {
  for (const issuer of await readIssuers(database)) {
    if (issuer.kind === "root" && (await online.has(issuer.id))) return issuer;
  }
  throw new KeyStoreError("this key store has no root key");
}

function writeShares(folder: string, shares: readonly RootShare[]): SealedKey["shares"] {
  return shares.map((share) => {
    const page = path.join(folder, `share-${share.index}.txt`);
    const json = path.join(folder, `share-${share.index}.json`);
    replaceFileSync(page, utf8Bytes(writeSharePage(share)));
    replaceFileSync(json, utf8Bytes(writeShareJson(share)));
    return { page, json };
  });
}

/** Seals a copy of the root's key under a fresh key that only its shares know. */
async function sealCopy(root: Issuer, deps: RootSealDeps): Promise<SealedKey> {
  const { clock, folder, newId, random, store, threshold, total } = deps;
  const facts = {
    ceremonyId: newId(),
    threshold,
    total,
    rootFingerprint: fingerprintOf(root.certificate),
  };
  const secret = random(KEK_OCTETS);
  copyKey({ ...store, random }, root.id, { folder, kek: createKek(secret) });
  const shares = await splitSecret(secret, facts);
  secret.fill(0);
  const commitment = shares[0]?.commitment ?? "";
  const { certificate, vaUrl } = root;
  const sealedAt = clock().toISOString();
  const sealed = { ...facts, commitment, rootId: root.id, certificate, vaUrl, sealedAt };
  replaceFileSync(sealFileOf(folder), utf8Bytes(writeSealedRoot(sealed)));
  const files = writeShares(folder, shares);
  for (const { share } of shares) share.fill(0);
  return { rootId: root.id, ceremonyId: facts.ceremonyId, shares: files };
}

/**
 * Moves a root's key out of the online store: it is sealed under a fresh key-encryption key of which only shares are
 * written down, opened from the files with each share in turn, and only then removed here. Throws KeyStoreError, with
 * nothing removed.
 */
export async function sealRootKey(deps: RootSealDeps): Promise<SealedKey> {
  const { actor, clock, database, folder, newId, random, store, threshold, total } = deps;
  checkThreshold(threshold, total);
  const online = openFileKeyStore({ ...store, random });
  const root = await rootWithKey(database, online);
  if (existsSync(folder)) throw new KeyStoreError(`${folder} is there already: name a new folder`);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const sealed = await sealCopy(root, deps);
  // From the disk, pages and JSON by turns, until each share has been used.
  for (let first = 0; first < total; first++) {
    const used = Array.from({ length: threshold }, (_, i) => sealed.shares[(first + i) % total]);
    const files = used.flatMap((share, i) => share?.[i % 2 === 0 ? "page" : "json"] ?? []);
    proveKey(await openSealedRoot(folder, readShareFiles(files)), root, deps);
  }
  await online.remove(root.id);
  await database.transaction((sql) =>
    record(
      sql,
      {
        at: clock(),
        actor,
        action: "issuer.sealed",
        subject: `issuer/${root.id}`,
        detail: { ceremonyId: sealed.ceremonyId, threshold, total },
      },
      newId,
    ),
  );
  return sealed;
}
