import { closeSync, fsyncSync, openSync, renameSync, writeSync } from "node:fs";
import path from "node:path";

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

/** Puts a file in place whole or not at all, readable by its owner only: write beside it, sync, rename, sync the folder. */
export function replaceFile(file: string, bytes: Uint8Array): void {
  const beside = `${file}.tmp`;
  const descriptor = openSync(beside, "w", 0o600);
  try {
    writeFully(descriptor, bytes);
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
  renameSync(beside, file);
  syncFolder(path.dirname(file));
}
