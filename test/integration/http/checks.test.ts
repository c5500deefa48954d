import { randomUUID } from "node:crypto";

import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";

import { forgetChecks } from "../../../src/lifecycle/checks.ts";
import { openDatabase } from "../../../src/storage/database.ts";
import { NOW } from "../ca/app-side.ts";
import { type CheckWorld, openCheckWorld } from "./check-world.ts";
import { CHECK_URL, type Tenant } from "./world.ts";

let world: CheckWorld;
let tenant: Tenant;
let count = 0;

beforeAll(async () => {
  world = await openCheckWorld();
});
beforeEach(async () => {
  world.side.time.now = NOW;
  tenant = await world.tenant(`薬局${(count += 1)}`);
});
afterAll(() => world.close());

const matching = (pattern: RegExp): unknown => expect.stringMatching(pattern);

it("is a fresh address of 128 bits for each call, for ten minutes, of which the hash is kept", async () => {
  const { serialNumber } = await world.issue(tenant);
  const answer = await world.call("POST", `/v1/certificates/${serialNumber}/checks`);
  expect(answer).toMatchObject({
    status: 201,
    body: {
      url: matching(/^https:\/\/[0-9a-f]{32}\.check\.localhost:8443\/$/),
      expiresAt: "2026-11-21T03:10:00.000Z",
    },
  });
  const { url, id } = answer.body as unknown as { url: string; id: string };
  expect((await world.check(serialNumber)).url).not.toBe(url);
  const [row] = await world.side.admin.query(
    "select * from app.certificate_check c join app.audit a on a.subject = 'check/' || c.id where c.id = $1",
    [id],
  );
  expect(row).toMatchObject({ action: "check.created", detail: { serialNumber } });
  const [nonce = ""] = new URL(url).hostname.split(".");
  expect(JSON.stringify(row)).not.toContain(nonce);
  expect(JSON.stringify(row)).not.toContain(Buffer.from(nonce).toString("hex"));
});

it("serves nothing else at that host, and no check at any other", async () => {
  const device = await world.issue(tenant);
  const { url } = await world.check(device.serialNumber);
  const elsewhere = [
    `${url}favicon.ico`,
    url.replace(".check.", ".check.check."),
    url.replace(".check.localhost", ".localhost"),
    url.replace(".check.localhost", ".check.localhost.example.jp"),
    url.replace("//", "//a."),
    CHECK_URL,
  ];
  for (const place of elsewhere) {
    const reply = await world.visit(place, { client: device });
    expect(reply.status).toBe(404);
    expect(reply.text).toContain("/problems/no-such-route");
  }
  expect(await world.visit(url, { client: device, method: "POST" })).toMatchObject({ status: 405 });
  expect(await world.told(device.serialNumber)).toEqual([]);
  // A name is the same in any case, and with the dot at its end (RFC 4343, RFC 1034 §3.1).
  const host = `${new URL(url).hostname.toUpperCase()}.:8443`;
  const reply = await world.visit(url, { client: device, headers: { host } });
  expect(JSON.parse(reply.text)).toMatchObject({ outcome: "proven" });
});

it("is made by staff, and by a product for the corporation of its key only", async () => {
  const { serialNumber } = await world.issue(tenant);
  const other = await world.tenant("よその薬局");
  for (const role of ["admin", "operator", "support"] as const)
    await world.check(serialNumber, { key: world.keys[role] });
  await world.check(serialNumber, await world.newKey("product", tenant.corporationId));
  const before = await world.counts();
  const refused = [
    { key: world.keys.product, status: 403 },
    { key: world.keys.auditor, status: 403 },
    { key: world.keys.proxy, status: 403 },
    { key: (await world.newKey("product", other.corporationId)).key, status: 404 },
    { key: (await world.newKey("support", other.corporationId)).key, status: 404 },
  ];
  for (const { key, status } of refused) {
    const answer = await world.call("POST", `/v1/certificates/${serialNumber}/checks`, { key });
    expect(answer.status).toBe(status);
  }
  expect(await world.counts()).toMatchObject({
    "app.certificate_check": before["app.certificate_check"],
    "app.audit": String(Number(before["app.audit"]) + 2),
  });
});

it("answers a browser with a page of its language that loads and runs nothing", async () => {
  const device = await world.issue(tenant);
  const { url } = await world.check(device.serialNumber);
  const headers = { accept: "text/html,*/*;q=0.8", "accept-language": "ja" };
  const reply = await world.visit(url, { client: device, headers });
  expect(reply).toMatchObject({
    status: 200,
    headers: {
      "content-type": "text/html; charset=utf-8",
      "cache-control": "no-store",
      "referrer-policy": "no-referrer",
    },
  });
  expect(String(reply.headers["content-security-policy"])).toMatch(
    /^default-src 'none'; style-src 'sha256-[^']+'; img-src data:;/,
  );
  expect(reply.text).toContain("2027年12月");
  expect(reply.text).toContain('href="tel:0120000000"');
  expect(reply.text).not.toMatch(/<script|\son\w+=|\sstyle=/);
  const english = await world.visit(`${url}?lang=en`, { client: device, headers });
  expect(english.text).toContain('<html lang="en">');
});

it("writes no nonce into its log", async () => {
  const device = await world.issue(tenant);
  const { url } = await world.check(device.serialNumber);
  world.logged.length = 0;
  await world.outcome(url, device);
  await world.visit(`${url}nope`, { client: device });
  expect(world.logged.length).toBeGreaterThan(0);
  expect(world.logged.join("")).not.toContain(new URL(url).hostname.split(".")[0]);
});

it("is forgotten a day after its end, and its proof is not", async () => {
  const device = await world.issue(tenant);
  const { url, id } = await world.check(device.serialNumber);
  const { provenAt: before } = await world.outcome(url, device);
  const worker = openDatabase({
    url: world.url,
    role: "suido_worker",
    max: 1,
    applicationName: "test",
  });
  const isThere = async (): Promise<boolean> =>
    (await world.side.admin.query("select from app.certificate_check where id = $1", [id])).length >
    0;
  await forgetChecks(worker, new Date(NOW.getTime() + 24 * 3_600_000));
  expect(await isThere()).toBe(true);
  await forgetChecks(worker, new Date(NOW.getTime() + 25 * 3_600_000));
  expect(await isThere()).toBe(false);
  await worker.close();
  expect(await world.provenAt(device.serialNumber)).toBe(before);
});

it("is the same check at a new address when it is asked for again with its key", async () => {
  const device = await world.issue(tenant);
  const idempotencyKey = randomUUID();
  const first = await world.check(device.serialNumber, { idempotencyKey });
  const again = await world.check(device.serialNumber, { idempotencyKey });
  expect(again).toEqual({ ...first, url: matching(/check/) });
  expect(again.url).not.toBe(first.url);
  expect(await world.outcome(first.url, device)).toEqual({ outcome: "ended" });
  expect(await world.outcome(again.url, device)).toMatchObject({ outcome: "proven" });
  const kept = await world.side.admin.query<{ body: object }>(
    "select body from app.idempotency where key = $1",
    [idempotencyKey],
  );
  expect(kept).toEqual([{ body: { id: first.id, expiresAt: "2026-11-21T03:10:00.000Z" } }]);
  const actions = await world.side.admin.query<{ action: string }>(
    "select action from app.audit where subject = $1 order by at, id",
    [`check/${first.id}`],
  );
  expect(new Set(actions.map(({ action }) => action))).toEqual(
    new Set(["check.created", "check.moved"]),
  );
});
