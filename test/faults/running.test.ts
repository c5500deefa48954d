import { mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";

import { pino } from "pino";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { type Embedded, startEmbedded } from "../../src/storage/embedded.ts";
import { mustRun } from "../support/openssl-ca.ts";
import { processTree, signalAll } from "../support/process-tree.ts";
import { RelyingParty } from "../support/relying-party.ts";
import {
  type Answer,
  eventually,
  type Issued,
  makeDeviceKey,
  sentencesOf,
  Service,
  type World,
} from "../support/service.ts";

/** After the fault is over everything works again within this time, and nobody has to do anything. */
const RECOVERY_MS = 30_000;

interface Running {
  readonly service: Service;
  readonly world: World;
  readonly party: RelyingParty;
  readonly good: Issued;
  readonly revoked: Issued;
}

async function running(env: Readonly<Record<string, string>> = {}): Promise<Running> {
  const service = await Service.open({ SUIDO_LOG_LEVEL: "error", ...env });
  const [world, party] = [await service.world(), await RelyingParty.open(service)];
  const [good, revoked] = [await service.issue(world), await service.issue(world)];
  await service.revoke(revoked.serialNumber);
  return { service, world, party, good, revoked };
}

async function end({ party, service }: Running): Promise<void> {
  party.dispose();
  await service.dispose();
}

function tryToIssue({ service, world }: Running): Promise<Answer> {
  const { accountId, deviceId } = world;
  const { csr } = makeDeviceKey();
  return service.call("POST", "/v1/certificates", { body: { accountId, deviceId, csr } });
}

/** Relying parties notice nothing: OCSP and lists go on. */
async function whatRelyingPartiesSee({ good, party, revoked }: Running): Promise<string[]> {
  const list = await party.verify(good);
  return [await party.ocsp(good), await party.ocsp(revoked), list.code === 0 ? "OK" : list.text];
}

const AS_EVER = ["good", "revoked", "OK"];

const isIssued = ({ status }: Answer): boolean => status === 201;

async function recovers(all: Running): Promise<number> {
  const began = performance.now();
  await eventually(() => tryToIssue(all), isIssued, RECOVERY_MS);
  await eventually(
    () => all.service.readiness(),
    ({ status }) => status === 200,
    RECOVERY_MS,
  );
  return performance.now() - began;
}

const honest503 = {
  status: 503,
  headers: { "retry-after": expect.stringMatching(/^\d+$/) as string },
};

describe("a PostgreSQL of the site's own", () => {
  const dataDir = mkdtempSync(path.join(tmpdir(), "suido-site-postgres-"));
  const log = pino({ level: "silent" });
  let server: Embedded;
  let all: Running;
  let opened: Running | undefined;

  beforeAll(async () => {
    server = await startEmbedded({ dataDir, log });
    opened = await running({ DATABASE_URL: server.url });
    all = opened;
  });

  afterAll(async () => {
    if (opened !== undefined) await end(opened);
    await server.stop();
    rmSync(dataDir, { recursive: true, force: true });
  });

  it("stops: writes get an honest 503, relying parties notice nothing, and it recovers by itself", async () => {
    await server.stop();
    expect(await tryToIssue(all)).toMatchObject(honest503);
    const route = `/v1/certificates/${all.good.serialNumber}/revoke`;
    const call = { body: { reason: "superseded" } };
    expect(await all.service.call("POST", route, call)).toMatchObject(honest503);
    expect(await whatRelyingPartiesSee(all)).toEqual(AS_EVER);
    server = await startEmbedded({ dataDir, log });
    expect(await recovers(all)).toBeLessThan(RECOVERY_MS);
  });

  it("hangs: no request hangs with it, relying parties notice nothing, and it recovers by itself", async () => {
    const file = path.join(dataDir, "postgres", "postmaster.pid");
    const [pid = "0"] = mustRun("head", ["-n1", file]).split("\n");
    const tree = processTree(Number(pid));
    signalAll(tree, "SIGSTOP");
    try {
      const call = { timeoutMs: 40_000 };
      const route = `/v1/certificates/${all.good.serialNumber}`;
      expect(await all.service.call("GET", route, call)).toMatchObject(honest503);
      expect(await whatRelyingPartiesSee(all)).toEqual(AS_EVER);
    } finally {
      signalAll(tree, "SIGCONT");
    }
    expect(await recovers(all)).toBeLessThan(RECOVERY_MS);
  }, 90_000);
});

describe("the embedded database and the journal", () => {
  let all: Running;

  beforeAll(async () => {
    all = await running();
  });

  afterAll(() => end(all));

  it("a journal that cannot grow stops issuing, not revoking, and goes on when there is room", async () => {
    const { service } = all;
    const folder = path.join(service.dataDir, "journal");
    const name = readdirSync(folder).find((file) => file.endsWith(".jsonl")) ?? "";
    const size = String(statSync(path.join(folder, name)).size);
    const limit = (bytes: string): string =>
      mustRun("prlimit", ["--pid", String(service.processes().signer), `--fsize=${bytes}:`]);
    limit(size);
    expect(await tryToIssue(all)).toMatchObject({ status: 503 });
    const held = await service.call("POST", `/v1/certificates/${all.good.serialNumber}/revoke`, {
      body: { reason: "certificateHold" },
    });
    expect([200, 202]).toContain(held.status);
    expect(await all.party.ocsp(all.good)).toBe("revoked");
    // A signer that was started anew meanwhile has no limit; the one from before gets its room back.
    if (service.processes().signer > 0) limit("unlimited");
    expect(await recovers(all)).toBeLessThan(RECOVERY_MS);
    await service.unhold(all.good.serialNumber);
    await service.checkInvariants();
  });

  it("without its embedded database the service ends with a sentence, for its supervisor to start it anew", async () => {
    const { output } = all.service.instance;
    signalAll([all.service.postmaster() ?? 0], "SIGKILL");
    expect(await all.service.ended()).toBe(1);
    expect(sentencesOf(output.join("\n")).at(-1)).toMatch(
      /^suido: the embedded PostgreSQL cannot run: its server ended by signal SIGKILL/,
    );
    await all.service.start();
    expect(await recovers(all)).toBeLessThan(RECOVERY_MS);
    expect(await whatRelyingPartiesSee(all)).toEqual(AS_EVER);
  });
});
