import { createHash } from "node:crypto";
import { readFileSync, statSync, unlinkSync, writeFileSync } from "node:fs";
import { type Server, createServer } from "node:net";
import path from "node:path";
import { once } from "node:events";
import { isErrno } from "./errno.ts";
import { DataFolderInUseError } from "./errors.ts";

export interface DataFolderLock {
  release(): Promise<void>;
}

/**
 * Keeps a second process off a data folder. On Linux the lock is an abstract Unix socket (unix(7)): the kernel gives it
 * back when the process ends, however it ends. Its name comes from the folder's device and inode, so that another path
 * to the same folder is the same lock. It reaches as far as the network namespace: containers that share a volume
 * do not see each other's. Elsewhere a file holds the process id, and is taken over when that process is gone.
 * The embedded server locks its part of the folder apart from the whole.
 */
export async function lockDataFolder(
  folder: string,
  part = "data",
  platform: NodeJS.Platform = process.platform,
): Promise<DataFolderLock> {
  const inUse = new DataFolderInUseError(
    `another suido process is working with the data folder ${folder}: stop it first, or choose another folder`,
  );
  return platform === "linux"
    ? lockBySocket(`${identity(folder)}:${part}`, inUse)
    : lockByFile(path.join(folder, `${part}.pid`), inUse);
}

/** Whether a process holds a part of the folder now. */
export async function isFolderLocked(
  folder: string,
  part: string,
  platform: NodeJS.Platform = process.platform,
): Promise<boolean> {
  try {
    const lock = await lockDataFolder(folder, part, platform);
    await lock.release();
    return false;
  } catch (error) {
    if (error instanceof DataFolderInUseError) return true;
    throw error;
  }
}

function identity(folder: string): string {
  const { dev, ino } = statSync(folder, { bigint: true });
  return `${dev}:${ino}`;
}

async function lockBySocket(owned: string, inUse: DataFolderInUseError): Promise<DataFolderLock> {
  const name = createHash("sha256").update(owned).digest("hex");
  const server = createServer((socket) => socket.destroy());
  server.listen(`\0suido-${name}`);
  try {
    await once(server, "listening");
  } catch (error) {
    throw isErrno(error, "EADDRINUSE") ? inUse : error;
  }
  server.unref();
  return { release: () => close(server) };
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
  });
}

async function lockByFile(file: string, inUse: DataFolderInUseError): Promise<DataFolderLock> {
  for (let attempt = 0; attempt < 2; attempt += 1) {
    try {
      writeFileSync(file, `${process.pid}\n`, { flag: "wx", mode: 0o600 });
      return { release: async () => unlinkSync(file) };
    } catch (error) {
      if (!isErrno(error, "EEXIST")) throw error;
      if (isAlive(Number(readFileSync(file, "utf8")))) throw inUse;
      unlinkSync(file);
    }
  }
  throw inUse;
}

function isAlive(pid: number): boolean {
  if (!Number.isSafeInteger(pid) || pid <= 0) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return isErrno(error, "EPERM");
  }
}
