import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { nginxPlan } from "../support/nginx-plan.ts";
import { acceptedBy, pageOf, Proxy, REFUSED, talk, VERSIONS } from "../support/proxy.ts";
import { ProxyClients } from "../support/proxy-clients.ts";

let clients: ProxyClients;
let nginx: Proxy;

async function started(edit?: (recipe: string) => string): Promise<Proxy> {
  const words = { PRODUCT_URL: clients.productUrl };
  const more = edit === undefined ? {} : { edit };
  const proxy = await Proxy.prepare(nginxPlan("deploy/nginx/ocsp.conf", words, more));
  await clients.layOut(proxy.folder);
  await proxy.start();
  return proxy;
}

beforeAll(async () => {
  clients = await ProxyClients.open();
  nginx = await started();
});

afterAll(async () => {
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
});

it.for(REFUSED)("gives who comes with $name the page $page", async ({ name, page }) => {
  expect(pageOf(await nginx.get(clients.get(name)))).toBe(`403 ${page}`);
  expect(pageOf(await nginx.get(clients.get(name), "--data", "a=b"))).toBe(`403 ${page}`);
});

it("says that the page is HTML, and is to be kept by nobody", async () => {
  const { body } = await nginx.get(undefined, "--include");
  expect(body).toMatch(/^content-type: text\/html; charset=utf-8\r$/im);
  expect(body).toMatch(/^cache-control: no-store\r$/im);
});

it("refuses a device on hold until it is released", async () => {
  const client = await clients.issue("to be released");
  await clients.stop(client, "certificateHold");
  expect(pageOf(await nginx.get(client))).toBe("403 revoked");
  await clients.service.unhold(client.serialNumber);
  await expect.poll(() => nginx.get(client)).toMatchObject({ status: 200 });
});

/** The recipe without its lines against resumed sessions, and with OCSP's answers kept. */
const careless = (recipe: string): string =>
  recipe
    .replace("ssl_session_tickets off;", "ssl_ocsp_cache shared:ocsp:1m;")
    .replace(/ssl_session_cache +off;/, "ssl_session_cache shared:tls:1m;");

describe("a session of before the revocation", () => {
  it.for([
    { name: "is not taken up again", after: { status: 403, isReused: false } },
    {
      name: "would be, and let in, without our lines and with a cache of answers",
      edit: careless,
      after: { status: 200, isReused: true },
    },
  ])("$name", async ({ edit, after }) => {
    const proxy = await started(edit);
    try {
      const leaver = await clients.issue("leaver");
      const sessions = VERSIONS.map((version) => ({
        version,
        file: proxy.file(`${version}.session`),
      }));
      for (const session of sessions)
        expect(await talk(proxy.port, leaver, session)).toMatchObject({ status: 200 });
      await clients.stop(leaver);
      for (const session of sessions)
        expect(await talk(proxy.port, leaver, session)).toMatchObject(after);
    } finally {
      await proxy.dispose();
    }
  });
});

it("gives everybody the page other while the responder is away", async () => {
  await clients.service.stop();
  expect(pageOf(await nginx.get(clients.get("good")))).toBe("403 other");
});
