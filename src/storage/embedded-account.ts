import { chownSync, lchownSync, readFileSync, readdirSync, statSync } from "node:fs";
import path from "node:path";
import { EmbeddedPostgresError } from "./errors.ts";

/** Ids to start a process with. Empty: those of this process. */
export type Ids = { readonly uid: number; readonly gid: number } | Record<string, never>;

/** As whom the parts of PostgreSQL run, since it refuses to run as root. */
export interface Accounts {
  /** initdb asks for the user's name, so this one stands in /etc/passwd. */
  readonly initdb: Ids;
  /** The server asks for no name: it gets a number that no other service has. */
  readonly server: Ids;
}

/** Not in /etc/passwd of any distribution that we know, and below 65,536 because rootless containers map no more ids. */
const PRIVATE_ID = 54_321;

/** Ordinary users run everything as themselves; root steps down. */
export function chooseAccounts(passwd = "/etc/passwd"): Accounts {
  if (process.getuid?.() !== 0) return { initdb: {}, server: {} };
  const entries = readFileSync(passwd, "utf8")
    .split("\n")
    .map((line) => line.split(":"));
  const entry = ["postgres", "nobody"]
    .map((name) => entries.find(([login]) => login === name))
    .find((found) => found !== undefined);
  if (entry === undefined) {
    throw new EmbeddedPostgresError(
      "it does not run as root, and /etc/passwd names neither postgres nor nobody",
    );
  }
  return {
    initdb: { uid: Number(entry[2]), gid: Number(entry[3]) },
    server: { uid: PRIVATE_ID, gid: PRIVATE_ID },
  };
}

/**
 * As whom the server of an existing cluster runs: as the one to whom its files belong, which PostgreSQL demands. Files
 * that have come to belong to root, as after a restore, are given back.
 */
export function accountOf(cluster: string, accounts: Accounts): Ids {
  const { uid, gid } = statSync(cluster);
  const self = process.getuid?.();
  if (self === undefined || self === uid) {
    if (self !== 0) return {};
    give(cluster, accounts.server);
    return accounts.server;
  }
  if (self === 0) return { uid, gid };
  throw new EmbeddedPostgresError(
    `its data in ${cluster} belong to another user, of number ${uid}`,
  );
}

/** Gives a folder and everything in it to an account; symbolic links are not followed. */
export function give(folder: string, ids: Ids): void {
  if (ids.uid === undefined) return;
  chownSync(folder, ids.uid, ids.gid);
  for (const name of readdirSync(folder, { recursive: true, encoding: "utf8" })) {
    lchownSync(path.join(folder, name), ids.uid, ids.gid);
  }
}
