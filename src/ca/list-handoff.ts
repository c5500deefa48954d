import { mkdir, open, readdir, readFile, rm } from "node:fs/promises";
import path from "node:path";
import type { PreparedList, PreparedLists } from "./signer-client.ts";

/** Lists of fewer octets go over the channel of a fork in no time. */
const LONG_OCTETS = 1_000_000;

const PREFIX = "prepared-lists-";

/** Prepared lists whose octets lie in a file, one list behind the other. */
interface HandedLists extends Omit<PreparedLists, "lists"> {
  readonly file: string;
  readonly lists: readonly (Omit<PreparedList, "der"> & { readonly octets: number })[];
}

/** What the signer's process answers with: the lists themselves, or where they lie. */
export type ListHandoff = PreparedLists | HandedLists;

/**
 * Puts the octets of long lists into a file of this folder. Over the channel of a fork tens of megabytes would be copied
 * several times by the very thread that answers everybody. A file that cannot be written is no reason for no lists.
 */
export async function handOver(
  prepared: PreparedLists,
  folder: string,
  longOctets = LONG_OCTETS,
): Promise<ListHandoff> {
  const { batchId, lists } = prepared;
  if (lists.reduce((sum, { der }) => sum + der.length, 0) < longOctets) return prepared;
  const file = path.join(folder, `${PREFIX}${batchId}`);
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const handle = await open(file, "wx", 0o600);
    try {
      // Not writev, which may stop half way: a disk that is full must be an error.
      for (const { der } of lists) await handle.writeFile(der);
    } finally {
      await handle.close();
    }
  } catch {
    await rm(file, { force: true }).catch(() => undefined);
    return prepared;
  }
  return {
    ...prepared,
    file,
    lists: lists.map(({ der, ...list }) => Object.assign({ octets: der.length }, list)),
  };
}

/** The lists, with the octets out of their file, which is gone then. Throws where it cannot be read. */
export async function takeOver(handed: ListHandoff): Promise<PreparedLists> {
  if (!("file" in handed)) return handed;
  const { file, ...prepared } = handed;
  const all = await readFile(file);
  await rm(file, { force: true });
  let at = 0;
  const lists = handed.lists.map(({ octets, ...list }) => {
    const der = new Uint8Array(all.buffer, all.byteOffset + at, octets);
    at += octets;
    return Object.assign({ der }, list);
  });
  return { ...prepared, lists };
}

/** Removes what nobody has taken, because a process ended meanwhile. */
export async function removeHandoffs(folder: string): Promise<void> {
  const names = await readdir(folder).catch(() => []);
  for (const name of names)
    if (name.startsWith(PREFIX)) await rm(path.join(folder, name), { force: true });
}
