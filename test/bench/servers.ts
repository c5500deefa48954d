import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import path from "node:path";
import { createInterface } from "node:readline";

import { median, peerOf, print, processorSeconds, wrk } from "./figures.ts";

/** What a server under test says of itself when it listens. */
export interface Server {
  readonly process: ChildProcess;
  readonly url: string;
}

/** Starts a script of this folder in a process of its own, and waits for its line of JSON. */
export async function startServer<T extends object>(
  script: string,
  args: readonly string[],
): Promise<Server & T> {
  const file = path.join(import.meta.dirname, script);
  const child = spawn(process.execPath, [file, ...args], { stdio: ["ignore", "pipe", "inherit"] });
  const [line] = (await once(createInterface({ input: child.stdout }), "line")) as [string];
  return { ...(JSON.parse(line) as T & { url: string }), process: child };
}

const CONNECTIONS = 16;
const SECONDS = 2;

/** Requests a second of each round, by the clock on the wall and by the server's processor time. */
export class Rates {
  readonly perSecond: number[] = [];
  readonly perProcessorSecond: number[] = [];

  async ask({ pid = 0 }: ChildProcess, url: string, script?: string): Promise<void> {
    const began = processorSeconds([pid]);
    const load = { url, connections: CONNECTIONS, seconds: SECONDS };
    const rate = await wrk({ ...load, ...(script !== undefined && { script }) });
    this.perSecond.push(rate);
    this.perProcessorSecond.push((rate * SECONDS) / (processorSeconds([pid]) - began));
  }
}

/** Both figures of one thing. On a busy machine the one by processor time is the one to believe. */
export function printRates(
  name: string,
  rates: Rates,
  beside: { rates: Rates; peer: string },
): void {
  for (const by of ["perSecond", "perProcessorSecond"] as const) {
    print({
      name: by === "perSecond" ? name : `${name}-by-processor-time`,
      value: median(rates[by]),
      unit: "requests/s",
      beside: peerOf(beside.peer, beside.rates[by]),
    });
  }
}
