import { fork } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import path from "node:path";
import { pino } from "pino";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { checkInvariants } from "../../../src/ca/invariants.ts";
import { type ForkedSigner, forkSigner } from "../../../src/ca/signer-fork.ts";
import type { SignerSettings } from "../../../src/ca/signer-process.ts";
import type { Serial } from "../../../src/pki/serial.ts";
import { describeSignerClient } from "../../support/signer-client-contract.ts";
import { caConfig, system, TestCa, TIME_ZONE, VA_URL } from "../../support/signer.ts";

const ENTRY = new URL("../../../src/cli/signer.ts", import.meta.url);

async function until(condition: () => Promise<boolean>): Promise<void> {
  for (let i = 0; i < 100; i++) {
    if (await condition()) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error("it did not come to that");
}

describe("the signer in a process of its own", () => {
  let ca: TestCa;
  let signer: ForkedSigner;
  let settings: SignerSettings;

  beforeAll(async () => {
    ca = await TestCa.create();
    settings = {
      databaseUrl: ca.fresh.url,
      journalFolder: ca.journalFolder,
      keyFolder: path.join(ca.folder, "forked-keys"),
      kekFile: path.join(ca.folder, "forked-kek"),
      mayMakeKek: true,
      mayMakeCa: true,
      mayKeepRoot: true,
      vaFolder: path.join(ca.folder, "va"),
      vaUrl: VA_URL,
      trustDomain: "suido.test",
      timeZone: TIME_ZONE,
      hierarchy: caConfig.hierarchy,
      profiles: [...caConfig.profiles.values()],
    };
    signer = await forkSigner({ entry: ENTRY, settings, log: pino({ level: "silent" }) });
  });
  afterAll(async () => {
    await signer.close();
    await ca.drop();
  });

  describeSignerClient("over a fork's channel", () => ({ ca, signer }));

  it("is small", () => {
    const status = readFileSync(`/proc/${signer.pid}/status`, "utf8");
    expect(Number(/VmRSS:\s+(\d+)/.exec(status)?.[1])).toBeLessThan(140 * 1024);
  });
  it("ends when its parent is gone", async () => {
    const orphan = fork(ENTRY, [], { serialization: "advanced" });
    await once(orphan, "spawn");
    orphan.disconnect();
    expect(await once(orphan, "exit")).toEqual([0, null]);
  });
  it("refuses a second signer on the same journal and says why", async () => {
    const second = forkSigner({ entry: ENTRY, settings, log: pino({ level: "silent" }) });
    await expect(second).rejects.toThrow("another signer is working with the journal");
  });
  it("rejects what waits when the child is killed, and is back by itself", async () => {
    const { pid } = signer;
    const serials: Serial[] = await ca.reserveMany(20);
    const waiting = signer.issue(serials);
    process.kill(pid ?? 0, "SIGKILL");
    await expect(waiting).rejects.toMatchObject({ code: "signer-unavailable" });
    await expect(signer.status()).rejects.toMatchObject({ code: "signer-unavailable" });
    await until(async () => (await signer.status().catch(() => undefined))?.state === "ready");
    expect(signer.pid).not.toBe(pid);
    for (const serial of serials)
      expect(["good", "abandoned"]).toContain((await ca.row(serial)).state);
    const serial = await ca.reserve();
    expect(await signer.issue([serial])).toEqual([{ serial, outcome: "good" }]);
  });

  it("killed again and again under load, loses nothing that it confirmed and signs nothing twice", async () => {
    const confirmed = new Set<Serial>();
    const revoked = new Set<Serial>();
    const over = new AbortController();
    const client = async (): Promise<void> => {
      while (!over.signal.aborted) {
        const serial = await ca.reserve();
        const [outcome] = await signer.issue([serial]).catch(() => []);
        if (outcome?.outcome !== "good") {
          await new Promise((resolve) => setTimeout(resolve, 20));
          continue;
        }
        confirmed.add(serial);
        if (confirmed.size % 3 > 0) continue;
        const seq = await ca.stop(serial, 4);
        await signer.journal(seq).then(
          () => revoked.add(serial),
          () => undefined,
        );
      }
    };
    const clients = Array.from({ length: 8 }, client);
    for (let kill = 0; kill < 4; kill++) {
      const before = confirmed.size;
      await until(async () => confirmed.size > before + 20);
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 50));
      process.kill(signer.pid ?? 0, "SIGKILL");
    }
    await until(async () => (await signer.status().catch(() => undefined))?.state === "ready");
    over.abort();
    await Promise.all(clients);
    await signer.journal(await ca.lastChange());
    expect(confirmed.size).toBeGreaterThan(80);
    for (const serial of confirmed) {
      expect((await ca.row(serial)).state).toMatch(
        revoked.has(serial) ? /^revoked$/ : /^good$|^revoked$/,
      );
    }
    const now = new Date(ca.clock().getTime() + 120_000);
    const report = await checkInvariants({
      database: ca.database,
      journalFolder: ca.journalFolder,
      now,
      digest: system.digest,
      scope: { verify: system.verify },
    });
    expect(report.faults).toEqual([]);
    expect(report.checked.certificates).toBeGreaterThanOrEqual(confirmed.size);
  }, 60_000);
});
