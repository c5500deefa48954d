import { rmSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { acceptedBy, Proxy, type ProxyPlan, talk, VERSIONS } from "../support/proxy.ts";
import { ProxyClients } from "../support/proxy-clients.ts";
import { eventually } from "../support/service.ts";

let clients: ProxyClients;

const CRL = "deploy/stunnel/crl.conf";
const OCSP = "deploy/stunnel/ocsp.conf";

function planOf(recipe: string, more: Partial<ProxyPlan> = {}): ProxyPlan {
  return {
    recipe,
    words: { PRODUCT: new URL(clients.productUrl).host },
    edit: (text) => `foreground = yes\npid =\n${text}`,
    command: (file) => ["/usr/bin/stunnel4", file("recipe.conf")],
    ...more,
  };
}

async function started(recipe: string, more: Partial<ProxyPlan> = {}): Promise<Proxy> {
  const proxy = await Proxy.prepare(planOf(recipe, more));
  await clients.layOut(proxy.folder);
  await proxy.start();
  return proxy;
}

/** Puts the published lists in force, and waits until stunnel says that it has read them. */
async function takeLists(proxy: Proxy): Promise<void> {
  await clients.layOut(proxy.folder);
  const readings = (): number => proxy.said().split("Configuration successful").length;
  const before = readings();
  proxy.signal("SIGHUP");
  await eventually(
    () => Promise.resolve(readings()),
    (now) => now > before,
  );
  // It says so a moment before it accepts by it.
  await sleep(100);
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

describe.for([CRL, OCSP])("%s", (recipe) => {
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
    await takeLists(stunnel);
    for (const session of sessions) {
      const again = await talk(stunnel.port, leaver, session);
      expect(again).toMatchObject({ status: 0 });
      expect(again.text).toContain("alert certificate revoked");
    }
  });
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

it("does not start without the lists", async () => {
  const proxy = await Proxy.prepare(planOf(CRL));
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
