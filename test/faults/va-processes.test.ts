import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import { pino } from "pino";
import { afterAll, beforeAll, expect, it } from "vitest";

import { type Instance, runSuido, startInstance } from "../../src/cli/instance.ts";
import { type Embedded, startEmbedded } from "../../src/storage/embedded.ts";
import { processTree, signalAll, untilGone } from "../support/process-tree.ts";
import { eventually, type Issued, sentencesOf, Service, type World } from "../support/service.ts";
import { lineToEach, requestAbout, VaLine } from "../support/va-lines.ts";

const COUNT = 3;

const dataDir = mkdtempSync(path.join(tmpdir(), "suido-processes-postgres-"));
const log = pino({ level: "silent" });

let server: Embedded;
let service: Service;
let world: World;
let good: Issued;
let va: Instance;
let signer: Instance;

const start = (roles: string, env: Readonly<Record<string, string>> = {}): Promise<Instance> =>
  startInstance({ dataDir: service.dataDir, env: { ...service.env, ...env }, roles });

beforeAll(async () => {
  server = await startEmbedded({ dataDir, log });
  service = await Service.prepare({
    DATABASE_URL: server.url,
    SUIDO_LOG_LEVEL: "error",
    SUIDO_VA_PROCESSES: String(COUNT),
  });
  [va, signer] = await Promise.all([start("va"), start("signer"), service.start({}, "app,worker")]);
  await service.makeKey();
  world = await service.world();
  await isReady();
  good = await service.issue(world);
});

afterAll(async () => {
  for (const instance of [va, signer]) await instance.stop();
  await service.stop();
  await service.dispose();
  await server.stop();
  rmSync(dataDir, { recursive: true, force: true });
});

const about = ({ serialNumber, chain }: Issued): Uint8Array =>
  requestAbout(serialNumber, chain[0] ?? "");

/** What readiness says; undefined where the connection was one of a process that died. */
const ready = async (): Promise<string | undefined> => {
  try {
    return await (await fetch(`${service.vaUrl}/health/ready`)).text();
  } catch {
    return undefined;
  }
};
const isReady = (): Promise<unknown> =>
  eventually(ready, (text) => text?.startsWith('{"ready":true') === true);

const figure = async (name: string): Promise<number> => {
  const text = await (await fetch(`${service.vaUrl}/metrics`)).text();
  const line = text.split("\n").find((each) => each.startsWith(`${name} `));
  return Number(line?.split(" ")[1]);
};

/** The processes beside the first. */
function others(): number[] {
  return processTree(va.child.pid ?? 0).filter((pid) =>
    readFileSync(`/proc/${pid}/cmdline`, "utf8").includes("va-process.ts"),
  );
}

it("each answers with a delegate of its own, and tells of all", async () => {
  const lines = await lineToEach(service.vaUrl, about(good), COUNT);
  for (const line of lines.values()) line.close();
  const kept = readdirSync(path.join(service.dataDir, "va"), { recursive: true })
    .map(String)
    .filter((name) => name.includes("delegate-issuing"));
  expect(kept.toSorted()).toEqual([
    "2/delegate-issuing-g1.json",
    "3/delegate-issuing-g1.json",
    "delegate-issuing-g1.json",
  ]);
  expect(await figure("suido_va_processes_ready")).toBe(COUNT);
  // Whichever process is asked: all of them were, once at least.
  await eventually(
    () => figure('suido_ocsp_answers_total{outcome="good"}'),
    (count) => count >= COUNT,
  );
});

it("each says revoked within a second of the API's answer", async () => {
  const lines = await lineToEach(service.vaUrl, about(good), COUNT);
  const issued = await service.issue(world);
  await service.revoke(issued.serialNumber);
  const answered = performance.now();
  for (const line of lines.values()) {
    await eventually(
      () => line.ask(about(issued)),
      ({ status }) => status === "revoked",
      1_000,
    );
    line.close();
  }
  expect(performance.now() - answered).toBeLessThan(1_000);
});

it("a second Suido does not creep in beside them", async () => {
  const { code, stderr } = await runSuido(["serve", "--role", "va"], {
    ...service.env,
    SUIDO_DATA_DIR: path.join(service.dataDir, "another"),
  });
  expect(code).toBe(1);
  expect(sentencesOf(stderr)).toEqual([
    expect.stringMatching(
      /SUIDO_VA_LISTEN is .* but something else listens there already/,
    ) as string,
  ]);
});

it("one that dies is said to, and starts again: from the disk while database and signer are away", async () => {
  const before = await lineToEach(service.vaUrl, about(good), COUNT);
  for (const line of before.values()) line.close();
  const counted = await figure('suido_ocsp_answers_total{outcome="good"}');
  await server.stop();
  const signers = processTree(signer.child.pid ?? 0);
  signalAll(signers, "SIGKILL");
  await untilGone(signers);
  const dead = others();
  signalAll(dead, "SIGKILL");
  await untilGone(dead);
  const said = await eventually(ready, (text) => text?.startsWith('{"ready":true') === false);
  expect(said).toContain("process 2: it is starting, process 3: it is starting");
  await isReady();
  const after = await lineToEach(service.vaUrl, about(good), COUNT);
  expect([...after.keys()].toSorted()).toEqual([...before.keys()].toSorted());
  for (const line of after.values()) {
    expect((await line.ask(about(good))).status).toBe("good");
    line.close();
  }
  expect(await figure('suido_ocsp_answers_total{outcome="good"}')).toBeGreaterThanOrEqual(counted);
  expect(others().filter((pid) => dead.includes(pid))).toEqual([]);

  server = await startEmbedded({ dataDir, log });
  signer = await start("signer");
  const next = await eventually(
    () => service.issue(world).catch(() => undefined),
    (issued) => issued !== undefined,
  );
  expect(next).toBeDefined();
});

/** Asks again and again over one connection, until an answer ends it; gives what failed. */
async function load(): Promise<unknown[]> {
  const line = new VaLine(service.vaUrl);
  const failed: unknown[] = [];
  for (;;) {
    try {
      const { status, connection } = await line.ask(about(good));
      if (status !== "good") failed.push(status);
      if (connection === "close") break;
    } catch (error) {
      failed.push(error);
      break;
    }
  }
  line.close();
  return failed;
}

it("a stop ends every connection with an answer", async () => {
  const loads = Array.from({ length: 24 }, load);
  await sleep(500);
  const all = processTree(va.child.pid ?? 0);
  const stopped = va.stop();
  const failed = (await Promise.all(loads)).flat();
  expect(failed).toEqual([]);
  expect(await stopped).toBe(0);
  await untilGone(all, 1);
  va = await start("va");
});

it("none outlives the first, however that one ends", async () => {
  await isReady();
  const pids = others();
  expect(pids).toHaveLength(COUNT - 1);
  signalAll([va.child.pid ?? 0], "SIGKILL");
  await untilGone(pids);
  va = await start("va");
});
