import { closeSync, fsyncSync, openSync, renameSync, writeSync } from "node:fs";
import { mkdir, open, readFile, rename } from "node:fs/promises";
import path from "node:path";
import { isErrno } from "./errno.ts";

/** Makes a folder's entries (new names, renames) survive a loss of power. */
export function syncFolder(folder: string): void {
  const descriptor = openSync(folder, "r");
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

/** Writes all octets: one write may take fewer than it is given. */
export function writeFully(descriptor: number, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length;) at += writeSync(descriptor, bytes, at);
}

/** As `replaceFile`, for a few octets, and for who must not wait. Its folder must be there. */
export function replaceFileSync(file: string, bytes: Uint8Array): void {
  const fresh = freshOf(file);
  const descriptor = openSync(fresh, "w", OWNER_ONLY);
  try {
    writeFully(descriptor, bytes);
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
  renameSync(fresh, file);
  syncFolder(path.dirname(file));
}

/** Bytes that come in parts, perhaps made while the ones before are written. */
export type Parts = Iterable<Uint8Array>;

/**
 * Puts a file in place so that readers, and whoever starts after a power cut, see the old one or the new one and never
 * half of one: write beside it, sync, rename, sync the folder. Only the owner may read it. One writer at a time.
 */
export async function replaceFile(file: string, parts: Parts): Promise<void> {
  const folder = path.dirname(file);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const fresh = freshOf(file);
  const handle = await open(fresh, "w", OWNER_ONLY);
  try {
    for (const part of parts) await handle.writeFile(part);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(fresh, file);
  syncFolder(folder);
}

/** What a file holds, or undefined where there is none. */
export async function readIfThere(file: string): Promise<Buffer | undefined> {
  try {
    return await readFile(file);
  } catch (error) {
    if (isErrno(error, "ENOENT")) return undefined;
    throw error;
  }
}

const OWNER_ONLY = 0o600;

const freshOf = (file: string): string => `${file}.new`;
