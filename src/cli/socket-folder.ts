import { createHash } from "node:crypto";
import { lstatSync, mkdirSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";

import type { Config } from "../config/environment.ts";
import { CommandError } from "./command.ts";

/** Who may enter the folder may ask the signer: nobody but us, or a group that the site has chosen. */
function checkFolder(folder: string, forbidden: number): void {
  const { uid, mode } = lstatSync(folder);
  const isFolder = statSync(folder).isDirectory();
  const ours = process.getuid?.() ?? uid;
  if (isFolder && (uid === ours || forbidden === 0o007) && (mode & forbidden) === 0) return;
  throw new CommandError(
    `the folder ${folder} of the signer's socket must be a folder that others cannot enter: remove it, or name another place in SUIDO_SIGNER_SOCKET`,
  );
}

/**
 * Where the signer listens. Without `SUIDO_SIGNER_SOCKET` it is a short path (107 octets are the most, unix(7)) in a folder of
 * our own, named for the data folder's device and inode: processes that share a data folder find each other.
 */
export function signerSocketPath({ dataDir, signerSocket }: Config): string {
  if (signerSocket !== undefined) {
    checkFolder(path.dirname(signerSocket), 0o007);
    return signerSocket;
  }
  const folder = path.join(tmpdir(), `suido-${process.getuid?.() ?? "user"}`);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  checkFolder(folder, 0o077);
  const { dev, ino } = statSync(dataDir, { bigint: true });
  const name = createHash("sha256").update(`${dev}:${ino}`).digest("hex").slice(0, 16);
  return path.join(folder, `${name}.sock`);
}
