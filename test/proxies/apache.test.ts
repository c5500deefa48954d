import { rmSync } from "node:fs";

import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { apacheCommand, apachePlan } from "../support/apache-plan.ts";
import { acceptedBy, pageOf, Proxy, type ProxyPlan, talk, VERSIONS } from "../support/proxy.ts";
import { ProxyClients } from "../support/proxy-clients.ts";

let clients: ProxyClients;

const CRL = "deploy/apache/crl.conf";
const OCSP = "deploy/apache/ocsp.conf";

const prepared = (recipe: string, more: Partial<ProxyPlan> = {}): Promise<Proxy> =>
  Proxy.prepare(apachePlan(recipe, { PRODUCT_URL: clients.productUrl }, more));

/** As the recipes' heads say: `suido gate --once` before httpd first starts. */
async function started(recipe: string, more: Partial<ProxyPlan> = {}): Promise<Proxy> {
  const proxy = await prepared(recipe, more);
  const gate = await clients.gate(proxy.folder);
  expect(await gate.once()).toMatchObject({ code: 0 });
  await proxy.start();
  return proxy;
}

/** What is published now, in force at httpd: its own check first, then what `apachectl graceful` does. */
async function takeLists(proxy: Proxy): Promise<void> {
  const gate = await clients.gate(proxy.folder);
  const file = (name: string): string => proxy.file(name);
  const reloads = [apacheCommand(file, "-t"), apacheCommand(file, "-k", "graceful")];
  await proxy.untilNewWorkers(async () => {
    const options = reloads.flatMap((words) => ["--reload", words.join(" ")]);
    expect(await gate.once(...options)).toMatchObject({ code: 0 });
  });
}

beforeAll(async () => {
  clients = await ProxyClients.open();
});

afterAll(() => clients.dispose());

/** As curl words the alerts by which httpd breaks off a handshake (RFC 8446 §6.2), and what it writes into its log. */
const ALERTS = [
  { name: "revoked", alert: "alert certificate revoked", log: "Error (23): certificate revoked" },
  { name: "held", alert: "alert certificate revoked", log: "Error (23): certificate revoked" },
  {
    name: "expired",
    alert: "SSL certificate verification failed",
    log: "Error (10): certificate has expired",
  },
  { name: "foreign", alert: "alert unknown ca", log: "Error (20): unable to get local issuer" },
] as const;

describe.for([CRL, OCSP])("%s", (recipe) => {
  let apache: Proxy;

  beforeAll(async () => {
    apache = await started(recipe);
  });
  afterAll(() => apache.dispose());

  it("accepts a good certificate, and tells the product whose it is whatever the client says", async () => {
    const good = clients.get("good");
    const told = acceptedBy(await apache.get(good, "--header", "X-Client-Serial: 00"));
    expect(told).toMatchObject({
      "x-client-serial": good?.serialNumber.toUpperCase(),
      "x-client-verify": "SUCCESS",
    });
  });

  it.for(ALERTS)(
    "breaks off the handshake of who comes with $name",
    async ({ name, alert, log }) => {
      expect(await apache.get(clients.get(name))).toMatchObject({ status: 0 });
      // In TLS 1.2 the alert comes before anything else; in 1.3 it races with the request.
      const { said } = await apache.get(clients.get(name), "--tls-max", "1.2");
      expect(said).toContain(alert);
      expect(apache.said()).toContain(log);
    },
  );

  it("gives who comes without a certificate its page, at every address", async () => {
    expect(pageOf(await apache.get(undefined))).toBe("403 none");
    expect(pageOf(await apache.get(undefined, "--request", "POST"))).toBe("403 none");
  });
});

/** The recipe without its lines against resumed sessions. */
const careless = (recipe: string): string =>
  recipe
    .replace("SSLSessionCache none", `SSLSessionCache "shmcb:@FOLDER@/sessions"`)
    .replace("SSLSessionTickets off", "");

describe("a session of before the revocation", () => {
  it.for([
    { name: "is not taken up again, with lists", recipe: CRL, takeOver: takeLists },
    { name: "is not taken up again, with OCSP", recipe: OCSP, takeOver: () => undefined },
  ])("$name", async ({ recipe, takeOver }) => {
    const proxy = await started(recipe);
    try {
      const leaver = await clients.issue("leaver");
      const sessions = VERSIONS.map((version) => ({
        version,
        file: proxy.file(`${version}.session`),
      }));
      for (const session of sessions)
        expect(await talk(proxy.port, leaver, session)).toMatchObject({ status: 200 });
      await clients.revoke(leaver);
      await takeOver(proxy);
      for (const session of sessions) {
        const again = await talk(proxy.port, leaver, session);
        expect(again).toMatchObject({ status: 0 });
        expect(again.text).toContain("alert certificate revoked");
      }
    } finally {
      await proxy.dispose();
    }
  });

  it("would be, without our lines", async () => {
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
});

describe("lists and clocks", () => {
  it("accepts a certificate of this minute while its clock is 8 s behind", async () => {
    const proxy = await started(CRL, { prefix: ["faketime", "-f", "-8s"] });
    try {
      expect(await proxy.get(await clients.issue("new"))).toMatchObject({ status: 200 });
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

  it("refuses everybody when one list is missing", async () => {
    const proxy = await prepared(CRL);
    try {
      await clients.layOutWithoutRootList(proxy.folder);
      await proxy.start();
      expect(await proxy.get(clients.get("good"))).toMatchObject({ status: 0 });
      expect(proxy.said()).toContain("unable to get certificate CRL");
    } finally {
      await proxy.dispose();
    }
  });

  it("does not start without the lists", async () => {
    const proxy = await prepared(CRL);
    try {
      await clients.layOut(proxy.folder);
      rmSync(proxy.file("current/lists.pem"));
      const { code, text } = await proxy.refuseToStart();
      expect(code).not.toBe(0);
      expect(text).toContain("lists.pem");
    } finally {
      await proxy.dispose();
    }
  });
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
