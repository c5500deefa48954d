import { X509Certificate } from "node:crypto";
import { readFileSync, rmSync, writeFileSync } from "node:fs";

import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { acceptedBy, Proxy, type ProxyPlan, talk, VERSIONS } from "../support/proxy.ts";
import { type Client, ProxyClients } from "../support/proxy-clients.ts";
import { eventually } from "../support/service.ts";
import { stunnelPlan } from "../support/stunnel-plan.ts";

let clients: ProxyClients;

const CRL = "deploy/stunnel/crl.conf";
const OCSP = "deploy/stunnel/ocsp.conf";

const prepared = (recipe: string, more: Partial<ProxyPlan> = {}): Promise<Proxy> =>
  Proxy.prepare(stunnelPlan(recipe, { PRODUCT: new URL(clients.productUrl).host }, more));

/** As the recipes' heads say: `suido gate --once` before stunnel first starts. */
async function started(recipe: string, more: Partial<ProxyPlan> = {}): Promise<Proxy> {
  const proxy = await prepared(recipe, more);
  const gate = await clients.gate(proxy.folder, "--leave-out-revoked");
  expect(await gate.once()).toMatchObject({ code: 0 });
  await proxy.start();
  return proxy;
}

/** What is published now, in force at stunnel, which is not told when it is read: until the leaver is refused. */
async function takeLists(proxy: Proxy, leaver: Client): Promise<void> {
  const gate = await clients.gate(proxy.folder, "--leave-out-revoked");
  const reload = ["--reload", `/bin/kill -HUP ${proxy.pid}`];
  expect(await gate.once(...reload)).toMatchObject({ code: 0 });
  await eventually(
    () => proxy.get(leaver),
    ({ status }) => status === 0,
  );
}

beforeAll(async () => {
  clients = await ProxyClients.open();
});

afterAll(() => clients.dispose());

/** As curl words the alerts by which it breaks off a handshake (RFC 8446 §6.2). */
const ALERTS = [
  { name: "revoked", alert: "alert certificate revoked" },
  { name: "held", alert: "alert certificate revoked" },
  { name: "expired", alert: "SSL certificate verification failed" },
  { name: "foreign", alert: "alert unknown ca" },
  { name: "none", alert: "alert handshake failure" },
] as const;

/** The recipes, each with what brings a revocation into force. */
const RECIPES = [
  { recipe: CRL, takeOver: takeLists },
  { recipe: OCSP, takeOver: () => undefined },
] as const;

describe.for(RECIPES)("$recipe", ({ recipe, takeOver }) => {
  let stunnel: Proxy;

  beforeAll(async () => {
    stunnel = await started(recipe);
  });
  afterAll(() => stunnel.dispose());

  it("accepts a good certificate", async () => {
    const told = acceptedBy(await stunnel.get(clients.get("good")));
    expect(told).toMatchObject({ host: `localhost:${stunnel.port}` });
  });

  it.for(ALERTS)("breaks off the handshake of who comes with $name", async ({ name, alert }) => {
    expect(await stunnel.get(clients.get(name))).toMatchObject({ status: 0 });
    // In TLS 1.2 the alert comes before anything else; in 1.3 it races with the request.
    const { said } = await stunnel.get(clients.get(name), "--tls-max", "1.2");
    expect(said).toContain(alert);
  });

  it("takes up no session of before the revocation", async () => {
    const leaver = await clients.issue("leaver");
    const sessions = VERSIONS.map((version) => ({
      version,
      file: stunnel.file(`${version}.session`),
    }));
    for (const session of sessions)
      expect(await talk(stunnel.port, leaver, session)).toMatchObject({ status: 200 });
    await clients.revoke(leaver);
    await takeOver(stunnel, leaver);
    for (const session of sessions) {
      const again = await talk(stunnel.port, leaver, session);
      expect(again).toMatchObject({ status: 0 });
      expect(again.text).toContain("alert certificate revoked");
    }
  });
});

/** The recipe without its lines against resumed sessions. */
const careless = (recipe: string): string =>
  recipe.replace("sessionResume = no", "").replace("options = NO_TICKET", "");

it("would take up a session of before the revocation, without our lines", async () => {
  const proxy = await started(OCSP, { edit: careless });
  try {
    const leaver = await clients.issue("leaver");
    const sessions = VERSIONS.map((version) => ({
      version,
      file: proxy.file(`${version}.session`),
    }));
    for (const session of sessions) await talk(proxy.port, leaver, session);
    await clients.revoke(leaver);
    for (const session of sessions)
      expect(await talk(proxy.port, leaver, session)).toMatchObject({
        status: 200,
        isReused: true,
      });
  } finally {
    await proxy.dispose();
  }
});

it("works on while the lists live", async () => {
  const proxy = await started(CRL, { prefix: ["faketime", "-f", "+6d"] });
  try {
    expect(await proxy.get(clients.get("good"))).toMatchObject({ status: 200 });
    expect(await proxy.get(clients.get("revoked"))).toMatchObject({ status: 0 });
  } finally {
    await proxy.dispose();
  }
});

it("refuses everybody when the lists have expired", async () => {
  const proxy = await started(CRL, { prefix: ["faketime", "-f", "+8d"] });
  try {
    expect(await proxy.get(clients.get("good"))).toMatchObject({ status: 0 });
    expect(proxy.said()).toContain("CRL has expired");
  } finally {
    await proxy.dispose();
  }
});

it("refuses everybody when the list of their CA is missing", async () => {
  const proxy = await prepared(CRL);
  try {
    await clients.layOut(proxy.folder);
    const file = proxy.file("current/lists.pem");
    const [rootList = ""] = readFileSync(file, "utf8").split(/^(?=-----BEGIN)/m);
    writeFileSync(file, rootList);
    await proxy.start();
    expect(await proxy.get(clients.get("good"))).toMatchObject({ status: 0 });
    expect(proxy.said()).toContain("unable to get certificate CRL");
  } finally {
    await proxy.dispose();
  }
});

describe("a revoked CA", () => {
  it("is known to stunnel only because gate leaves it out", { timeout: 90_000 }, async () => {
    const own = await ProxyClients.open();
    const plan = stunnelPlan(CRL, { PRODUCT: new URL(own.productUrl).host });
    const proxy = await Proxy.prepare(plan);
    try {
      const words = ["--reason", "keyCompromise", "--by", "Suzuki,Tanaka"];
      await own.service.command("ca", "revoke", "issuing-g1", ...words);
      const [, ca = ""] = readFileSync(own.get("good")?.cert ?? "", "utf8").split(
        /^(?=-----BEGIN)/m,
      );
      await own.untilListed(new X509Certificate(ca).serialNumber);
      const gate = await own.gate(proxy.folder);
      expect(await gate.once()).toMatchObject({ code: 0 });
      await proxy.start();
      expect(await proxy.get(own.get("good"))).toMatchObject({ status: 200 });
      const reload = ["--reload", `/bin/kill -HUP ${proxy.pid}`];
      expect(await gate.once("--leave-out-revoked", ...reload)).toMatchObject({ code: 0 });
      await expect.poll(() => proxy.get(own.get("good"))).toMatchObject({ status: 0 });
    } finally {
      await proxy.dispose();
      await own.dispose();
    }
  });
});

it("does not start without the lists", async () => {
  const proxy = await prepared(CRL);
  try {
    await clients.layOut(proxy.folder);
    rmSync(proxy.file("current/lists.pem"));
    expect((await proxy.refuseToStart()).code).not.toBe(0);
  } finally {
    await proxy.dispose();
  }
});

it("refuses everybody while the responder is away, and only then", async () => {
  const [lists, ocsp] = await Promise.all([started(CRL), started(OCSP)]);
  try {
    await clients.service.stop();
    expect(await ocsp.get(clients.get("good"))).toMatchObject({ status: 0 });
    expect(await lists.get(clients.get("good"))).toMatchObject({ status: 200 });
  } finally {
    await Promise.all([lists.dispose(), ocsp.dispose()]);
  }
});
