import { readdirSync, readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

/** A process as /proc tells of it (proc(5)). */
interface ProcessFacts {
  readonly pid: number;
  readonly parent: number;
  readonly state: string;
}

function factsOf(pid: number): ProcessFacts | undefined {
  try {
    // The name may hold anything, also ") "; what follows its last parenthesis does not.
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    const [state = "", parent = "0"] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return { pid, parent: Number(parent), state };
  } catch {
    return undefined;
  }
}

/** Whether the process is there and not only waiting to be buried. */
export function isAlive(pid: number): boolean {
  const facts = factsOf(pid);
  return facts !== undefined && facts.state !== "Z";
}

/** The process and all that descend from it, the oldest first. */
export function processTree(pid: number): number[] {
  const all = readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => factsOf(Number(name)) ?? []);
  const tree = [pid];
  for (const known of tree) {
    tree.push(...all.filter(({ parent }) => parent === known).map((child) => child.pid));
  }
  return tree.filter(isAlive);
}

/** Sends the signal to each of them that is still there. */
export function signalAll(pids: readonly number[], signal: NodeJS.Signals): void {
  for (const pid of pids) {
    try {
      process.kill(pid, signal);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
    }
  }
}

/** Waits until none of them is there any more. */
export async function untilGone(pids: readonly number[], patienceMs = 15_000): Promise<void> {
  const deadline = performance.now() + patienceMs;
  while (pids.some(isAlive)) {
    if (performance.now() > deadline)
      throw new Error(`still alive: ${pids.filter(isAlive).join(", ")}`);
    await sleep(10);
  }
}
