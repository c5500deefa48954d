import { randomUUID } from "node:crypto";

import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";

import { createSystem } from "../../../src/cli/system.ts";
import { linkHash } from "../../../src/lifecycle/enrolment-links.ts";
import { NOW } from "../ca/app-side.ts";
import { type Enrolment, type EnrolmentWorld, openEnrolmentWorld } from "./enrolment-world.ts";
import type { Call, Tenant } from "./world.ts";

let world: EnrolmentWorld;
let tenant: Tenant;
let count = 0;

beforeAll(async () => {
  world = await openEnrolmentWorld();
});
beforeEach(async () => {
  world.side.time.now = NOW;
  tenant = await world.tenant(`薬局${(count += 1)}`);
});
afterAll(() => world.close());

const later = (ms: number): void => {
  world.side.time.now = new Date(NOW.getTime() + ms);
};
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

it("is made with 201, a number of six digits, and 14 days, or 72 hours during a call", async () => {
  const { accountId, deviceId, pharmacyId, corporationId } = tenant;
  const answer = await world.call("POST", "/v1/enrolments", {
    body: { accountId, deviceId, requestedBy: "本部" },
  });
  const { id } = answer.body;
  expect(answer).toMatchObject({
    status: 201,
    headers: { location: `/v1/enrolments/${id}` },
    body: {
      state: "invited",
      accountId,
      deviceId,
      pharmacyId,
      corporationId,
      reason: "first",
      requestedBy: "本部",
      duringCall: false,
      mailed: true,
      expiresAt: new Date(NOW.getTime() + 14 * DAY_MS).toISOString(),
      supportNumber: expect.stringMatching(/^\d{6}$/) as unknown,
      link: expect.stringMatching(/^http:\/\/localhost:8000\/start\/[0-9a-f]{32}$/) as unknown,
      code: expect.stringMatching(/^[A-HJ-NP-Z2-9]{4}-[A-HJ-NP-Z2-9]{4}$/) as unknown,
    },
  });
  expect(answer.body).toMatchObject(await world.look(id));
  const call = await world.make(tenant, { duringCall: true });
  expect(call.expiresAt).toBe(new Date(NOW.getTime() + 72 * HOUR_MS).toISOString());
});

it("keeps of link and code nothing but their hashes", async () => {
  const {
    id,
    link = "",
    code = "",
  } = await world.make(tenant, {}, { idempotencyKey: randomUUID() });
  const token = link.split("/").at(-1) ?? "";
  const plain = code.replace("-", "");
  const tables = await world.side.admin.query<{ name: string }>(
    "select schemaname || '.' || tablename as name from pg_tables where schemaname in ('app', 'ca', 'party')",
  );
  for (const { name } of tables) {
    const found = await world.side.admin.query(
      `select from ${name} t where t::text like any ($1::text[])`,
      [[token, Buffer.from(token).toString("hex"), code, plain].map((text) => `%${text}%`)],
    );
    expect({ name, found }).toEqual({ name, found: [] });
  }
  const kept = await world.side.admin.query<{ sha256: Buffer }>(
    "select sha256 from app.enrolment_link where enrolment_id = $1 order by kind",
    [id],
  );
  const { digest } = createSystem();
  expect(kept.map(({ sha256 }) => sha256.toString("hex"))).toEqual(
    [
      linkHash("code", { spelling: plain, digest }),
      linkHash("link", { spelling: token, digest }),
    ].map((hash) => Buffer.from(hash).toString("hex")),
  );
});

it("hands its link to admins only, its code to whoever may issue, and neither to support", async () => {
  expect(await world.make(tenant, {}, { key: world.keys.operator })).not.toHaveProperty("link");
  expect(await world.make(tenant, {}, { key: world.keys.operator })).toHaveProperty("code");
  const mine = await world.make(tenant, {}, { key: world.keys.support });
  expect(mine).not.toHaveProperty("link");
  expect(mine).not.toHaveProperty("code");
  for (const role of ["auditor", "product", "proxy"] as const) {
    const { accountId, deviceId } = tenant;
    const body = { accountId, deviceId };
    const answer = await world.call("POST", "/v1/enrolments", { key: world.keys[role], body });
    expect(answer.status).toBe(403);
  }
  const read = await world.call("GET", `/v1/enrolments/${mine.id}`, { key: world.keys.auditor });
  expect(read.status).toBe(200);
});

it("is the same one with a fresh link when it is asked for again with its key", async () => {
  const idempotencyKey = randomUUID();
  const first = await world.make(tenant, {}, { idempotencyKey });
  const again = await world.make(tenant, {}, { idempotencyKey });
  expect({ ...again, link: "", code: "" }).toEqual({ ...first, link: "", code: "" });
  expect(again.link).not.toBe(first.link);
  expect(await world.actionsOf(first.id)).toEqual([
    "enrolment.created",
    "enrolment.handed-over",
    "enrolment.handed-over",
  ]);
  await world.call("POST", `/v1/enrolments/${first.id}/withdraw`);
  const over = await world.make(tenant, {}, { idempotencyKey });
  expect(over).not.toHaveProperty("link");
  expect(over.id).toBe(first.id);
});

it("takes the place of an open one of the same device", async () => {
  const first = await world.make(tenant);
  const second = await world.make(tenant);
  expect(await world.look(first.id)).toMatchObject({ state: "withdrawn", replacedBy: second.id });
  expect(await world.actionsOf(first.id)).toContain("enrolment.withdrawn");
  expect(await world.look(second.id)).toMatchObject({ state: "invited" });
});

it("leaves one open where ten are made at the same time", async () => {
  const made = await Promise.all(Array.from({ length: 10 }, () => world.make(tenant)));
  const { body } = await world.call("GET", `/v1/enrolments?deviceId=${tenant.deviceId}`);
  expect(body.items).toHaveLength(10);
  const open = await world.call("GET", `/v1/enrolments?deviceId=${tenant.deviceId}&state=invited`);
  expect(open.body.items).toHaveLength(1);
  expect(new Set(made.map(({ id }) => id)).size).toBe(10);
  const states = await world.side.admin.query(
    "select state, count(*)::int from app.enrolment where device_id = $1 group by 1 order by 1",
    [tenant.deviceId],
  );
  expect(states).toEqual([
    { state: "invited", count: 1 },
    { state: "withdrawn", count: 9 },
  ]);
});

it("names the field that is wrong, and then makes nothing", async () => {
  const { accountId, deviceId, corporationId } = tenant;
  const other = await world.tenant("よその法人");
  const stranger = await world.call("POST", "/v1/accounts", {
    body: { corporationId, name: "部外" },
  });
  const before = await world.counts();
  const refusals: readonly (readonly [object, number, string])[] = [
    [{ accountId, deviceId: randomUUID() }, 404, "deviceId"],
    [{ accountId: randomUUID(), deviceId }, 404, "accountId"],
    [{ accountId: other.accountId, deviceId }, 404, "accountId"],
    [{ accountId: stranger.body.id, deviceId }, 422, "accountId"],
    [{ accountId, deviceId, reason: "fun" }, 400, "reason"],
    [{ accountId, deviceId, requestedBy: "" }, 400, "requestedBy"],
    [{ accountId, deviceId, duringCall: "yes" }, 400, "duringCall"],
    [{ accountId, deviceId, state: "proven" }, 400, "state"],
    [{ accountId }, 400, "deviceId"],
  ];
  for (const [body, status, field] of refusals) {
    const answer = await world.call("POST", "/v1/enrolments", { body });
    expect(answer).toMatchObject({ status, body: { errors: [{ field }] } });
  }
  expect(await world.counts()).toEqual(before);
  await world.call("PATCH", `/v1/accounts/${accountId}`, { body: { disabled: true } });
  const disabled = await world.call("POST", "/v1/enrolments", { body: { accountId, deviceId } });
  expect(disabled).toMatchObject({ status: 409, body: { errors: [{ field: "accountId" }] } });
});

interface Several {
  readonly items: readonly Enrolment[];
}

async function several(fields: object, call: Call = {}): Promise<readonly Enrolment[]> {
  const { accountId, pharmacyId } = tenant;
  const body = { accountId, pharmacyId, count: 3, ...fields };
  const answer = await world.call("POST", "/v1/enrolments", { ...call, body });
  expect(answer.status).toBe(201);
  return (answer.body as unknown as Several).items;
}

it("is made for several machines that nobody has registered, whose links are in one mail", async () => {
  await world.sent();
  const { accountId, pharmacyId } = tenant;
  const made = await several({ reason: "replacement", requestedBy: "本部" });
  expect(new Set(made.map(({ link }) => link)).size).toBe(3);
  for (const each of made) {
    const whole = { state: "invited", accountId, pharmacyId, mailed: true, reason: "replacement" };
    expect(each).toMatchObject({ ...whole, code: expect.stringMatching(/^.{4}-.{4}$/) as unknown });
    expect(each).not.toHaveProperty("deviceId");
    expect(each).toMatchObject(await world.look(each.id));
    expect(await world.actionsOf(each.id)).toEqual(["enrolment.created", "enrolment.handed-over"]);
  }
  const [gone] = made;
  await world.call("POST", `/v1/enrolments/${gone?.id}/withdraw`);
  const [mail, ...others] = await world.sent();
  expect(others).toEqual([]);
  expect(mail?.subject).toMatch(/の端末2台に証明書を入れてください$/);
  expect(mail?.text).toContain("依頼した人: 本部\n");
  expect(mail?.text.match(/\/start\/[0-9a-f]{32}$/gm)).toHaveLength(2);
  const codes = mail?.text.match(/^\d台目: [A-HJ-NP-Z2-9]{4}-[A-HJ-NP-Z2-9]{4}$/gm) ?? [];
  expect(codes).toHaveLength(2);
  const [, code = ""] = codes[0]?.split(" ") ?? [];
  const begun = await world.app.inject({ method: "POST", url: "/start", payload: { code } });
  expect(begun.json()).toMatchObject({ state: "started" });
  expect(begun.json()).not.toHaveProperty("deviceName");
});

it("is as many again with fresh links for the same key, and hands nobody more than their role may have", async () => {
  const idempotencyKey = randomUUID();
  const first = await several({ count: 2 }, { idempotencyKey });
  const again = await several({ count: 2 }, { idempotencyKey });
  expect(again.map(({ id }) => id)).toEqual(first.map(({ id }) => id));
  expect(again[0]?.link).not.toBe(first[0]?.link);
  const [mine] = await several({ count: 1, duringCall: true }, { key: world.keys.support });
  expect(mine).not.toHaveProperty("link");
  expect(mine).not.toHaveProperty("code");
  expect(mine?.expiresAt).toBe(new Date(NOW.getTime() + 72 * HOUR_MS).toISOString());
});

it("names the field of a wrong number or pharmacy, and then makes nothing", async () => {
  const { accountId, deviceId, pharmacyId } = tenant;
  const other = await world.tenant("よその法人");
  const before = await world.counts();
  const one = { accountId, pharmacyId, count: 1 };
  const refusals: readonly (readonly [object, number, string])[] = [
    [{ ...one, count: 0 }, 400, "count"],
    [{ ...one, count: 51 }, 400, "count"],
    [{ ...one, count: 1.5 }, 400, "count"],
    [{ ...one, count: "x" }, 400, "count"],
    [{ accountId, pharmacyId }, 400, "count"],
    [{ accountId, deviceId, count: 1 }, 400, "count"],
    [{ ...one, deviceId }, 400, "pharmacyId"],
    [{ accountId, count: 1 }, 400, "deviceId"],
    [{ ...one, pharmacyId: randomUUID() }, 404, "pharmacyId"],
    [{ ...one, accountId: randomUUID() }, 404, "accountId"],
    [{ ...one, accountId: other.accountId }, 404, "accountId"],
    [{ ...one, pharmacyId: other.pharmacyId }, 404, "accountId"],
  ];
  for (const [body, status, field] of refusals) {
    const answer = await world.call("POST", "/v1/enrolments", { body });
    expect(answer).toMatchObject({ status, body: { errors: [{ field }] } });
  }
  expect(await world.counts()).toEqual(before);
});

it("is found by device, account, pharmacy, state and support number, page by page", async () => {
  const made = [await world.make(tenant), await world.make(tenant), await world.make(tenant)];
  const last = made.at(-1);
  for (const query of [
    `deviceId=${tenant.deviceId}`,
    `accountId=${tenant.accountId}`,
    `pharmacyId=${tenant.pharmacyId}`,
  ]) {
    const seen: string[] = [];
    for (let after = ""; ;) {
      const { body } = await world.call("GET", `/v1/enrolments?${query}&limit=2${after}`);
      seen.push(...body.items.map(({ id }) => id));
      if (body.nextCursor === undefined) break;
      after = `&after=${body.nextCursor}`;
    }
    expect(seen.toSorted()).toEqual(made.map(({ id }) => id).toSorted());
  }
  const byNumber = await world.call(
    "GET",
    `/v1/enrolments?state=invited&supportNumber=${last?.supportNumber}`,
  );
  expect(byNumber.body.items.map(({ id }) => id)).toEqual([last?.id]);
  const other = await world.tenant("よその法人");
  const hidden = await world.call("GET", `/v1/enrolments?supportNumber=${last?.supportNumber}`, {
    key: other.key,
  });
  expect(hidden.body.items).toEqual([]);
});

it("is withdrawn once, and not after its end", async () => {
  const { id } = await world.make(tenant);
  const path = `/v1/enrolments/${id}/withdraw`;
  const first = await world.call("POST", path, { key: world.keys.support });
  expect(first).toMatchObject({ status: 200, body: { state: "withdrawn" } });
  expect((await world.call("POST", path)).body).toEqual(first.body);
  expect(await world.actionsOf(id)).toEqual([
    "enrolment.created",
    "enrolment.handed-over",
    "enrolment.withdrawn",
  ]);
  const late = await world.make(tenant);
  later(14 * DAY_MS);
  expect(await world.call("POST", `/v1/enrolments/${late.id}/withdraw`)).toMatchObject({
    status: 409,
    body: { errors: [{ field: "id" }] },
  });
});

it("goes with a device that never had a certificate", async () => {
  const { id } = await world.make(tenant);
  expect((await world.call("DELETE", `/v1/devices/${tenant.deviceId}`)).status).toBe(204);
  expect((await world.call("GET", `/v1/enrolments/${id}`)).status).toBe(404);
});
