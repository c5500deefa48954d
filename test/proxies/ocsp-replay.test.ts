import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";

import { freePorts } from "../../src/cli/instance.ts";
import { apachePlan } from "../support/apache-plan.ts";
import { nginxPlan } from "../support/nginx-plan.ts";
import { Proxy, type ProxyPlan } from "../support/proxy.ts";
import { ProxyClients } from "../support/proxy-clients.ts";
import { ReplayingResponder } from "../support/replaying-responder.ts";
import { stunnelPlan } from "../support/stunnel-plan.ts";

/** Somebody between proxy and Suido who says again what was true before (RFC 9654 §2). */

let clients: ProxyClients;
let responder: ReplayingResponder;

beforeAll(async () => {
  const [port = 0] = await freePorts(1);
  const va = `127.0.0.1:${port}`;
  responder = await ReplayingResponder.open(`http://${va}`);
  // The responder's address stands in certificates; Suido itself listens behind it.
  clients = await ProxyClients.open({ SUIDO_VA_URL: responder.url, SUIDO_VA_LISTEN: va });
});

afterAll(async () => {
  await clients.dispose();
  await responder.close();
});

beforeEach(() => {
  responder.isReplaying = false;
});

async function started(plan: ProxyPlan): Promise<Proxy> {
  const { host } = new URL(clients.productUrl);
  const words = { ...plan.words, PRODUCT_URL: clients.productUrl, PRODUCT: host };
  const proxy = await Proxy.prepare({ ...plan, words });
  await clients.layOut(proxy.folder);
  await proxy.start();
  return proxy;
}

const APACHE = "deploy/apache/ocsp.conf";
const STUNNEL = "deploy/stunnel/ocsp.conf";

/** The recipes without their nonce. */
const withoutNonce = (recipe: string): string =>
  recipe
    .replace("SSLOCSPUseRequestNonce on", "SSLOCSPUseRequestNonce off")
    .replace(/^OCSPnonce = yes$/m, "OCSPnonce = no");

/** Status of who is let in, was revoked since, and comes with the answer of before. */
async function comesBack(proxy: Proxy): Promise<number> {
  const leaver = await clients.issue("leaver");
  expect(await proxy.get(leaver)).toMatchObject({ status: 200 });
  await clients.stop(leaver);
  const { replayed } = responder;
  responder.isReplaying = true;
  const { status } = await proxy.get(leaver);
  expect(responder.replayed).toBeGreaterThan(replayed);
  responder.isReplaying = false;
  expect(await proxy.get(leaver)).not.toMatchObject({ status: 200 });
  return status;
}

describe("an answer of before the revocation, said again,", () => {
  it.for([
    { name: "is refused by Apache httpd", plan: apachePlan(APACHE, {}), status: 0 },
    {
      name: "would let in at Apache httpd without the nonce",
      plan: apachePlan(APACHE, {}, { edit: withoutNonce }),
      status: 200,
    },
    { name: "is refused by stunnel", plan: stunnelPlan(STUNNEL, {}), status: 0 },
    {
      name: "would let in at stunnel without the nonce",
      plan: stunnelPlan(STUNNEL, {}, { edit: withoutNonce }),
      status: 200,
    },
    {
      name: "lets in at nginx, which knows no nonce",
      plan: nginxPlan("deploy/nginx/ocsp.conf", {}),
      status: 200,
    },
  ])("$name", async ({ plan, status }) => {
    const proxy = await started(plan);
    try {
      expect(await comesBack(proxy)).toBe(status);
    } finally {
      await proxy.dispose();
    }
  });
});
