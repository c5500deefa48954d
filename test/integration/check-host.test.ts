import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import { request } from "node:https";
import { json } from "node:stream/consumers";

import { afterAll, beforeAll, expect, it } from "vitest";

import { type Issued, Service } from "../support/service.ts";

let service: Service;

beforeAll(async () => {
  service = await Service.open({ SUIDO_CHECK_URL: "https://check.suido.test" });
});
afterAll(() => service.dispose());

/** As a device does whose DNS leads there: it believes the CA's root, and nothing else. */
async function visit(url: string, { certificate, privateKey, chain }: Issued): Promise<unknown> {
  const { hostname, port } = new URL(service.instance.urls.mtls);
  const host = new URL(url).hostname;
  const sent = request({
    host: hostname,
    port,
    servername: host,
    headers: { host },
    ca: chain.at(-1) ?? "",
    cert: certificate,
    key: privateKey,
    agent: false,
  });
  sent.end();
  const [response] = (await once(sent, "response")) as [IncomingMessage];
  return json(response);
}

it("proves at a host name of the site's, which its own certificate is for", async () => {
  const device = await service.issue(await service.world());
  const checks = `/v1/certificates/${device.serialNumber}/checks`;
  const { url } = await service.must<{ url: string }>("POST", checks);
  expect(url).toMatch(/^https:\/\/[0-9a-f]{32}\.check\.suido\.test\/$/);
  expect(await visit(url, device)).toMatchObject({
    outcome: "proven",
    serialNumber: device.serialNumber,
    deviceName: "受付1号機",
  });
  expect(await service.status(device.serialNumber)).toHaveProperty("provenAt");
  // Once it is revoked, the next check says so, and the proof stays what it was.
  await service.revoke(device.serialNumber);
  const { url: later } = await service.must<{ url: string }>("POST", checks);
  expect(await visit(later, device)).toMatchObject({ outcome: "revoked" });
  expect(await service.command("audit", "verify")).toMatchObject({ ok: true });
  await service.checkInvariants();
});
