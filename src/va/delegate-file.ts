import { join } from "node:path";

import type { Random } from "../pki/crypto.ts";
import { readIfThere, replaceFile } from "../storage/durable-file.ts";
import type { DelegateMaterial } from "./delegate.ts";
import { SealBrokenError } from "./errors.ts";
import { openSeal, type Seal } from "./seal.ts";

const SEAL_KEY = "seal.key";
const ROOT_DELEGATE = "root-delegate.json";

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
  const { certificate, issuerId, key } = fieldsOf(text.toString("utf8"), file);
  return {
    issuerId,
    certificate: Buffer.from(certificate, "base64"),
    pkcs8: seal.open(Buffer.from(key, "base64"), contextOf(issuerId, certificate)),
  };
}

function fieldsOf(text: string, file: string): Record<"certificate" | "issuerId" | "key", string> {
  let read: unknown;
  try {
    read = JSON.parse(text);
  } catch (cause) {
    throw new SealBrokenError(`${file} is not JSON`, { cause });
  }
  const { certificate, issuerId, key } = (read ?? {}) as Record<string, unknown>;
  if (typeof certificate !== "string" || typeof issuerId !== "string" || typeof key !== "string") {
    throw new SealBrokenError(`${file} is no delegate`);
  }
  return { certificate, issuerId, key };
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
