import { randomUUID } from "node:crypto";

import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { type Body, type HttpWorld, openHttpWorld, type Tenant } from "./world.ts";

let world: HttpWorld;
let tenant: Tenant;
beforeAll(async () => {
  world = await openHttpWorld();
  tenant = await world.tenant("甲薬局");
});
afterAll(() => world.close());

/** The members that these tests read. */
type StageBody = Body & {
  readonly state: string;
  readonly from: string;
  readonly lackingCount: number;
  readonly lacking: readonly object[];
};

async function put(body: object, key?: string) {
  const answer = await world.call("PUT", "/v1/stages", {
    body: { product: "records", ...body },
    ...(key !== undefined && { key }),
  });
  return { ...answer, body: answer.body as StageBody };
}

async function confirm(id: string, key: string) {
  return world.call("POST", `/v1/stages/${id}/confirm`, { key });
}

it("is set with 200, and enforce over an unready device with 202, its name, and a second key", async () => {
  const { deviceId, pharmacyId } = tenant;
  expect(await put({ pharmacyId, stage: "warn" })).toMatchObject({
    status: 200,
    body: { stage: "warn", state: "in-force", lackingCount: 0, lacking: [] },
  });
  world.side.time.now = new Date(world.side.time.now.getTime() + 1_000);
  const waiting = await put({ pharmacyId, stage: "enforce" });
  expect(waiting).toMatchObject({
    status: 202,
    body: {
      state: "waiting",
      lackingCount: 1,
      lacking: [
        { deviceId, deviceName: "受付1号機", pharmacyName: "甲薬局", why: "no-certificate" },
      ],
    },
  });
  const { id } = waiting.body;
  expect(await confirm(id, world.keys.admin)).toMatchObject({
    status: 403,
    body: { type: "/problems/second-principal-needed" },
  });
  expect(await confirm(id, world.keys.support)).toMatchObject({ status: 403 });
  expect(await confirm(id, world.keys.operator)).toMatchObject({
    status: 200,
    body: { id, state: "in-force" },
  });
  const path = `/v1/stages?product=records&pharmacyId=${pharmacyId}`;
  const listed = await world.call("GET", path, { key: world.keys.product });
  expect(listed.body.items).toMatchObject([{ state: "past" }, { id, state: "in-force" }]);
  const one = await world.call("GET", `/v1/stages/${id}`, { key: world.keys.auditor });
  expect(one).toMatchObject({ status: 200, body: { id, lacking: [{ deviceId }] } });
});

it("is planned for a time in the future, in any zone", async () => {
  const { pharmacyId } = tenant;
  const from = "2026-12-01T09:00:00+09:00";
  expect(await put({ product: "till", pharmacyId, stage: "observe", from })).toMatchObject({
    status: 200,
    body: { state: "planned", from: "2026-12-01T00:00:00.000Z" },
  });
});

describe("is refused, and nothing is changed", () => {
  it.for<[string, object, number, string]>([
    ["without a place", {}, 422, "corporationId"],
    ["a stage that is none", { stage: "strict" }, 400, "stage"],
    ["a product in capitals", { product: "Records" }, 400, "product"],
    ["a day that is none", { from: "2027-02-30T00:00:00Z" }, 422, "from"],
    ["a time in the past", { from: "2020-01-01T00:00:00Z" }, 422, "from"],
    ["a pharmacy that is none", { pharmacyId: randomUUID() }, 404, "pharmacyId"],
    ["a member that nobody knows", { force: true }, 400, "force"],
  ])("%s", async ([name, change, status, field]) => {
    const where = name === "without a place" ? {} : { pharmacyId: tenant.pharmacyId };
    const before = await world.counts();
    expect(await put({ stage: "off", ...where, ...change })).toMatchObject({
      status,
      body: { errors: [{ field }] },
    });
    expect(await world.counts()).toEqual(before);
  });

  it("of both places at once", async () => {
    const { corporationId, pharmacyId } = tenant;
    expect(await put({ corporationId, pharmacyId, stage: "off" })).toMatchObject({ status: 422 });
  });

  it("with a key whose role may not", async () => {
    for (const role of ["support", "auditor", "product", "proxy"] as const) {
      const answer = await put({ pharmacyId: tenant.pharmacyId, stage: "off" }, world.keys[role]);
      expect(answer).toMatchObject({ status: 403 });
    }
  });
});
