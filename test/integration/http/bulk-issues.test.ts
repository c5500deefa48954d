import { execFileSync } from "node:child_process";
import { X509Certificate } from "node:crypto";

import { Registry } from "prom-client";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";

import type { BulkBundle } from "../../../src/ca/bulk-collect.ts";
import { registerBulkMetrics } from "../../../src/ca/bulk-metrics.ts";
import type { BulkIssue, BulkIssueLine } from "../../../src/ca/bulk-issue.ts";
import { makeDeviceKey } from "../../support/service.ts";
import { type HttpWorld, openHttpWorld, type Tenant } from "./world.ts";

let world: HttpWorld;
let tenant: Tenant;
let other: Tenant;
beforeAll(async () => {
  world = await openHttpWorld();
  tenant = await world.tenant("甲薬局");
  other = await world.tenant("乙薬局");
});
beforeEach(() => {
  world.side.signer.isAway = false;
});
afterAll(() => world.close());

interface Item {
  readonly accountId: string;
  readonly deviceId: string;
  readonly csr: string;
}

const itemOf = ({ accountId, deviceId }: Tenant): Item => ({
  accountId,
  deviceId,
  csr: makeDeviceKey().csr,
});
const itemsOf = (count: number): Item[] => Array.from({ length: count }, () => itemOf(tenant));

async function post(
  items: readonly object[],
  {
    idempotencyKey,
    key,
    ...more
  }: { idempotencyKey?: string; key?: string; profile?: string } = {},
) {
  const answer = await world.call("POST", "/v1/bulk-issues", {
    body: { corporationId: tenant.corporationId, items, ...more },
    ...(idempotencyKey !== undefined && { idempotencyKey }),
    ...(key !== undefined && { key }),
  });
  return { ...answer, body: answer.body as unknown as BulkIssue };
}

/** What OpenSSL finds in a PKCS#12 file. */
function openBundle(data: string, password: string): string {
  const args = ["pkcs12", "-nodes", "-passin", `pass:${password}`];
  return execFileSync("openssl", args, {
    input: Buffer.from(data, "base64"),
    encoding: "utf8",
    stdio: ["pipe", "pipe", "ignore"],
  });
}

async function look(id: string): Promise<BulkIssue> {
  return (await world.call("GET", `/v1/bulk-issues/${id}`)).body as unknown as BulkIssue;
}

async function report(id: string, accept = "application/x-ndjson"): Promise<BulkIssueLine[]> {
  const { body, headers, statusCode } = await world.app.inject({
    url: `/v1/bulk-issues/${id}/report`,
    headers: { authorization: `Bearer ${world.keys.auditor}`, accept },
  });
  expect({ statusCode, type: headers["content-type"] }).toEqual({
    statusCode: 200,
    type: "application/x-ndjson",
  });
  return body
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as BulkIssueLine);
}

it("takes many with 202, issues each, and reports them in the order of the request", async () => {
  const items = itemsOf(450);
  const taken = await post(items);
  expect(taken).toMatchObject({
    status: 202,
    headers: { location: `/v1/bulk-issues/${taken.body.id}` },
    body: { state: "waiting", total: 450, issued: 0, failed: 0, profile: "device-client" },
  });
  const { id } = taken.body;
  expect((await report(id)).map(({ state }) => state)).toEqual(items.map(() => "waiting"));
  await world.side.workOnBulkIssues();
  expect(await look(id)).toMatchObject({ state: "ended", issued: 450, failed: 0 });
  const lines = await report(id, "*/*");
  expect(lines.map(({ place }) => place)).toEqual(items.map((_, place) => place));
  expect(new Set(lines.map(({ serialNumber }) => serialNumber)).size).toBe(450);
  const [first] = lines;
  const { publicKey, serialNumber } = new X509Certificate(first?.certificate ?? "");
  expect(serialNumber.toLowerCase()).toBe(first?.serialNumber);
  expect(publicKey.asymmetricKeyType).toBe("ec");
  const one = await world.call("GET", `/v1/certificates/${first?.serialNumber}`);
  expect(one.body).toMatchObject({ status: "good", deviceId: tenant.deviceId });
  const actions = await world.side.admin.query(
    "select actor, action, detail from app.audit where subject = $1 order by at, action desc",
    [`bulk-issue/${id}`],
  );
  expect(actions).toMatchObject([
    { action: "bulk-issue.requested", detail: { profile: "device-client", total: 450 } },
    { actor: "worker", action: "bulk-issue.ended", detail: { issued: 450, failed: 0 } },
  ]);
  const page = await world.call("GET", "/v1/bulk-issues", { key: world.keys.operator });
  expect(page.body.items).toMatchObject([{ id }]);
});

it("is taken once for each Idempotency-Key", async () => {
  const items = itemsOf(2);
  const first = await post(items, { idempotencyKey: "a" });
  const again = await post(items, { idempotencyKey: "a" });
  expect(again).toMatchObject({
    status: 202,
    headers: { "idempotency-replayed": "true" },
    body: { id: first.body.id },
  });
  expect(await post(itemsOf(1), { idempotencyKey: "a" })).toMatchObject({
    status: 422,
    body: { type: "/problems/idempotency-key-reused" },
  });
});

describe("takes all or none", () => {
  it("names each fault by its place", async () => {
    const before = await world.counts();
    const [a, b, c, d] = itemsOf(4);
    const wrong = [
      a,
      { ...b, csr: "-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----" },
      { ...c, csr: a?.csr },
      d,
    ];
    expect(await post(wrong as Item[])).toMatchObject({
      status: 422,
      body: {
        type: "/problems/bulk-refused",
        detail: "nothing was taken: 2 faults in it",
        errors: [
          { field: "items[1].csr" },
          { field: "items[2].csr", detail: "has the same key as items[0].csr" },
        ],
      },
    });
    const outside = [a, { ...b, deviceId: other.deviceId }, { ...c, accountId: other.accountId }];
    expect(await post(outside as Item[])).toMatchObject({
      status: 422,
      body: {
        errors: [
          { field: "items[1].deviceId", detail: "there is no such device" },
          { field: "items[2].accountId", detail: "there is no such account" },
        ],
      },
    });
    expect(await world.counts()).toEqual(before);
  });

  it.for<[string, () => object, number, string]>([
    ["no items", () => ({ items: [] }), 400, "items"],
    [
      "a member that nobody knows",
      () => ({ items: [{ ...itemOf(tenant), key: "" }] }),
      400,
      "items[0].key",
    ],
    ["a profile that is none", () => ({ profile: "root" }), 422, "profile"],
    ["no corporation", () => ({ corporationId: undefined }), 400, "corporationId"],
    ["another's corporation", () => ({ corporationId: crypto.randomUUID() }), 404, "corporationId"],
  ])("and refuses %s", async ([, change, status, field]) => {
    const body = { corporationId: tenant.corporationId, items: itemsOf(1), ...change() };
    const answer = await world.call("POST", "/v1/bulk-issues", { body });
    expect(answer).toMatchObject({ status });
    expect((answer.body as unknown as { errors: { field: string }[] }).errors).toContainEqual(
      expect.objectContaining({ field }),
    );
  });

  it("with a key whose role may", async () => {
    for (const role of ["support", "auditor", "product", "proxy"] as const)
      expect(await post(itemsOf(1), { key: world.keys[role] })).toMatchObject({ status: 403 });
  });
});

async function collect(id: string, body?: object): Promise<BulkBundle[]> {
  const answer = await world.app.inject({
    method: "POST",
    url: `/v1/bulk-issues/${id}/collect`,
    headers: { authorization: `Bearer ${world.keys.operator}` },
    ...(body !== undefined && { payload: body }),
  });
  expect(answer.statusCode).toBe(200);
  expect(answer.headers["cache-control"]).toBe("no-store");
  return answer.body
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as BulkBundle);
}

const statesOf = async (id: string) => (await report(id)).map(({ state }) => state);

const preparedItem = ({ accountId, deviceId }: Tenant): object => ({ accountId, deviceId });

describe("without a csr", () => {
  it("bundles are made when they are collected, and given once", async () => {
    const items = [
      preparedItem(tenant),
      itemOf(tenant),
      preparedItem(tenant),
      preparedItem(tenant),
    ];
    const { body } = await post(items);
    expect(body).toMatchObject({ total: 4, uncollected: 3 });
    await world.side.workOnBulkIssues();
    expect(await look(body.id)).toMatchObject({ state: "running", issued: 1, uncollected: 3 });
    const first = await collect(body.id, { limit: 2 });
    expect(first).toMatchObject([{ place: 0 }, { place: 2 }]);
    expect(await look(body.id)).toMatchObject({ issued: 3, uncollected: 1 });
    const rest = await collect(body.id);
    expect(rest).toMatchObject([{ place: 3 }]);
    expect(await collect(body.id)).toEqual([]);
    await world.side.workOnBulkIssues();
    expect(await look(body.id)).toMatchObject({ state: "ended", issued: 4, uncollected: 0 });
    const bundles = [...first, ...rest].map((line) => ("pkcs12" in line ? line.pkcs12 : undefined));
    expect(new Set(bundles.map((bundle) => bundle?.password)).size).toBe(3);
    const opened = openBundle(bundles[0]?.data ?? "", bundles[0]?.password ?? "");
    const [line] = await report(body.id);
    expect(opened).toContain(line?.certificate?.trim().split("\n")[1]);
    expect(opened).toContain("PRIVATE KEY");
  });

  it("two who collect at once get each bundle once", async () => {
    const { body } = await post(Array.from({ length: 6 }, () => preparedItem(tenant)));
    const both = await Promise.all([collect(body.id), collect(body.id)]);
    const places = both.flat().map(({ place }) => place);
    expect(places.toSorted((a, b) => a - b)).toEqual([0, 1, 2, 3, 4, 5]);
    expect(await look(body.id)).toMatchObject({ issued: 6, uncollected: 0 });
  });

  it("a signer that is away is told before anything is sent, and nothing is lost", async () => {
    const { body } = await post([preparedItem(tenant)]);
    world.side.signer.isAway = true;
    const answer = await world.call("POST", `/v1/bulk-issues/${body.id}/collect`, { body: {} });
    expect(answer).toMatchObject({ status: 503, body: { type: "/problems/signer-unavailable" } });
    world.side.signer.isAway = false;
    expect(await collect(body.id)).toMatchObject([{ place: 0 }]);
  });
});

describe("whose bundles nobody collects", () => {
  const DAY_MS = 86_400_000;

  it("waits for 30 days, and then they have failed", async () => {
    const began = world.side.time.now;
    const { body } = await post(Array.from({ length: 250 }, () => preparedItem(tenant)));
    expect(await collect(body.id, { limit: 1 })).toHaveLength(1);
    try {
      world.side.time.now = new Date(began.getTime() + 29 * DAY_MS);
      await world.side.workOnBulkIssues();
      expect(await look(body.id)).toMatchObject({ state: "running", failed: 0, uncollected: 249 });
      world.side.time.now = new Date(began.getTime() + 31 * DAY_MS);
      await world.side.workOnBulkIssues();
    } finally {
      world.side.time.now = began;
    }
    const ended = await look(body.id);
    expect(ended).toMatchObject({ state: "ended", issued: 1, failed: 249, uncollected: 0 });
    expect((await report(body.id)).at(-1)).toMatchObject({ problem: "not-collected" });
    expect(await collect(body.id)).toEqual([]);
  });
});

describe("while it works", () => {
  it("what a single request would be refused for fails alone, with its problem", async () => {
    const second = await world.tenant("丙薬局");
    const items = [itemOf(second), itemOf(second)];
    const { body } = await world.call("POST", "/v1/bulk-issues", {
      body: { corporationId: second.corporationId, items },
    });
    // Between the request and its turn somebody else uses the key of the second one.
    const taken = await world.call("POST", "/v1/certificates", {
      body: { ...itemOf(tenant), csr: items[1]?.csr },
    });
    expect(taken.status).toBe(201);
    await world.side.workOnBulkIssues();
    expect(await look(body.id)).toMatchObject({ state: "ended", issued: 1, failed: 1 });
    expect(await report(body.id)).toMatchObject([
      { state: "issued" },
      { state: "failed", problem: "key-in-use" },
    ]);
  });

  it("a certificate that would break a rule fails, with what it broke", async () => {
    const { body } = await post(itemsOf(1), { profile: "device-other" });
    await world.side.workOnBulkIssues();
    expect(await look(body.id)).toMatchObject({ state: "ended", failed: 1 });
    const [line] = await report(body.id);
    expect(line).toMatchObject({ state: "failed", problem: "lint-failed" });
    expect(line?.detail).not.toBe("");
  });

  it("a signer that is away holds it up, and it goes on by itself", async () => {
    const { body } = await post(itemsOf(3));
    const registry = new Registry();
    registerBulkMetrics(registry, world.side.admin);
    world.side.signer.isAway = true;
    await world.side.workOnBulkIssues();
    expect(await registry.metrics()).toMatch(/^suido_bulk_issues_open [1-9]/m);
    expect(await look(body.id)).toMatchObject({
      state: "running",
      issued: 0,
      heldUpBy: "signer-unavailable",
    });
    world.side.signer.isAway = false;
    await world.side.workOnBulkIssues();
    const ended = await look(body.id);
    expect(ended).toMatchObject({ state: "ended", issued: 3 });
    expect(ended).not.toHaveProperty("heldUpBy");
  });

  it("what holds up one holds up the others, which reserve nothing meanwhile", async () => {
    const { body: first } = await post(itemsOf(2));
    // They are taken in the order of their ids, which is that of milliseconds.
    world.side.time.now = new Date(world.side.time.now.getTime() + 1);
    const { body: second } = await post(itemsOf(2));
    world.side.signer.isAway = true;
    await world.side.workOnBulkIssues();
    await world.side.workOnBulkIssues();
    expect(await statesOf(first.id)).toEqual(["reserved", "reserved"]);
    expect(await statesOf(second.id)).toEqual(["waiting", "waiting"]);
    expect(await look(second.id)).toMatchObject({ heldUpBy: "signer-unavailable" });
    world.side.signer.isAway = false;
    await world.side.workOnBulkIssues();
    expect(await look(first.id)).toMatchObject({ state: "ended", issued: 2 });
    expect(await look(second.id)).toMatchObject({ state: "ended", issued: 2 });
  });

  it("two workers at once issue each certificate once", async () => {
    const { body } = await post(itemsOf(450));
    const before = await world.counts();
    await Promise.all([world.side.workOnBulkIssues(), world.side.workOnBulkIssues()]);
    await world.side.workOnBulkIssues();
    expect(await look(body.id)).toMatchObject({ state: "ended", issued: 450, failed: 0 });
    const after = await world.counts();
    expect(Number(after["ca.issued"]) - Number(before["ca.issued"])).toBe(450);
  });
});
