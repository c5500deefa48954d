import { mkdirSync } from "node:fs";
import { type DataFolderLock, lockDataFolder } from "../storage/data-folder-lock.ts";
import { DataFolderInUseError } from "../storage/errors.ts";
import { JournalInUseError } from "./errors.ts";

/** Keeps every other signer off a journal. Taken before anything is read; a process that ends, however it ends, gives it back. */
export async function lockJournal(folder: string): Promise<DataFolderLock> {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  try {
    return await lockDataFolder(folder, "journal");
  } catch (cause) {
    if (!(cause instanceof DataFolderInUseError)) throw cause;
    throw new JournalInUseError(
      `another signer is working with the journal ${folder}: stop it first`,
      { cause },
    );
  }
}
