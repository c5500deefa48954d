import { readFileSync, writeFileSync } from "node:fs";

import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { envoyPlan } from "../support/envoy-plan.ts";
import { listOfOtherDates } from "../support/issuing-key.ts";
import { acceptedBy, Proxy, type ProxyPlan, talk, VERSIONS } from "../support/proxy.ts";
import { type Client, ProxyClients } from "../support/proxy-clients.ts";
import { eventually } from "../support/service.ts";

let clients: ProxyClients;
let envoy: Proxy;

const prepared = (more: Partial<ProxyPlan> = {}): Promise<Proxy> =>
  Proxy.prepare(envoyPlan("deploy/envoy/crl.yaml", new URL(clients.productUrl), more));

/** As the recipe's head says: `suido gate --once` before Envoy first starts. */
async function started(more: Partial<ProxyPlan> = {}): Promise<Proxy> {
  const proxy = await prepared(more);
  const gate = await clients.gate(proxy.folder);
  expect(await gate.once()).toMatchObject({ code: 0 });
  await proxy.start();
  return proxy;
}

/** What is published now: gate tells Envoy nothing, which takes it over by itself. Until the leaver is refused. */
async function takeLists(proxy: Proxy, leaver: Client): Promise<void> {
  const gate = await clients.gate(proxy.folder);
  expect(await gate.once()).toMatchObject({ code: 0 });
  await eventually(
    () => proxy.get(leaver),
    ({ status }) => status === 0,
  );
}

beforeAll(async () => {
  clients = await ProxyClients.open();
  envoy = await started();
});

afterAll(async () => {
  await envoy.dispose();
  await clients.dispose();
});

it("accepts a good certificate, and tells the product whose it is whatever the client says", async () => {
  const good = clients.get("good");
  const told = acceptedBy(await envoy.get(good, "--header", "X-Client-Serial: 00"));
  expect(told).toMatchObject({
    "x-client-serial": good?.serialNumber,
    "x-client-verify": "SUCCESS",
  });
});

/** As curl words the alerts by which it breaks off a handshake (RFC 8446 §6.2), and what Envoy writes into its log. */
const ALERTS = [
  { name: "revoked", alert: "alert certificate revoked", log: "certificate_revoked" },
  { name: "held", alert: "alert certificate revoked", log: "certificate_revoked" },
  { name: "expired", alert: "SSL certificate verification failed", log: "certificate_has_expired" },
  { name: "foreign", alert: "alert unknown ca", log: "unable_to_get_local_issuer" },
  { name: "none", alert: "alert handshake failure", log: "PEER_DID_NOT_RETURN_A_CERTIFICATE" },
] as const;

it.for(ALERTS)("breaks off the handshake of who comes with $name", async ({ name, alert, log }) => {
  expect(await envoy.get(clients.get(name))).toMatchObject({ status: 0 });
  // In TLS 1.2 the alert comes before anything else; in 1.3 it races with the request.
  const { said } = await envoy.get(clients.get(name), "--tls-max", "1.2");
  expect(said).toContain(alert);
  await expect.poll(() => envoy.said()).toContain(log);
});

/** The recipe without its lines against resumed sessions. */
const careless = (recipe: string): string =>
  recipe.replaceAll(/^ *disable_state(?:ful|less)_session_resumption: true$/gm, "");

describe("a session", () => {
  it.for([
    { name: "is never taken up again", edit: (recipe: string) => recipe, isReused: false },
    {
      name: "would be until the next list comes, without our lines",
      edit: careless,
      isReused: true,
    },
  ])("$name", async ({ edit, isReused }) => {
    const proxy = await started({ edit });
    try {
      const leaver = await clients.issue("leaver");
      const sessions = VERSIONS.map((version) => ({
        version,
        file: proxy.file(`${version}.session`),
      }));
      for (const session of sessions) await talk(proxy.port, leaver, session);
      for (const session of sessions)
        expect(await talk(proxy.port, leaver, session)).toMatchObject({ status: 200, isReused });
      await clients.revoke(leaver);
      await takeLists(proxy, leaver);
      for (const session of sessions) {
        const after = await talk(proxy.port, leaver, session);
        expect(after).toMatchObject({ status: 0, isReused: false });
        expect(after.text).toContain("alert certificate revoked");
      }
    } finally {
      await proxy.dispose();
    }
  });
});

/** An Envoy whose issuing CA's list is of these days from now. */
async function withListOf(...days: readonly [number, number]): Promise<Proxy> {
  const proxy = await prepared();
  await clients.layOut(proxy.folder);
  const [from, to] = days.map((each) => new Date(Date.now() + each * 86_400_000));
  const lists = readFileSync(proxy.file("current/lists.pem"), "utf8");
  const rootList = lists.slice(0, lists.indexOf("-----BEGIN", 1));
  const list = await listOfOtherDates(clients.service, [from ?? new Date(), to ?? new Date()]);
  writeFileSync(proxy.file("current/lists.pem"), rootList + list);
  await proxy.start();
  return proxy;
}

it("works on while the lists live", async () => {
  const proxy = await withListOf(-6, 1);
  try {
    expect(await proxy.get(clients.get("good"))).toMatchObject({ status: 200 });
    expect(await proxy.get(clients.get("revoked"))).toMatchObject({ status: 0 });
  } finally {
    await proxy.dispose();
  }
});

it("refuses everybody when a list has expired", async () => {
  const proxy = await withListOf(-8, -1);
  try {
    expect(await proxy.get(clients.get("good"))).toMatchObject({ status: 0 });
    await expect.poll(() => proxy.said()).toContain("CRL_has_expired");
  } finally {
    await proxy.dispose();
  }
});

it("refuses everybody when one list is missing", async () => {
  const proxy = await prepared();
  try {
    await clients.layOutWithoutRootList(proxy.folder);
    await proxy.start();
    expect(await proxy.get(clients.get("good"))).toMatchObject({ status: 0 });
    await expect.poll(() => proxy.said()).toContain("unable_to_get_certificate_CRL");
  } finally {
    await proxy.dispose();
  }
});

it("closes every connection without the lists", async () => {
  const proxy = await prepared();
  try {
    await proxy.start();
    expect(await proxy.get(clients.get("good"))).toMatchObject({ status: 0 });
  } finally {
    await proxy.dispose();
  }
});
