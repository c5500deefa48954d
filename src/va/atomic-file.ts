import { mkdir, open, rename } from "node:fs/promises";
import { dirname } from "node:path";

/** Bytes that come in parts, perhaps made while the ones before are written. */
export type Parts = Iterable<Uint8Array>;

/**
 * Replaces a file so that readers, and whoever starts after a power cut, see the old one or the new one and never half of
 * one. Only the owner may read it.
 */
export async function writeAtomically(file: string, parts: Parts): Promise<void> {
  const folder = dirname(file);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const fresh = `${file}.new`;
  const handle = await open(fresh, "w", 0o600);
  try {
    for (const part of parts) await handle.writeFile(part);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(fresh, file);
  const directory = await open(folder, "r");
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}
