import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { createInterface } from "node:readline";

import { expect, it, vi } from "vitest";

import { instanceEnvironment } from "../../src/cli/instance.ts";
import { lockDataFolder } from "../../src/storage/data-folder-lock.ts";

vi.setConfig({ testTimeout: 90_000 });

// npm's shell ends at the signal and passes nothing on.
it.for(["npm start", "npx suido serve"])(
  "%s: what it has started ends with it",
  async (command) => {
    const [program = "", ...words] = command.split(" ");
    const dataDir = await mkdtemp(path.join(tmpdir(), "suido-npm-"));
    const env = await instanceEnvironment({ dataDir });
    const child = spawn(program, words, { env, stdio: ["ignore", "pipe", "ignore"] });
    try {
      const said: string[] = [];
      createInterface({ input: child.stdout }).on("line", (line: string) => said.push(line));
      const isReady = (): boolean => said.some((line) => line.startsWith("ready "));
      await vi.waitFor(() => expect(isReady()).toBe(true), { timeout: 60_000, interval: 100 });
      child.kill("SIGTERM");
      const free = async (): Promise<void> => (await lockDataFolder(dataDir)).release();
      await vi.waitFor(free, { timeout: 15_000, interval: 200 });
    } finally {
      child.kill("SIGKILL");
      await rm(dataDir, { recursive: true, force: true });
    }
  },
);
