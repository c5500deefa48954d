import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";

/** What a figure is held against, measured in the same run. */
export interface Peer {
  readonly peer: string;
  /** Undefined where the peer is not installed: then there is no ratio. */
  readonly value: number | undefined;
}

interface Figure {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  readonly beside?: Peer;
}

export const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;

/** The value that so many of a hundred do not exceed. */
export function percentile(values: readonly number[], of: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.ceil((of / 100) * sorted.length) - 1)] ?? 0;
}

function besideWords(value: number, beside: Peer | undefined): string {
  if (beside === undefined) return "- -";
  if (beside.value === undefined) return `- ${beside.peer}-is-not-installed`;
  return `${(value / beside.value).toFixed(2)} ${beside.peer}`;
}

/** Small values with more digits, so that each has about three. */
function digitsOf(value: number): number {
  if (Math.abs(value) < 1) return 3;
  return Math.abs(value) < 100 ? 1 : 0;
}

/** Prints `name value unit ratio peer`. */
export function print({ name, value, unit, beside }: Figure): void {
  console.log(`${name} ${value.toFixed(digitsOf(value))} ${unit} ${besideWords(value, beside)}`);
}

/** The middle of a peer's rounds; of none, undefined. */
export const peerOf = (peer: string, rounds: readonly number[]): Peer => ({
  peer,
  value: rounds.length === 0 ? undefined : median(rounds),
});

/** A limit in place of a peer: what nobody else does is held against what we have promised. */
export const limit = (value: number): Peer => ({ peer: "limit", value });

/** Whether a program is in the path. */
export function isInstalled(command: string): boolean {
  const folders = (process.env["PATH"] ?? "").split(path.delimiter);
  return folders.some((folder) => existsSync(path.join(folder, command)));
}

/** Runs a program to its end and gives what it said, both streams together. Throws when it is missing or fails. */
export async function run(
  command: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<string> {
  const child = spawn(command, [...args], {
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let said = "";
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding("utf8").on("data", (chunk: string) => (said += chunk));
  const [code] = (await once(child, "close")) as [number | null];
  if (code !== 0) throw new Error(`${command} ended with ${code}: ${said}`);
  return said;
}

/** Clock ticks a second in /proc: USER_HZ, 100 on every Linux that we run on. */
const TICKS = 100;

/** Clock ticks of a process and of its children that are gone (proc(5): utime to cstime); of one that is gone, none. */
function ticksOf(pid: number): number {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0);
  } catch {
    return 0;
  }
}

/** Seconds of processor time that these have used, parents before children: who ends meanwhile is found with its parent. */
export function processorSeconds(pids: readonly number[]): number {
  return pids.toReversed().reduce((sum, pid) => sum + ticksOf(pid), 0) / TICKS;
}

export interface Load {
  readonly url: string;
  readonly connections: number;
  readonly seconds: number;
  /** A Lua script that makes the requests. */
  readonly script?: string;
}

/** Asks as fast as the answers come, from one thread. Returns answers a second; throws when one of them is an error. */
export async function wrk({ url, connections, seconds, script }: Load): Promise<number> {
  const load = ["-t1", `-c${connections}`, `-d${seconds}s`, "--timeout", "20s"];
  if (script !== undefined) load.push("-s", script);
  const said = await run("wrk", [...load, url]);
  const rate = /Requests\/sec:\s+([\d.]+)/.exec(said)?.[1];
  if (rate === undefined || said.includes("Non-2xx") || said.includes("Socket errors"))
    throw new Error(`wrk: ${said}`);
  return Number(rate);
}
