import { mkdirSync, statSync } from "node:fs";
import path from "node:path";

import type { Config } from "../config/environment.ts";
import { CommandError } from "./command.ts";

const WHY: Readonly<Record<string, string>> = {
  EEXIST: "there is a file where a folder is needed",
  ENOTDIR: "there is a file where a folder is needed",
  EACCES: "this account may not make it",
  EPERM: "this account may not make it",
  EROFS: "the file system is read-only",
  ENOSPC: "the disk is full",
};

const isThere = (file: string): boolean => statSync(file, { throwIfNoEntry: false }) !== undefined;

/**
 * Makes a folder and those above it, one by one: Node.js's `recursive` tries for ever where a file system such as /proc
 * says of a new folder that there is none above it.
 */
function makeFolders(folder: string): void {
  if (!isThere(path.dirname(folder))) makeFolders(path.dirname(folder));
  try {
    mkdirSync(folder, { mode: 0o700 });
  } catch (error) {
    // Somebody else was quicker, or it was there before.
    const found = statSync(folder, { throwIfNoEntry: false });
    if (found === undefined || !found.isDirectory()) throw error;
  }
}

function make(folder: string, variable: string): void {
  try {
    makeFolders(folder);
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : "";
    throw new CommandError(
      `${variable} names ${folder}, but ${WHY[code] ?? `it cannot be made (${code})`}`,
      { cause: error },
    );
  }
}

/** Makes the data folder, unless it is there. Throws CommandError. */
export function makeDataFolder({ dataDir }: Config): void {
  make(dataDir, "SUIDO_DATA_DIR");
}

/** Makes the folders that only the signer works with, unless they are there. Throws CommandError. */
export function makeSignerFolders({ journalDir, keyStoreDir }: Config): void {
  make(journalDir, "SUIDO_JOURNAL_DIR");
  make(keyStoreDir, "SUIDO_KEY_STORE");
}
