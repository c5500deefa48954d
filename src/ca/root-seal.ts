import { existsSync, mkdirSync } from "node:fs";
import path from "node:path";

import { type Actor, record } from "../audit/record.ts";
import { equal } from "../pki/bytes.ts";
import { parseCertificate } from "../pki/certificate-view.ts";
import type { Clock } from "../pki/clock.ts";
import type { Random, Verify } from "../pki/crypto.ts";
import type { NewId } from "../pki/uuid.ts";
import type { Database } from "../storage/database.ts";
import { KeyStoreError } from "./errors.ts";
import { copyKey, openFileKeyStore } from "./file-key-store.ts";
import { readIssuers } from "./issuer.ts";
import { type Kek, makeKek } from "./kek.ts";

export interface RootSealDeps {
  /** As suido_signer. */
  readonly database: Database;
  /** The online store that holds the root's key. */
  readonly store: { readonly folder: string; readonly keks: readonly Kek[] };
  /** Where the sealed key goes: a folder that does not exist yet. It becomes a key store with a `kek` of its own. */
  readonly folder: string;
  readonly actor: Actor;
  readonly clock: Clock;
  readonly random: Random;
  readonly newId: NewId;
  readonly verify: Verify;
}

/** Whether the copy opens, is the certificate's key, and signs. */
async function proveCopy(
  { folder, random, verify }: RootSealDeps,
  kek: Kek,
  root: { readonly id: string; readonly certificate: Uint8Array },
): Promise<void> {
  const key = await openFileKeyStore({ folder, keks: [kek], random }).open(root.id, "root");
  const { spki } = parseCertificate(root.certificate).view;
  const challenge = random(32);
  const signature = key.sign(challenge);
  if (!equal(key.spki, spki) || !verify(spki, key.algorithm, challenge, signature)) {
    throw new KeyStoreError(`the sealed copy of "${root.id}" does not sign for its certificate`);
  }
}

/**
 * Moves the roots' keys out of the online store: each is sealed under a fresh key-encryption key in a folder of its own,
 * opened there and tried, and only then removed here. Returns their ids. Throws KeyStoreError, with nothing removed.
 */
export async function sealRootKeys(deps: RootSealDeps): Promise<readonly string[]> {
  const { actor, clock, database, folder, newId, random, store } = deps;
  const online = openFileKeyStore({ ...store, random });
  const roots = (await readIssuers(database)).filter(({ kind }) => kind === "root");
  const here: typeof roots = [];
  for (const root of roots) if (await online.has(root.id)) here.push(root);
  if (here.length === 0) throw new KeyStoreError("this key store has no root key");
  if (existsSync(folder)) throw new KeyStoreError(`${folder} is there already: name a new folder`);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const kek = makeKek(path.join(folder, "kek"), random);
  for (const root of here) {
    copyKey({ ...store, random }, root.id, { folder, kek });
    await proveCopy(deps, kek, root);
  }
  for (const { id } of here) {
    await online.remove(id);
    const fact = { at: clock(), actor, action: "issuer.sealed", subject: `issuer/${id}` };
    await database.transaction((sql) => record(sql, fact, newId));
  }
  return here.map(({ id }) => id);
}
