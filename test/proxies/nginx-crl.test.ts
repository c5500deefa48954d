import { readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";

import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { BundleMaker, BundleServer, listsPem } from "../support/bundles.ts";
import type { GateProcess } from "../support/gate-process.ts";
import { nginxPlan, nginxReloads } from "../support/nginx-plan.ts";
import {
  acceptedBy,
  pageOf,
  Proxy,
  type ProxyPlan,
  REFUSED,
  talk,
  VERSIONS,
} from "../support/proxy.ts";
import { type Client, ProxyClients } from "../support/proxy-clients.ts";

const RECIPE = "deploy/nginx/crl.conf";

let clients: ProxyClients;
let nginx: Proxy;
let gate: GateProcess;

interface Pair {
  readonly proxy: Proxy;
  readonly gate: GateProcess;
}

async function prepared(more: Partial<ProxyPlan> = {}): Promise<Pair> {
  const words = { PRODUCT_URL: clients.productUrl };
  const proxy = await Proxy.prepare(nginxPlan(RECIPE, words, more));
  return { proxy, gate: await clients.gate(proxy.folder) };
}

/** As the head of the recipe says: `--once` before nginx first starts. */
async function started(more: Partial<ProxyPlan> = {}): Promise<Pair> {
  const pair = await prepared(more);
  expect(await pair.gate.once()).toMatchObject({ code: 0 });
  await pair.proxy.start();
  return pair;
}

/** What is published now, in force at the proxy. */
async function takeLists({ gate: own, proxy }: Pair): Promise<void> {
  own.forgetReload();
  await proxy.untilNewWorkers(async () => {
    expect(await own.once(...nginxReloads(proxy))).toMatchObject({ code: 0 });
  });
}

beforeAll(async () => {
  clients = await ProxyClients.open();
  ({ proxy: nginx, gate } = await started());
});

afterAll(async () => {
  await gate.dispose();
  await nginx.dispose();
  await clients.dispose();
});

it("accepts a good certificate, and tells the product whose it is whatever the client says", async () => {
  const good = clients.get("good");
  const told = acceptedBy(await nginx.get(good, "--header", "X-Client-Serial: 00"));
  expect(told).toMatchObject({
    "x-client-serial": good?.serialNumber.toUpperCase(),
    "x-client-verify": "SUCCESS",
  });
  const serial = String(told["x-client-serial"]).toLowerCase();
  const { deviceId, pharmacyId } = clients.world;
  expect((await clients.service.call("GET", `/v1/status/${serial}`)).body).toMatchObject({
    status: "good",
    device: { id: deviceId },
    pharmacy: { id: pharmacyId },
  });
});

it.for(REFUSED)("gives who comes with $name the page $page", async ({ name, page }) => {
  expect(pageOf(await nginx.get(clients.get(name)))).toBe(`403 ${page}`);
});

/** The recipe with a session cache. */
const careless = (recipe: string): string =>
  recipe.replace(/ssl_session_cache +off;/, "ssl_session_cache shared:tls:1m;");

it("takes up no session of before the revocation, as it would with a cache", async () => {
  const pairs = [{ proxy: nginx, gate }, await started({ edit: careless })];
  const leaver = await clients.issue("leaver");
  const held = await clients.issue("to be released");
  const sessions = pairs.flatMap(({ proxy }) =>
    VERSIONS.map((version) => ({ proxy, version, file: proxy.file(`${version}.session`) })),
  );
  for (const session of sessions)
    expect(await talk(session.proxy.port, leaver, session)).toMatchObject({ status: 200 });
  await clients.service.revoke(held.serialNumber, "certificateHold");
  await clients.revoke(leaver);
  for (const pair of pairs) await takeLists(pair);
  const after = await Promise.all(
    sessions.map((session) => talk(session.proxy.port, leaver, session)),
  );
  expect(after.map(({ isReused, status }) => [status, isReused])).toEqual([
    [403, false],
    [403, false],
    [200, true],
    [200, true],
  ]);
  for (const { proxy } of pairs) expect(pageOf(await proxy.get(leaver))).toBe("403 revoked");
  expect(pageOf(await nginx.get(held))).toBe("403 revoked");
  await pairs[1]?.proxy.dispose();
});

describe("suido gate beside nginx", () => {
  it("brings revocations and releases into force while it runs", { timeout: 120_000 }, async () => {
    const leaver = await clients.issue("seen by the gate");
    const released = clients.get("to be released");
    expect(await nginx.get(leaver)).toMatchObject({ status: 200 });
    gate.forgetReload();
    gate.start("--interval", "1", ...nginxReloads(nginx));
    await clients.service.unhold(released?.serialNumber ?? "");
    await clients.revoke(leaver);
    // A moment as a rule. A minute where a list came in between the two, which was worth a reload of its own.
    await expect
      .poll(async () => pageOf(await nginx.get(leaver)), { timeout: 90_000 })
      .toBe("403 revoked");
    await expect.poll(() => nginx.get(released)).toMatchObject({ status: 200 });
    expect(await gate.stop()).toBe(0);
  });

  it("lets Suido say who is dead here: only once nginx has taken it over", async () => {
    const { service } = clients;
    const party = { name: "counter", product: "musubi", uses: ["file"] };
    await service.must("POST", "/v1/relying-parties", { body: party });
    const words = ["api-key", "create", "--role", "proxy", "--relying-party", "counter"];
    const { key } = await service.command<{ key: string }>(...words);
    writeFileSync(nginx.file("key"), key, { mode: 0o600 });
    const telling = ["--app", service.instance.urls.app, "--key-file", nginx.file("key")];
    const leaver = await clients.issue("to be dead everywhere");
    await clients.revoke(leaver);
    const address = `/v1/certificates/${leaver.serialNumber}/propagation`;
    const propagation = async (): Promise<unknown> => (await service.call("GET", address)).body;
    const living = { everywhere: false, parties: [{ name: "counter", enforced: false }] };

    gate.forgetReload();
    expect(await gate.once(...telling, "--reload", "/bin/false")).toMatchObject({ code: 1 });
    expect(await propagation()).toMatchObject(living);
    expect(await nginx.get(leaver)).toMatchObject({ status: 200 });

    gate.forgetReload();
    await nginx.untilNewWorkers(async () => {
      expect(await gate.once(...telling, ...nginxReloads(nginx))).toMatchObject({ code: 0 });
    });
    expect(await propagation()).toMatchObject({
      everywhere: true,
      parties: [{ name: "counter", enforced: true, since: expect.any(String) as string }],
    });
    expect(pageOf(await nginx.get(leaver))).toBe("403 revoked");
  });

  it("lets nothing through that would shut everybody out, or let anybody in", async () => {
    const certificates = await clients.service.published("ca/bundle.pem");
    const old = readFileSync(gate.file("current", "lists.pem"));
    await clients.revoke(await clients.issue("one more"));
    await takeLists({ proxy: nginx, gate });
    const lists = await clients.service.published("crl/bundle.pem");
    const stranger = new BundleMaker(new Date());
    const poisons = {
      "list-older": old,
      "list-missing": lists.subarray(0, lists.indexOf("-----BEGIN", 10)),
      "malformed-pem": lists.subarray(0, -200),
      "list-foreign": Buffer.concat([lists, listsPem(stranger.list(stranger.root))]),
    };
    const server = await BundleServer.open({ certificates, lists });
    try {
      for (const [code, poison] of Object.entries(poisons)) {
        server.bundles = { certificates, lists: poison };
        const ended = await gate.once("--json", "--va", server.url);
        expect([ended.code, JSON.parse(ended.stdout)]).toMatchObject([1, { lastError: { code } }]);
      }
    } finally {
      await server.close();
    }
    // An operator's own reload finds what was there before.
    await nginx.untilNewWorkers(() => nginx.signal("SIGHUP"));
    expect(await nginx.get(clients.get("good"))).toMatchObject({ status: 200 });
    expect(pageOf(await nginx.get(clients.get("one more")))).toBe("403 revoked");
  });

  it("counts nothing as in force that nginx itself does not take", async () => {
    const file = nginx.file("server.pem");
    rmSync(nginx.file("state.json"));
    renameSync(file, `${file}.away`);
    const ended = await gate.once("--json", ...nginxReloads(nginx));
    renameSync(`${file}.away`, file);
    expect(ended.code).toBe(1);
    expect(JSON.parse(ended.stdout)).toMatchObject({
      findings: ["nothing is in force yet"],
      lastError: { code: "reload-failed", message: expect.stringContaining(file) as string },
    });
    await takeLists({ proxy: nginx, gate });
    expect(gate.health()).toMatchObject({ ok: true, inForce: { by: "proxy" } });
  });
});

it("lets who has a list in hand go on while the clock is 8 s behind", async () => {
  const { proxy } = await started({ prefix: ["faketime", "-f", "-8s"] });
  try {
    const fresh: Client = await clients.issue("new");
    expect(await proxy.get(fresh)).toMatchObject({ status: 200 });
  } finally {
    await proxy.dispose();
  }
});

it("works on while the lists live", async () => {
  const { proxy } = await started({ prefix: ["faketime", "-f", "+6d"] });
  try {
    expect(await proxy.get(clients.get("good"))).toMatchObject({ status: 200 });
    expect(pageOf(await proxy.get(clients.get("revoked")))).toBe("403 revoked");
  } finally {
    await proxy.dispose();
  }
});

it("gives everybody the page other when the lists have expired", async () => {
  const { proxy } = await started({ prefix: ["faketime", "-f", "+8d"] });
  try {
    expect(pageOf(await proxy.get(clients.get("good")))).toBe("403 other");
  } finally {
    await proxy.dispose();
  }
});

it("gives everybody the page other when one list is missing", async () => {
  const { proxy } = await prepared();
  try {
    await clients.layOutWithoutRootList(proxy.folder);
    await proxy.start();
    expect(pageOf(await proxy.get(clients.get("good")))).toBe("403 other");
  } finally {
    await proxy.dispose();
  }
});

it("does not start without the lists", async () => {
  const { proxy } = await prepared();
  try {
    const { code, text } = await proxy.refuseToStart();
    expect(code).not.toBe(0);
    expect(text).toContain("ca.pem");
  } finally {
    await proxy.dispose();
  }
});

it("works on while Suido is away", async () => {
  await clients.service.stop();
  const before = statSync(gate.file("current", "lists.pem")).mtimeMs;
  const { code, stdout } = await gate.once("--json");
  expect(code).toBe(1);
  expect(JSON.parse(stdout)).toMatchObject({ ok: true, lastError: { code: "unreachable" } });
  expect(statSync(gate.file("current", "lists.pem")).mtimeMs).toBe(before);
  await nginx.untilNewWorkers(() => nginx.signal("SIGHUP"));
  expect(await nginx.get(clients.get("good"))).toMatchObject({ status: 200 });
  expect(pageOf(await nginx.get(clients.get("revoked")))).toBe("403 revoked");
});
