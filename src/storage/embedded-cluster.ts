import { spawn } from "node:child_process";
import {
  chownSync,
  closeSync,
  fchownSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";
import { text } from "node:stream/consumers";
import { once } from "node:events";
import { type Accounts, type Ids, give } from "./embedded-account.ts";
import type { Binaries } from "./embedded-binaries.ts";
import { EmbeddedPostgresError } from "./errors.ts";

export interface NewCluster {
  readonly cluster: string;
  readonly binaries: Binaries;
  readonly accounts: Accounts;
  /** The superuser. */
  readonly user: string;
  readonly password: string;
  /** Whether the files are on the disk, not only in memory, when this returns. */
  readonly sync: boolean;
}

/** Makes a cluster with data checksums and password log-in, under another name first: it is whole or not there. */
export async function createCluster(options: NewCluster): Promise<void> {
  const { cluster, accounts } = options;
  removePartial(cluster);
  const partial = `${cluster}.new-${process.pid}`;
  mkdirSync(partial, { mode: 0o700 });
  try {
    if (accounts.initdb.uid !== undefined) {
      chownSync(partial, accounts.initdb.uid, accounts.initdb.gid);
    }
    await initdb(partial, options);
    give(partial, accounts.server);
    renameSync(partial, cluster);
  } catch (error) {
    removePartial(cluster);
    if (error instanceof EmbeddedPostgresError) throw error;
    throw new EmbeddedPostgresError(`its data cannot be laid out in ${cluster}`, { cause: error });
  }
}

/** What a killed process has left half-made. */
function removePartial(cluster: string): void {
  const folder = path.dirname(cluster);
  for (const name of readdirSync(folder)) {
    if (!name.startsWith(`${path.basename(cluster)}.new-`)) continue;
    rmSync(path.join(folder, name), { recursive: true, force: true, maxRetries: 5 });
  }
}

/** The password goes through an open file without a name, which initdb finds by its number: it may not enter the data folder. */
async function initdb(folder: string, options: NewCluster): Promise<void> {
  const linux = process.platform === "linux";
  const passwordFile = path.join(path.dirname(folder), "postgres.password.tmp");
  const password = openPassword(passwordFile, options.password, options.accounts.initdb);
  if (linux) unlinkSync(passwordFile);
  try {
    const child = spawn(
      options.binaries.initdb,
      [
        `--pgdata=${linux ? "/proc/self/cwd" : folder}`,
        `--pwfile=${linux ? "/proc/self/fd/3" : passwordFile}`,
        `--username=${options.user}`,
        "--encoding=UTF8",
        "--locale=C",
        "--data-checksums",
        "--auth=scram-sha-256",
        options.sync ? "--sync-method=fsync" : "--no-sync",
      ],
      {
        ...options.accounts.initdb,
        cwd: folder,
        env: { LC_ALL: "C", TZ: "UTC" },
        stdio: ["ignore", "ignore", "pipe", password],
      },
    );
    const ended = once(child, "close");
    const said = child.stderr === null ? "" : await text(child.stderr);
    await ended;
    const code = child.exitCode;
    const sentence = said.trim().replaceAll(/\s*\n\s*/g, "; ");
    if (code !== 0) throw new EmbeddedPostgresError(`initdb failed, saying "${sentence}"`);
  } finally {
    closeSync(password);
    rmSync(passwordFile, { force: true });
  }
}

function openPassword(file: string, password: string, ids: Ids): number {
  rmSync(file, { force: true });
  writeFileSync(file, `${password}\n`, { mode: 0o600, flag: "wx" });
  const opened = openSync(file, "r");
  if (ids.uid !== undefined) fchownSync(opened, ids.uid, ids.gid);
  return opened;
}
