import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { createSystem } from "../../../src/cli/system.ts";
import { GateFolder } from "../../../src/gate/folder.ts";
import { Gate } from "../../../src/gate/gate.ts";
import { BundleMaker, BundleServer, certificatesPem, listsPem } from "../../support/bundles.ts";
import { type Authority, createIssuing, createRoot } from "../../support/certificates.ts";

/** A gate by a clock of ours, beside a folder and a server that are real: the seven days of a list in a moment. */

const DAY = 86_400_000;
const INTERVAL = 30_000;

/** The signal to end, which does not come. */
const { signal } = new AbortController();

const made = new BundleMaker(new Date());
const { issuing, root } = made;
const good = made.bundles();

let server: BundleServer;
let folder: GateFolder;
let gate: Gate;
let now: Date;
let dice: number;
let said: string[];

/** As it is after its start, with what the folder says. */
function started(): Gate {
  const options = {
    va: new URL(server.url),
    folder,
    roots: made.roots,
    intervalMs: INTERVAL,
    reload: [],
    healthFile: folder.file("health.json"),
  };
  return new Gate(options, {
    ...createSystem(),
    clock: () => now,
    random: () => Uint8Array.of(dice),
    log: (level, text) => said.push(`${level}: ${text}`),
  });
}

/** What a proxy would read now. */
const current = (name: string): string =>
  readFileSync(path.join(folder.path, "current", name), "utf8");

const at = (days: number): Date => new Date(made.now.getTime() + days * DAY);

/** The CAs with lists of this number, made on that day. */
function bundlesOf(
  number: bigint,
  days: number,
  authorities: readonly Authority[] = [root, issuing],
): BundleServer["bundles"] {
  const dates = { thisUpdate: at(days), nextUpdate: at(days + 7) };
  return made.bundles({
    certificates: authorities.map(({ certificate }) => certificate),
    lists: authorities.map((authority) => made.list(authority, { number, ...dates })),
  });
}

beforeEach(async () => {
  server = await BundleServer.open(good);
  folder = new GateFolder(mkdtempSync(path.join(tmpdir(), "suido-gate-")));
  folder.prepare();
  now = made.now;
  dice = 0;
  said = [];
  gate = started();
  await gate.cycle(signal);
});

afterEach(async () => {
  await server.close();
  rmSync(folder.path, { recursive: true });
});

/** Nothing of what a proxy reads is other than before. */
function expectUntouched(): void {
  expect(current("ca.pem")).toBe(Buffer.from(good.certificates).toString());
  expect(current("lists.pem")).toBe(Buffer.from(good.lists).toString());
  expect(gate.health()).toMatchObject({ generation: 1, inForce: { generation: 1 } });
}

describe("while Suido is away", () => {
  it("keeps what is in force for as long as the lists live, and takes up what comes then", async () => {
    await server.close();
    for (const days of [0.1, 3.4]) {
      now = at(days);
      await gate.cycle(signal);
      expectUntouched();
      expect(gate.health()).toMatchObject({ ok: true, lastError: { code: "unreachable" } });
    }
    gate = started();
    for (const days of [3.6, 6.99]) {
      now = at(days);
      await gate.cycle(signal);
      expectUntouched();
      expect(gate.health()).toMatchObject({
        ok: false,
        findings: [
          expect.stringContaining('of "Suido Test Root G1" is older than half of its life'),
          expect.stringContaining('of "Suido Test Issuing G1" is older than half of its life'),
        ],
      });
    }
    now = at(7.01);
    await gate.cycle(signal);
    expectUntouched();
    expect(gate.health().findings.join()).toContain("has ended at");
    await server.listen();
    server.bundles = bundlesOf(101n, 7);
    await gate.cycle(signal);
    expect(gate.health()).toMatchObject({ ok: true, generation: 2, inForce: { generation: 2 } });
    expect(current("lists.pem")).toBe(Buffer.from(server.bundles.lists).toString());
  });

  it("asks again after 1, 2, 4 and then every 5 minutes, a little sooner or later", async () => {
    await server.close();
    const pauses: number[] = [];
    for (let round = 0; round < 5; round++) pauses.push((await gate.cycle(signal)) / 60_000);
    expect(pauses).toEqual([0.9, 1.8, 3.6, 4.5, 4.5]);
    dice = 255;
    expect((await gate.cycle(signal)) / 60_000).toBe(5.5);
    expect(said.filter((line) => line.includes("gives no answer"))).toHaveLength(1);
    await server.listen();
    expect(await gate.cycle(signal)).toBe(1.1 * INTERVAL);
    expect(said.at(-1)).toBe("info: Suido is heard again");
  });
});

describe("a poisoned list changes nothing", () => {
  const rootList = made.list(root, { number: 101n });
  const next = made.list(issuing, { number: 101n });
  const broken = Buffer.from(next);
  broken[broken.length - 1] = (broken.at(-1) ?? 0) ^ 1;
  const truncated = listsPem(rootList, next);

  it.for([
    { name: "older", code: "list-older", list: made.list(issuing, { number: 99n }) },
    { name: "foreign", code: "list-foreign", list: made.list(createRoot("P-256")) },
    {
      name: "expired",
      code: "list-expired",
      list: made.list(issuing, { number: 101n, nextUpdate: made.ago(1_000) }),
    },
    { name: "delta", code: "list-delta", list: made.delta(issuing) },
    { name: "without a signature", code: "list-malformed", list: made.tbs(issuing) },
    { name: "with a wrong signature", code: "list-signature", list: broken },
  ])("$name: $code", async ({ code, list }) => {
    server.bundles = { ...good, lists: listsPem(rootList, list) };
    await gate.cycle(signal);
    expectUntouched();
    expect(gate.health()).toMatchObject({ ok: true, lastError: { code } });
    expect(gate.succeeded).toBe(false);
  });

  it.for([
    { where: "within a list", octets: truncated.length - 100, code: "malformed-pem" },
    { where: "between two", octets: listsPem(rootList).length, code: "list-missing" },
    { where: "at once", octets: 0, code: "malformed-pem" },
  ])("truncated $where: $code", async ({ code, octets }) => {
    server.bundles = { ...good, lists: truncated.subarray(0, octets) };
    await gate.cycle(signal);
    expectUntouched();
    expect(gate.health()).toMatchObject({ ok: true, lastError: { code } });
  });
});

it("never installs a CA without its list: both come together, or nothing does", async () => {
  const second = createIssuing(root);
  const whole = bundlesOf(101n, 0, [root, issuing, second]);
  const { certificates } = whole;
  for (const { lists } of [bundlesOf(101n, 0), good]) {
    server.bundles = { certificates, lists };
    await gate.cycle(signal);
    expectUntouched();
    expect(gate.health()).toMatchObject({ lastError: { code: "list-missing" } });
  }
  server.bundles = whole;
  await gate.cycle(signal);
  expect(gate.health()).toMatchObject({ generation: 2, lists: [{}, {}, {}] });
  expect(gate.health().lastError).toBeUndefined();
  expect(current("ca.pem")).toContain(certificatesPem(second.certificate).toString());
  expect(current("lists.pem")).toBe(Buffer.from(whole.lists).toString());
});
