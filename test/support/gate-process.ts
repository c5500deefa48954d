import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import { processTree, signalAll, untilGone } from "./process-tree.ts";

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** The health file, as far as tests read it. */
export interface HealthFile {
  readonly ok: boolean;
  readonly findings: readonly string[];
  readonly generation?: number;
  readonly inForce?: { readonly generation: number; readonly by: string };
  readonly lists: readonly { readonly name: string; readonly number: string }[];
  readonly lastContact?: string;
  readonly acknowledgedAt?: string;
  readonly lastError?: { readonly code: string; readonly message: string };
}

/** `suido gate` with a folder of its own, run as real processes. */
export class GateProcess {
  readonly folder: string;
  readonly #command: readonly string[];
  readonly #options: readonly string[];
  #child: ChildProcess | undefined;
  #said = "";

  constructor(options: readonly string[], folder?: string, program = "src/cli/suido.js") {
    // As an operator's unit runs it.
    this.#command = ["--max-semi-space-size=1", path.resolve(program), "gate"];
    this.folder = folder ?? mkdtempSync(path.join(tmpdir(), "suido-gate-"));
    this.#options = ["--folder", this.folder, ...options];
  }

  file(...names: readonly string[]): string {
    return path.join(this.folder, ...names);
  }

  /** What a proxy would read now. */
  current(name: string): string {
    return readFileSync(this.file("current", name), "utf8");
  }

  /** Which generation `current` is, by its link. */
  get generation(): number {
    const { generation = 0 } = this.health() ?? {};
    return generation;
  }

  health(): HealthFile | undefined {
    const file = this.file("health.json");
    return existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as HealthFile) : undefined;
  }

  get said(): string {
    return this.#said;
  }

  get pid(): number {
    return this.#child?.pid ?? 0;
  }

  start(...more: readonly string[]): void {
    const child = spawn(process.execPath, [...this.#command, ...this.#options, ...more], {
      stdio: ["ignore", "ignore", "pipe"],
    });
    this.#said = "";
    child.stderr.setEncoding("utf8").on("data", (text: string) => (this.#said += text));
    this.#child = child;
  }

  /** One look, with `--once`. */
  once(...more: readonly string[]): Promise<Ended> {
    return this.#run([...this.#command, ...this.#options, "--once", ...more]);
  }

  /** What a monitor would hear. */
  check(...more: readonly string[]): Promise<Ended> {
    return this.#run([...this.#command, "check", "--folder", this.folder, ...more]);
  }

  async #run(args: readonly string[]): Promise<Ended> {
    const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "pipe"] });
    const ended = { stdout: "", stderr: "" };
    child.stdout.setEncoding("utf8").on("data", (text: string) => (ended.stdout += text));
    child.stderr.setEncoding("utf8").on("data", (text: string) => (ended.stderr += text));
    const [code] = (await once(child, "close")) as [number | null];
    return { code, ...ended };
  }

  /** Waits until the health file is as wished. */
  async until(isAsWished: (health: HealthFile) => boolean): Promise<HealthFile> {
    const deadline = performance.now() + 30_000;
    for (;;) {
      const health = this.health();
      if (health !== undefined && isAsWished(health)) return health;
      if (performance.now() > deadline)
        throw new Error(`not in time: ${JSON.stringify(health)}\n${this.#said}`);
      await sleep(20);
    }
  }

  /** As if the last reload had been a minute ago. */
  forgetReload(): void {
    const file = this.file("state.json");
    const state = JSON.parse(readFileSync(file, "utf8")) as { reloadedAt?: string };
    delete state.reloadedAt;
    writeFileSync(file, JSON.stringify(state));
  }

  /** Ends it, and returns its exit code. */
  async stop(signal: NodeJS.Signals = "SIGTERM"): Promise<number | null> {
    const child = this.#child;
    if (child === undefined) return null;
    this.#child = undefined;
    child.kill(signal);
    if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
    return child.exitCode;
  }

  async dispose(): Promise<void> {
    const tree = this.#child === undefined ? [] : processTree(this.pid);
    signalAll(tree, "SIGKILL");
    await untilGone(tree);
    rmSync(this.folder, { recursive: true, force: true });
  }
}
