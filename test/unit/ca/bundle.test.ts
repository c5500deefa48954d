import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { pathToFileURL } from "node:url";
import { afterEach, describe, expect, it } from "vitest";
import { createBundler, type Bundler, type BundlerOptions } from "../../../src/ca/bundle.ts";
import { sequence, utf8String } from "../../../src/pki/der.ts";
import type { Pkcs12Input } from "../../../src/pki/pkcs12.ts";

const INPUT: Pkcs12Input = {
  key: sequence(utf8String("key")),
  certificate: sequence(utf8String("leaf")),
  chain: [],
  friendlyName: "desk",
  localKeyId: new Uint8Array([1]),
  password: "secret",
  style: "compatible",
};

describe("createBundler", () => {
  const open: Bundler[] = [];
  const make = (options?: BundlerOptions): Bundler => {
    const bundler = createBundler(options);
    open.push(bundler);
    return bundler;
  };
  afterEach(async () => {
    await Promise.all(open.splice(0).map((bundler) => bundler.close()));
  });

  it("makes several bundles at once, each from its own input", async () => {
    const bundler = make();
    const names = ["one", "two-2", "three-33"];
    const bundles = await Promise.all(
      names.map((name) => bundler.bundle({ ...INPUT, key: sequence(utf8String(name.repeat(8))) })),
    );
    expect(bundles.map((bundle) => bundle[0])).toEqual([0x30, 0x30, 0x30]);
    expect(new Set(bundles.map((bundle) => bundle.length)).size).toBe(3);
  });

  it("leaves the caller's key alone", async () => {
    const key = Buffer.from(INPUT.key);
    await make().bundle({ ...INPUT, key });
    expect(key).toEqual(Buffer.from(INPUT.key));
  });

  it("does not stall the event loop", async () => {
    const bundler = make();
    let ticks = 0;
    const ticking = setInterval(() => ticks++, 5);
    await bundler.bundle({ ...INPUT, style: "modern" });
    clearInterval(ticking);
    expect(ticks).toBeGreaterThan(3);
  });

  it("hands back what goes wrong and works on", async () => {
    const bundler = make();
    const wrong = { ...INPUT, chain: undefined } as unknown as Pkcs12Input;
    await expect(bundler.bundle(wrong)).rejects.toThrow(TypeError);
    await expect(bundler.bundle(INPUT)).resolves.toHaveProperty("0", 0x30);
  });

  it("starts again after it was idle", async () => {
    const bundler = make({ idleMs: 20 });
    await bundler.bundle(INPUT);
    await sleep(200);
    await expect(bundler.bundle(INPUT)).resolves.toHaveProperty("0", 0x30);
  });

  it("rejects what is still being made when it is closed, and can be used again", async () => {
    const bundler = make();
    const pending = bundler.bundle(INPUT);
    const [ended] = await Promise.allSettled([pending, bundler.close()]);
    expect(ended).toMatchObject({
      status: "rejected",
      reason: new Error("the worker that makes PKCS#12 files has ended"),
    });
    await expect(bundler.bundle(INPUT)).resolves.toHaveProperty("0", 0x30);
  });

  it("rejects the pending ones when the worker dies, and starts a new worker for the next", async () => {
    const folder = await mkdtemp(path.join(tmpdir(), "suido-bundle-"));
    const program = path.join(folder, "worker.mjs");
    // Dies of the first input that says so, answers everything else.
    await writeFile(
      program,
      `import { parentPort } from "node:worker_threads";
      parentPort.on("message", ({ id, input }) => {
        if (input.friendlyName === "die") process.exit(3);
        parentPort.postMessage({ id, bundle: new Uint8Array([id]) });
      });`,
    );
    const bundler = make({ program: pathToFileURL(program) });
    await expect(bundler.bundle(INPUT)).resolves.toEqual(new Uint8Array([1]));
    const dying = ["die", "after"].map((friendlyName) =>
      bundler.bundle({ ...INPUT, friendlyName }),
    );
    const ends = await Promise.allSettled(dying);
    expect(ends.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
    // A new worker counts from one again.
    await expect(bundler.bundle(INPUT)).resolves.toEqual(new Uint8Array([1]));
    await rm(folder, { recursive: true });
  });
});
