import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";

import { isErrno } from "../storage/errno.ts";

/** Where the lists lie that a VA keeps for a start without the database. */
export const listsFolder = (folder: string): string => join(folder, "lists");

/** Every list that the VA of this folder has published last, DER. A restored database may know less than they do. */
export async function keptLists(folder: string): Promise<Uint8Array[]> {
  const lists = listsFolder(folder);
  const names = await readdir(lists).catch((error: unknown) => {
    if (isErrno(error, "ENOENT")) return [];
    throw error;
  });
  const files = names.filter((name) => name.endsWith(".crl"));
  return Promise.all(files.map((name) => readFile(join(lists, name))));
}
