import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";

import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { readIfThere, replaceFile, replaceFileSync } from "../../../src/storage/durable-file.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), "suido-durable-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

const octets = (text: string): Uint8Array => Buffer.from(text);

describe.for([
  ["replaceFile", (file: string, text: string) => replaceFile(file, [octets(text)])],
  ["replaceFileSync", async (file: string, text: string) => replaceFileSync(file, octets(text))],
] as const)("%s", ([, replace]) => {
  it("puts a file in place, for its owner only, and nothing beside it", async () => {
    const file = path.join(folder, "some");
    await replace(file, "old");
    await replace(file, "new");
    expect(readFileSync(file, "utf8")).toBe("new");
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(readdirSync(folder)).toEqual(["some"]);
  });

  it("takes over what a crash has left beside it", async () => {
    const file = path.join(folder, "some");
    writeFileSync(`${file}.new`, "half of somethi");
    await replace(file, "whole");
    expect(readFileSync(file, "utf8")).toBe("whole");
    expect(readdirSync(folder)).toEqual(["some"]);
  });
});

it("replaceFile makes the folder and writes all parts", async () => {
  const file = path.join(folder, "deep", "some");
  await replaceFile(file, [octets("one "), octets("two")]);
  expect(readFileSync(file, "utf8")).toBe("one two");
  expect(statSync(path.dirname(file)).mode & 0o777).toBe(0o700);
});

it("replaceFile leaves the old file where making a part fails", async () => {
  const file = path.join(folder, "some");
  await replaceFile(file, [octets("old")]);
  function* broken(): Generator<Uint8Array> {
    yield octets("new");
    throw new Error("no more");
  }
  await expect(replaceFile(file, broken())).rejects.toThrow("no more");
  expect(readFileSync(file, "utf8")).toBe("old");
});

it("readIfThere tells a file that is not there from one that cannot be read", async () => {
  writeFileSync(path.join(folder, "some"), "text");
  expect(await readIfThere(path.join(folder, "some"))).toEqual(Buffer.from("text"));
  expect(await readIfThere(path.join(folder, "none"))).toBeUndefined();
  await expect(readIfThere(folder)).rejects.toMatchObject({ code: "EISDIR" });
});
