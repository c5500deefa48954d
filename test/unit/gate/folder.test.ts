import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, expect, it } from "vitest";

import { GateFolder } from "../../../src/gate/folder.ts";
import { judgeGeneration, marksAfter } from "../../../src/gate/generation.ts";
import { readState, writeState } from "../../../src/gate/in-force.ts";
import {
  type Manifest,
  manifestOf,
  readManifest,
  writeManifest,
} from "../../../src/gate/manifest.ts";
import { BundleMaker, NOTHING_BEFORE, refusalOf } from "../../support/bundles.ts";

const made = new BundleMaker(new Date());
const generation = judgeGeneration(made.bundles(), NOTHING_BEFORE, made.judge());
const manifest: Manifest = manifestOf(generation, {
  at: made.now,
  marks: marksAfter(new Map(), generation),
  tags: { certificates: '"a"', lists: '"b"' },
});

let root: string;
let folder: GateFolder;

beforeEach(() => {
  root = mkdtempSync(path.join(tmpdir(), "suido-gate-"));
  folder = new GateFolder(root);
  folder.prepare();
});

afterEach(() => rmSync(root, { recursive: true }));

/** Kills a process that does nothing but put generations in place. Returns whether it was in the middle of one. */
async function killWriter(afterMs: number): Promise<boolean> {
  const program = path.resolve("test/support/gate-writer.ts");
  const child = spawn(process.execPath, [program, root], { stdio: ["ignore", "pipe", "inherit"] });
  await once(child.stdout, "data");
  await sleep(afterMs);
  child.kill("SIGKILL");
  await once(child, "exit");
  return readdirSync(path.join(root, "generations")).some((name) => name.endsWith(".new"));
}

it("is one whole generation whenever the writer is killed", async () => {
  let inTheMiddle = 0;
  for (let round = 0; round < 8; round++) {
    inTheMiddle += Number(await killWriter(20 + 10 * round));
    const current = folder.current();
    const [certificates, lists] = ["ca.pem", "lists.pem"].map((name) =>
      readFileSync(path.join(root, "current", name)),
    ) as [Buffer, Buffer];
    // Each writer has CAs of its own: files of two generations would not fit together.
    expect(current?.manifest.lists).toHaveLength(2);
    const roots = new Set(current?.manifest.lists.slice(0, 1).map(({ issuer }) => issuer));
    expect(
      refusalOf({ certificates, lists }, made.judge({ roots, now: new Date() })),
    ).toBeUndefined();
  }
  expect(inTheMiddle).toBeGreaterThan(0);
  folder.clean();
  expect(
    readdirSync(path.join(root, "generations")).filter((name) => name.endsWith(".new")),
  ).toEqual([]);
});

it("keeps the last two generations, and the one that the proxy still works with", () => {
  folder.place(generation, manifest, undefined);
  for (const _ of [2, 3, 4, 5]) folder.place(generation, manifest, 1);
  expect(readdirSync(path.join(root, "generations")).toSorted()).toEqual(["1", "4", "5"]);
});

it("reads back what it wrote of a generation", () => {
  folder.place(generation, manifest, undefined);
  expect(folder.current()).toEqual({ generation: 1, manifest });
  expect(folder.pairs(1).map(({ list }) => Buffer.from(list).toString("hex"))).toEqual(
    generation.lists.map(({ der }) => Buffer.from(der).toString("hex")),
  );
});

it.for([
  { name: "nothing", text: "" },
  { name: "no JSON", text: "{" },
  { name: "another JSON", text: "[]" },
  { name: "a number that is none", text: writeManifest(manifest).replaceAll('"100"', '"x"') },
  {
    name: "a date that is none",
    text: writeManifest(manifest).replace(/"at": "[^"]+"/, '"at": "x"'),
  },
])("takes a manifest with $name for none", ({ text }) => {
  expect(readManifest(text)).toBeUndefined();
});

it("has no state where its file was spoilt", () => {
  writeState(folder, {
    inForce: { generation: 1, since: made.now, by: "proxy" },
    reloadedAt: made.now,
  });
  expect(readState(folder)).toEqual({
    inForce: { generation: 1, since: made.now, by: "proxy" },
    reloadedAt: made.now,
  });
  for (const text of ["", "null", '{"inForce":{"generation":"1"},"reloadedAt":"x"}']) {
    writeFileSync(folder.file("state.json"), text);
    expect(readState(folder)).toEqual({});
  }
});

it("does not touch a `current` that is no link of its own", () => {
  writeFileSync(folder.file("current"), "mine");
  expect(() => folder.current()).toThrow("is no symbolic link");
});
