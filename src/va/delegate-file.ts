import { generateKeyPairSync } from "node:crypto";
import { rm } from "node:fs/promises";
import { join } from "node:path";

import type { Random } from "../pki/crypto.ts";
import { readIfThere, replaceFile } from "../storage/durable-file.ts";
import { delegateOf, type DelegateMaterial } from "./delegate.ts";
import { SealBrokenError } from "./errors.ts";
import { openSeal, type Seal } from "./seal.ts";

const SEAL_KEY = "seal.key";
const ROOT_DELEGATE = "root-delegate.json";
const PENDING = "root-delegate-pending.json";

/** The seal of a VA's folder. */
export const openFolderSeal = (folder: string, random: Random): Promise<Seal> =>
  openSeal(join(folder, SEAL_KEY), random);

/** Where the root's delegate lies; it is put there by the ceremony and by its renewal. */
export const rootDelegateFile = (folder: string): string => join(folder, ROOT_DELEGATE);

/** Where the delegate of an issuing CA lies. */
export const delegateFile = (folder: string, issuerId: string): string =>
  join(folder, `delegate-${issuerId}.json`);

const contextOf = (issuerId: string, certificate: string): string =>
  `suido va delegate ${issuerId} ${certificate}`;

/** Writes a delegate with its key sealed to issuer and certificate. */
export async function writeDelegate(
  file: string,
  material: DelegateMaterial,
  seal: Seal,
): Promise<void> {
  const { issuerId, pkcs8 } = material;
  const certificate = Buffer.from(material.certificate).toString("base64");
  const sealed = seal.close(pkcs8, contextOf(issuerId, certificate));
  const key = Buffer.from(sealed).toString("base64");
  const text = JSON.stringify({ issuerId, certificate, key }, undefined, 2);
  await replaceFile(file, [Buffer.from(`${text}\n`)]);
}

/** Reads what `writeDelegate` wrote; undefined where there is no file. Throws SealBrokenError. */
export async function readDelegate(
  file: string,
  seal: Seal,
): Promise<DelegateMaterial | undefined> {
  const text = await readIfThere(file);
  if (text === undefined) return undefined;
  const { certificate, issuerId, key } = textsOf(text.toString("utf8"), file, [
    "certificate",
    "issuerId",
    "key",
  ]);
  return {
    issuerId,
    certificate: Buffer.from(certificate, "base64"),
    pkcs8: seal.open(Buffer.from(key, "base64"), contextOf(issuerId, certificate)),
  };
}

/** The members of a JSON file that has these and no others that matter, all of them texts. */
function textsOf<Name extends string>(
  text: string,
  file: string,
  names: readonly Name[],
): Record<Name, string> {
  let read: unknown;
  try {
    read = JSON.parse(text);
  } catch (cause) {
    throw new SealBrokenError(`${file} is not JSON`, { cause });
  }
  const members = (read ?? {}) as Record<string, unknown>;
  if (names.some((name) => typeof members[name] !== "string"))
    throw new SealBrokenError(`${file} is no delegate`);
  return members as Record<Name, string>;
}

/** Keeps the root's delegate that a ceremony made, for the VA that works in this folder. */
export async function storeRootDelegate(
  folder: string,
  material: DelegateMaterial,
  random: Random,
): Promise<void> {
  await writeDelegate(rootDelegateFile(folder), material, await openFolderSeal(folder, random));
}

/** Whether this folder has a delegate of this root that opens. */
export async function hasRootDelegate(
  folder: string,
  issuerId: string,
  random: Random,
): Promise<boolean> {
  const seal = await openFolderSeal(folder, random);
  return (await readDelegate(rootDelegateFile(folder), seal))?.issuerId === issuerId;
}

const pendingContext = (issuerId: string, requestId: string): string =>
  `suido va pending delegate ${issuerId} ${requestId}`;

/**
 * Makes the key of the root's next delegate, for which a root session is asked for a certificate, and keeps it beside the
 * one in use. Returns its SubjectPublicKeyInfo. A key that waited for another request is forgotten.
 */
export async function makePendingDelegate(
  folder: string,
  request: { readonly requestId: string; readonly issuerId: string },
  random: Random,
): Promise<Uint8Array> {
  const { requestId, issuerId } = request;
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const seal = await openFolderSeal(folder, random);
  const pkcs8 = privateKey.export({ format: "der", type: "pkcs8" });
  const key = Buffer.from(seal.close(pkcs8, pendingContext(issuerId, requestId)));
  const fields = { requestId, issuerId, key: key.toString("base64") };
  const text = JSON.stringify(fields, undefined, 2);
  await replaceFile(join(folder, PENDING), [Buffer.from(`${text}\n`)]);
  return publicKey.export({ format: "der", type: "spki" });
}

/**
 * Puts the delegate that a root session has certified in the place of the one in use; the VA takes it over within seconds.
 * False when no key waits for this request, as after the first time. Throws BadDelegateError when it is another key's.
 */
export async function takePendingDelegate(
  folder: string,
  certified: {
    readonly requestId: string;
    readonly certificate: Uint8Array;
    readonly rootCertificate: Uint8Array;
    readonly now: Date;
  },
  random: Random,
): Promise<boolean> {
  const file = join(folder, PENDING);
  const text = (await readIfThere(file))?.toString("utf8");
  if (text === undefined) return false;
  const { requestId, issuerId, key } = textsOf(text, file, ["requestId", "issuerId", "key"]);
  if (requestId !== certified.requestId) return false;
  const seal = await openFolderSeal(folder, random);
  const pkcs8 = seal.open(Buffer.from(key, "base64"), pendingContext(issuerId, requestId));
  const { certificate, rootCertificate, now } = certified;
  const material = { issuerId, certificate, pkcs8 };
  delegateOf(material, rootCertificate, now);
  await writeDelegate(rootDelegateFile(folder), material, seal);
  await rm(file);
  return true;
}
