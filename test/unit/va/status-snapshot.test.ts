import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";

import { afterAll, expect, it } from "vitest";

import { StatusIndex } from "../../../src/va/status-index.ts";
import { readSnapshot, writeSnapshot } from "../../../src/va/status-snapshot.ts";

const folder = mkdtempSync(path.join(tmpdir(), "suido-snapshot-"));
const file = path.join(folder, "va", "status.snapshot");
afterAll(() => rmSync(folder, { recursive: true }));

function filled(count: number): StatusIndex {
  const index = new StatusIndex();
  index.issuerNumber("root-g1");
  const issuer = index.issuerNumber("issuing-g1");
  const serials = createHash("shake256", { outputLength: 16 * count })
    .update("s")
    .digest();
  for (let n = 0; n < count; n++) {
    const serial = serials.subarray(16 * n, 16 * n + 16);
    const revoked = { issuer, state: "revoked", reason: 9, revokedAt: 1_790_000_000 + n } as const;
    index.set(serial, n % 2 === 0 ? revoked : { issuer, state: "good", reason: 0, revokedAt: 0 });
  }
  return index;
}

const reached = {
  seq: "9007199254740993",
  horizon: "18446744073709551000",
  seen: "9007199254740995",
};

it.for([0, 1, 16_384, 40_001])("%i certificates come back as they were", async (count) => {
  const index = filled(count);
  await writeSnapshot(file, { index, reached, known: 1_790_000_000_123 });
  const read = await readSnapshot(file);
  expect(read).toMatchObject({ reached, known: 1_790_000_000_123 });
  expect(read?.index.size).toBe(count);
  expect(read?.index.issuers).toEqual(["root-g1", "issuing-g1"]);
  expect(read?.index.digests()).toEqual(index.digests());
  expect(count === 0 ? undefined : read?.index.statusAt(count - 1)).toEqual(
    count === 0 ? undefined : index.statusAt(count - 1),
  );
});

it("there is none at first", async () => {
  expect(await readSnapshot(path.join(folder, "nothing"))).toBeUndefined();
});

it.for([
  ["an octet changed", (bytes: Buffer) => bytes.fill(bytes[100] === 0 ? 1 : 0, 100, 101)],
  ["the end is missing", (bytes: Buffer) => bytes.subarray(0, -1)],
  ["half is missing", (bytes: Buffer) => bytes.subarray(0, bytes.length / 2)],
  ["it is empty", () => Buffer.alloc(0)],
  ["there is more", (bytes: Buffer) => Buffer.concat([bytes, Buffer.of(0)])],
] as const)("is not used when %s", async ([, damage]) => {
  await writeSnapshot(file, { index: filled(100), reached, known: 1 });
  writeFileSync(file, damage(readFileSync(file)));
  expect(await readSnapshot(file)).toBeUndefined();
});
