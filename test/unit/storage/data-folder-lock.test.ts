import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { lockDataFolder } from "../../../src/storage/data-folder-lock.ts";

let folder = "";

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), "suido-lock-"));
});

afterEach(() => rmSync(folder, { recursive: true }));

const IN_USE = /^another suido process is working with the data folder/;

describe.for(["linux", "darwin"] as const)("on %s", (platform) => {
  const lock = (of = folder, part = "data") => lockDataFolder(of, part, platform);

  it("one at a time, and free again when released", async () => {
    const first = await lock();
    await expect(lock()).rejects.toThrow(IN_USE);
    await expect(lock()).rejects.toThrow(expect.objectContaining({ code: "data-folder-in-use" }));
    await first.release();
    await (await lock()).release();
  });

  it("is the same by another path to the folder", async () => {
    const other = `${folder}-link`;
    symlinkSync(folder, other);
    const first = await lock();
    await expect(lock(other)).rejects.toThrow(IN_USE);
    await first.release();
    rmSync(other);
  });

  it("is apart for other folders and for other parts", async () => {
    mkdirSync(path.join(folder, "inner"));
    const locks = await Promise.all([
      lock(),
      lock(path.join(folder, "inner")),
      lock(folder, "postgres"),
    ]);
    expect(locks).toHaveLength(3);
    await Promise.all(locks.map((each) => each.release()));
  });

  it("is no obstacle after kill -9", async () => {
    const source = `import { lockDataFolder } from ${JSON.stringify(path.resolve("src/storage/data-folder-lock.ts"))};
      await lockDataFolder(${JSON.stringify(folder)}, "data", ${JSON.stringify(platform)});
      console.log("locked");
      setInterval(() => undefined, 1000);`;
    const child = spawn(process.execPath, ["--input-type=module", "-e", source]);
    const exit = once(child, "exit");
    await once(child.stdout, "data");
    await expect(lock()).rejects.toThrow(IN_USE);
    child.kill("SIGKILL");
    await exit;
    await (await lock()).release();
  });
});

it("takes over a file that holds no process id", async () => {
  writeFileSync(path.join(folder, "data.pid"), "not a number");
  const lock = await lockDataFolder(folder, "data", "darwin");
  await lock.release();
  expect(existsSync(path.join(folder, "data.pid"))).toBe(false);
});

it("says that the folder is missing", async () => {
  await expect(lockDataFolder(path.join(folder, "missing"))).rejects.toThrow(/ENOENT/);
});
