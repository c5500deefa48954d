import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import { pino } from "pino";
import { afterAll, beforeAll, expect, it } from "vitest";

import { type Instance, startInstance } from "../../src/cli/instance.ts";
import { type Embedded, startEmbedded } from "../../src/storage/embedded.ts";
import { processTree, signalAll, untilGone } from "../support/process-tree.ts";
import { RelyingParty } from "../support/relying-party.ts";
import { eventually, type Issued, Service, type World } from "../support/service.ts";

/** How long the database is away, in seconds: `SUIDO_TEST_OUTAGE=120` is the two minutes that we promise to survive. */
const OUTAGE_SECONDS = Number(process.env["SUIDO_TEST_OUTAGE"] ?? 8);

const dataDir = mkdtempSync(path.join(tmpdir(), "suido-outage-postgres-"));
const log = pino({ level: "silent" });

let server: Embedded;
let service: Service;
let world: World;
let party: RelyingParty;
let good: Issued;
let revoked: Issued;
let va: Instance;
const others: Instance[] = [];
let proxyKey = "";

const start = (roles: string): Promise<Instance> =>
  startInstance({ dataDir: service.dataDir, env: service.env, roles });

beforeAll(async () => {
  server = await startEmbedded({ dataDir, log });
  service = await Service.prepare({ DATABASE_URL: server.url, SUIDO_LOG_LEVEL: "error" });
  const [own, signer] = await Promise.all([
    start("va"),
    start("signer"),
    service.start({}, "app,worker"),
  ]);
  va = own;
  others.push(signer);
  await service.makeKey();
  world = await service.world();
  await eventually(
    async () => (await fetch(`${service.vaUrl}/health/ready`)).status,
    (status) => status === 200,
  );
  const proxy = { name: "proxy-1", product: "records", uses: ["authorize"] };
  await service.must("POST", "/v1/relying-parties", { body: proxy });
  const words = ["api-key", "create", "--role", "proxy", "--relying-party", proxy.name];
  proxyKey = (await service.command<{ key: string }>(...words)).key;
  party = await RelyingParty.open(service);
  [good, revoked] = [await service.issue(world), await service.issue(world)];
  await service.revoke(revoked.serialNumber);
  await service.command("crl", "publish");
  await eventually(
    () => party.verify(revoked),
    ({ text }) => text.includes("certificate revoked"),
  );
});

afterAll(async () => {
  party.dispose();
  for (const instance of [va, ...others]) await instance.stop();
  await service.stop();
  await service.dispose();
  await server.stop();
  rmSync(dataDir, { recursive: true, force: true });
});

/** What a proxy that asks at each request is told, with the certificate as nginx spells it. */
async function authorized({ certificate }: Issued): Promise<string> {
  const asked = await fetch(`${service.instance.urls.app}/v1/authorize`, {
    headers: {
      authorization: `Bearer ${proxyKey}`,
      "x-ssl-client-cert": encodeURIComponent(certificate),
    },
  });
  const { deviceId, type } = (await asked.json()) as { deviceId?: string; type?: string };
  return `${asked.status} ${deviceId ?? type}`;
}

/** What relying parties are told of both certificates: by OCSP, by the lists, and at each request. */
async function told(): Promise<string[]> {
  const lists = [await party.verify(good), await party.verify(revoked)];
  return [
    await party.ocsp(good),
    await party.ocsp(revoked),
    ...lists.map(({ code, text }) => /certificate revoked/.exec(text)?.[0] ?? String(code)),
    await authorized(good),
    await authorized(revoked),
  ];
}

const asEver = (): string[] => [
  "good",
  "revoked",
  "0",
  "certificate revoked",
  `200 ${world.deviceId}`,
  "403 /problems/certificate-revoked",
];

/** Asks for so long, and returns every answer that was not as ever. */
async function watch(seconds: number): Promise<string[][]> {
  const strange: string[][] = [];
  const until = performance.now() + seconds * 1_000;
  while (performance.now() < until) {
    const now = await told();
    if (now.join() !== asEver().join()) strange.push(now);
    await sleep(100);
  }
  return strange;
}

it(
  `the database is away for ${OUTAGE_SECONDS} s and the VA is started anew meanwhile, twice: OCSP, lists and authorize answer as ever, and no revocation is lost`,
  { timeout: 60_000 + OUTAGE_SECONDS * 2_000 },
  async () => {
    const third = OUTAGE_SECONDS / 3;
    await server.stop();
    expect(await watch(third)).toEqual([]);
    // An ordinary stop, and a start from what lies on the disk.
    expect(await va.stop()).toBe(0);
    va = await start("va");
    expect(await watch(third)).toEqual([]);
    // And one without any warning.
    const all = processTree(va.child.pid ?? 0);
    signalAll(all, "SIGKILL");
    await untilGone(all);
    va = await start("va");
    expect(await watch(third)).toEqual([]);
    // What cannot be kept is refused, not promised.
    const route = `/v1/certificates/${good.serialNumber}/revoke`;
    const refused = await service.call("POST", route, { body: { reason: "superseded" } });
    expect(refused).toMatchObject({
      status: 503,
      body: { type: "/problems/database-unavailable" },
    });

    server = await startEmbedded({ dataDir, log });
    const next = await eventually(
      () => service.issue(world).catch(() => undefined),
      (issued) => issued !== undefined,
    );
    if (next === undefined) throw new Error("nothing is issued");
    expect(await told()).toEqual(asEver());
    expect(await party.ocsp(next)).toBe("good");
    await service.revoke(next.serialNumber);
    await eventually(
      () => party.ocsp(next),
      (status) => status === "revoked",
      2_000,
    );
    await eventually(
      () => authorized(next),
      (answer) => answer === asEver().at(-1),
      2_000,
    );
    await service.checkInvariants();
  },
);
