import { randomBytes, randomUUID } from "node:crypto";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { handOver, removeHandoffs, takeOver } from "../../../src/ca/list-handoff.ts";
import type { PreparedLists } from "../../../src/ca/signer-client.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), "suido-handoff-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const prepared = (...octets: readonly number[]): PreparedLists => ({
  batchId: randomUUID(),
  issuerId: "issuing-g1",
  watermark: 7n,
  at: new Date("2026-11-26T00:00:00Z"),
  lists: octets.map((length, i) => ({
    scope: i === 0 ? "full" : `0${i}`,
    number: 9n,
    thisUpdate: new Date("2026-11-26T00:00:00Z"),
    nextUpdate: new Date("2026-12-03T00:00:00Z"),
    entries: length,
    sha256: "5a".repeat(32),
    der: new Uint8Array(randomBytes(length)),
  })),
});

it("hands long lists over in a file, which is gone when they are taken", async () => {
  const lists = prepared(900_000, 0, 300_001);
  const handed = await handOver(lists, path.join(folder, "va"));
  expect(handed).toMatchObject({ file: expect.any(String) as string });
  expect(structuredClone(handed)).toEqual(handed);
  expect(await takeOver(handed)).toEqual(lists);
  expect(readdirSync(path.join(folder, "va"))).toEqual([]);
});

it("leaves short ones as they are, and long ones where no file can be", async () => {
  const short = prepared(1_000);
  expect(await takeOver(await handOver(short, folder))).toBe(short);
  const long = prepared(2_000_000);
  writeFileSync(path.join(folder, "file"), "no folder");
  expect(await takeOver(await handOver(long, path.join(folder, "file")))).toBe(long);
});

it("says so when the file is gone, and removes what nobody has taken", async () => {
  const handed = await handOver(prepared(2_000_000), folder);
  writeFileSync(path.join(folder, "other"), "");
  await removeHandoffs(folder);
  await removeHandoffs(path.join(folder, "none"));
  expect(readdirSync(folder)).toEqual(["other"]);
  await expect(takeOver(handed)).rejects.toThrow("ENOENT");
});
