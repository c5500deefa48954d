import { readFileSync, rmSync, statSync } from "node:fs";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { EmbeddedPostgresError } from "./errors.ts";

const POLL_MS = 10;

/** How long each of the signals below may take. */
const PATIENCE_MS = 10_000;

/**
 * Clears what a killed process has left of its server. Only for who holds the data folder's lock: then a server that runs
 * on this cluster has lost its parent. It is stopped. A left-over postmaster.pid is removed, because PostgreSQL refuses to
 * start when its number belongs to any other living process by now, as is usual after the restart of a container.
 * Says whether a server was stopped.
 */
export async function clearOrphan(cluster: string): Promise<boolean> {
  // Without /proc there is no telling whose process a number is; PostgreSQL decides then.
  if (process.platform !== "linux") return false;
  const file = path.join(cluster, "postmaster.pid");
  const pid = readPid(file);
  if (pid === undefined) return false;
  const orphaned = isServerOf(pid, cluster);
  if (orphaned) await stopServer(pid, () => !isServerOf(pid, cluster));
  rmSync(file, { force: true });
  return orphaned;
}

/**
 * Ends a server: SIGINT is the fast shutdown, which does not wait for clients; SIGQUIT gives up without a checkpoint
 * (postgres(1)), and the next start recovers.
 */
export async function stopServer(pid: number, isGone: () => boolean): Promise<void> {
  for (const signal of ["SIGINT", "SIGQUIT"] as const) {
    if (!send(pid, signal)) return;
    for (let waited = 0; waited < PATIENCE_MS; waited += POLL_MS) {
      if (isGone()) return;
      await sleep(POLL_MS);
    }
  }
  throw new EmbeddedPostgresError(`its server of process number ${pid} does not stop`);
}

function send(pid: number, signal: NodeJS.Signals): boolean {
  try {
    return process.kill(pid, signal);
  } catch {
    return false;
  }
}

function readPid(file: string): number | undefined {
  try {
    const pid = Number(readFileSync(file, "utf8").split("\n")[0]);
    return Number.isSafeInteger(pid) && pid > 0 ? pid : undefined;
  } catch {
    return undefined;
  }
}

/** A server works in the folder of its cluster. */
function isServerOf(pid: number, cluster: string): boolean {
  try {
    const works = statSync(`/proc/${pid}/cwd`);
    const stored = statSync(cluster);
    const name = readFileSync(`/proc/${pid}/comm`, "utf8").trim();
    return name === "postgres" && works.dev === stored.dev && works.ino === stored.ino;
  } catch {
    return false;
  }
}
