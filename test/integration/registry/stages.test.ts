import { randomUUID } from "node:crypto";

import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";

import type { Principal } from "../../../src/registry/principal.ts";
import { createStages, type StageInput, type Stages } from "../../../src/registry/stages.ts";
import { openWorld, type Tenant, type World } from "./world.ts";

let world: World;
let stages: Stages;
let tenant: Tenant;
let second: Principal;
/** Each test speaks of a product of its own. */
let product: string;
let count = 0;

const NOT_AFTER = new Date("2028-01-01T00:00:00Z");
const BEGINNING = new Date("2026-11-21T03:00:00.123Z");
const MINUTE = 60_000;
const DAY = 86_400_000;

beforeAll(async () => {
  world = await openWorld();
  stages = createStages(world.deps);
  const { key } = await world.apiKeys.create(world.staff, { role: "operator" });
  second = await world.apiKeys.authenticate(key);
});
afterAll(() => world.close());

beforeEach(async () => {
  world.time.now = BEGINNING;
  count += 1;
  product = `product-${count}`;
  tenant = await world.tenant(`tenant${count}`);
});

const later = (ms: number): Date => new Date(world.time.now.getTime() + ms);

function put(input: Partial<StageInput> & Pick<StageInput, "stage">, by = world.staff) {
  const { pharmacyId } = tenant;
  const where = input.corporationId === undefined ? { pharmacyId } : {};
  return stages.put(by, { product, ...where, ...input });
}

async function partyOf(defaultStage: "off" | "enforce" = "off"): Promise<string> {
  const id = randomUUID();
  await world.superuser.query(
    `insert into party.relying_party (id, name, product, uses, default_stage, created_at, updated_at)
     values ($1, $4, $2, '{authorize}', $3, now(), now())`,
    [id, product, defaultStage, id],
  );
  return id;
}

/** The serial of the newest certificate of the tenant's device. */
async function serialOf({ deviceId }: Tenant): Promise<Buffer> {
  const { rows } = await world.superuser.query<{ serial: Buffer }>(
    "select serial from app.binding where device_id = $1 order by id desc limit 1",
    [deviceId],
  );
  return rows[0]?.serial ?? Buffer.alloc(0);
}

async function used(serial: Buffer, at = world.time.now): Promise<void> {
  await world.app.query("select party.record_uses($1, $2, $3)", [
    [serial],
    [await partyOf()],
    [at],
  ]);
}

async function refused(
  {
    party,
    serial = null,
    pharmacyId = null,
  }: { party: string; serial?: Buffer | null; pharmacyId?: string | null },
  at = world.time.now,
): Promise<void> {
  await world.app.query("select party.record_refusals($1, $2, $3, $4, $5, $6)", [
    [party],
    ["no-certificate"],
    [serial],
    [pharmacyId],
    [at],
    [1],
  ]);
}

/** What the VA's processes would read. */
async function inForce(at = world.time.now): Promise<unknown[]> {
  const { rows } = await world.superuser.query(
    "select stage, pharmacy_id, effective_from from party.stages($1) where product = $2 order by effective_from",
    [at, product],
  );
  return rows;
}

async function ready(of = tenant): Promise<void> {
  await world.certificate(of, "good", NOT_AFTER);
  await used(await serialOf(of));
}

describe("a stage", () => {
  it("counts at once, and later words take its place", async () => {
    const first = await put({ stage: "observe" });
    expect(first).toMatchObject({
      product,
      corporationId: tenant.corporationId,
      pharmacyId: tenant.pharmacyId,
      stage: "observe",
      from: BEGINNING,
      state: "in-force",
      proposedBy: world.staff.actor,
      lackingCount: 0,
      lacking: [],
    });
    world.time.now = later(MINUTE);
    await put({ stage: "warn" });
    expect(await inForce()).toEqual([
      { stage: "warn", pharmacy_id: tenant.pharmacyId, effective_from: world.time.now },
    ]);
    expect(await stages.get(world.staff, first.id)).toMatchObject({ state: "past" });
  });

  it("is said once, however often it is said", async () => {
    const first = await put({ stage: "observe" });
    world.time.now = later(MINUTE);
    expect(await put({ stage: "observe" })).toEqual(first);
    expect(await world.actions(`stage/${first.id}`)).toEqual(["stage.changed"]);
  });

  it("said within the same millisecond counts as the later one", async () => {
    for (const stage of ["observe", "warn", "off", "warn", "observe", "off"] as const) {
      await put({ stage });
      expect(await inForce()).toMatchObject([{ stage }]);
    }
  });

  it("counts from its time on", async () => {
    const from = later(DAY);
    await put({ stage: "observe" });
    const planned = await put({ stage: "warn", from });
    expect(planned).toMatchObject({ state: "planned", from });
    expect(await put({ stage: "warn", from })).toEqual(planned);
    expect(await inForce()).toHaveLength(2);
    world.time.now = from;
    expect(await stages.get(world.staff, planned.id)).toMatchObject({ state: "in-force" });
    expect(await inForce()).toMatchObject([{ stage: "warn" }]);
  });

  it("withdraws what was planned for later, and not what comes before", async () => {
    const soon = await put({ stage: "observe", from: later(DAY) });
    const late = await put({ stage: "warn", from: later(3 * DAY) });
    await put({ stage: "off", from: later(2 * DAY) });
    expect(await stages.get(world.staff, soon.id)).toMatchObject({ state: "planned" });
    expect(await stages.get(world.staff, late.id)).toMatchObject({ state: "withdrawn" });
    expect(await world.actions(`stage/${late.id}`)).toEqual(["stage.changed", "stage.withdrawn"]);
    expect(await inForce(later(9 * DAY))).toMatchObject([{ stage: "off" }]);
  });

  it("of the corporation leaves a pharmacy its own", async () => {
    const { corporationId, pharmacyId } = tenant;
    await put({ stage: "off" });
    await put({ stage: "warn", corporationId });
    expect(await inForce()).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ stage: "off", pharmacy_id: pharmacyId }),
        expect.objectContaining({ stage: "warn", pharmacy_id: null }),
      ]),
    );
  });

  it("does not begin in the past, and is about one of pharmacy and corporation", async () => {
    const { corporationId, pharmacyId } = tenant;
    await expect(put({ stage: "off", from: later(-1) })).rejects.toMatchObject({
      code: "invalid-value",
      field: "from",
    });
    for (const where of [{}, { corporationId, pharmacyId }])
      await expect(
        stages.put(world.staff, { product, stage: "off", ...where }),
      ).rejects.toMatchObject({ code: "invalid-value", field: "corporationId" });
  });
});

describe("enforce", () => {
  it("counts at once where each device seen lately has a certificate that was accepted", async () => {
    await ready();
    expect(await put({ stage: "enforce" })).toMatchObject({ state: "in-force", lackingCount: 0 });
  });

  it("waits where a new device has none, and names it", async () => {
    const waiting = await put({ stage: "enforce" });
    expect(waiting).toMatchObject({
      state: "waiting",
      lackingCount: 1,
      lacking: [
        {
          deviceId: tenant.deviceId,
          deviceName: `tenant${count}`,
          pharmacyId: tenant.pharmacyId,
          pharmacyName: `tenant${count}`,
          why: "no-certificate",
        },
      ],
    });
    expect(await inForce()).toEqual([]);
    expect(await world.actions(`stage/${waiting.id}`)).toEqual(["stage.proposed"]);
  });

  it("is not proven by a certificate that was accepted nowhere, nor by one that ends before", async () => {
    await world.certificate(tenant, "good", later(DAY));
    expect(await put({ stage: "enforce" })).toMatchObject({ lacking: [{ why: "not-proven" }] });
    await used(await serialOf(tenant));
    expect(await put({ stage: "enforce", from: later(2 * DAY) })).toMatchObject({
      state: "waiting",
      lacking: [{ why: "no-certificate", lastSeenAt: world.time.now }],
    });
    expect(await put({ stage: "enforce", from: later(DAY / 2) })).toMatchObject({
      state: "planned",
    });
  });

  it("is proven by a check too, before anything has accepted it", async () => {
    await world.certificate(tenant, "good", later(DAY));
    await world.superuser.query("update ca.issued set proven_at = $2 where serial = $1", [
      await serialOf(tenant),
      world.time.now,
    ]);
    expect(await put({ stage: "enforce" })).toMatchObject({ state: "in-force", lackingCount: 0 });
  });

  it("does not wait for a device that was not seen for 14 days", async () => {
    world.time.now = later(15 * DAY);
    expect(await put({ stage: "enforce" })).toMatchObject({ state: "in-force" });
  });

  it("waits for one that is old and was refused, or let in on record, since", async () => {
    await world.certificate(tenant, "revoked", NOT_AFTER);
    world.time.now = later(20 * DAY);
    const at = later(-DAY);
    await refused({ party: await partyOf(), serial: await serialOf(tenant) }, at);
    expect(await put({ stage: "enforce" })).toMatchObject({
      state: "waiting",
      lacking: [{ deviceId: tenant.deviceId, why: "no-certificate", lastSeenAt: at }],
    });
  });

  it("waits where somebody without a certificate was let in at that pharmacy", async () => {
    await ready();
    await refused({ party: await partyOf(), pharmacyId: tenant.pharmacyId });
    const { lacking } = await put({ stage: "enforce" });
    expect(lacking).toMatchObject([
      { pharmacyId: tenant.pharmacyId, why: "without-certificate", lastSeenAt: world.time.now },
    ]);
    expect(lacking[0]).not.toHaveProperty("deviceId");
  });

  it("asks nobody where it is in force already, by the corporation's word or the party's default", async () => {
    const { corporationId } = tenant;
    await ready();
    await put({ stage: "enforce", corporationId });
    await world.devices.create(world.staff, {
      pharmacyId: tenant.pharmacyId,
      name: "受付2号機",
      platform: "ipados",
    });
    expect(await put({ stage: "enforce" })).toMatchObject({ state: "in-force" });
    product = `${product}-strict`;
    await partyOf("enforce");
    expect(await put({ stage: "enforce" })).toMatchObject({ state: "in-force" });
  });

  it("of a corporation looks at the pharmacies that have no word of their own", async () => {
    const { corporationId } = tenant;
    const other = await world.pharmacies.create(world.staff, { corporationId, name: "駅前店" });
    const device = await world.devices.create(world.staff, {
      pharmacyId: other.id,
      name: "受付1号機",
      platform: "windows",
    });
    await put({ stage: "warn" });
    expect(await put({ stage: "enforce", corporationId })).toMatchObject({
      state: "waiting",
      lacking: [{ deviceId: device.id, deviceName: "受付1号機", pharmacyName: "駅前店" }],
    });
  });
});

describe("a second person", () => {
  it("brings it into force, from then on", async () => {
    const { id } = await put({ stage: "enforce" });
    world.time.now = later(MINUTE);
    expect(await stages.confirm(second, id)).toMatchObject({
      state: "in-force",
      from: world.time.now,
      confirmedBy: second.actor,
      lackingCount: 1,
    });
    expect(await inForce()).toMatchObject([{ stage: "enforce" }]);
    expect(await world.actions(`stage/${id}`)).toEqual(["stage.proposed", "stage.changed"]);
    expect(await stages.confirm(second, id)).toMatchObject({ state: "in-force" });
  });

  it("is another than the first", async () => {
    const { id } = await put({ stage: "enforce" });
    await expect(stages.confirm(world.staff, id)).rejects.toMatchObject({
      code: "second-principal-needed",
    });
    expect(await inForce()).toEqual([]);
  });

  it("keeps a later time, and withdraws what had been planned for after it", async () => {
    const planned = await put({ stage: "warn", from: later(2 * DAY) });
    const from = later(DAY);
    const { id } = await put({ stage: "enforce", from });
    expect(await stages.get(world.staff, planned.id)).toMatchObject({ state: "planned" });
    expect(await stages.confirm(second, id)).toMatchObject({ state: "planned", from });
    expect(await stages.get(world.staff, planned.id)).toMatchObject({ state: "withdrawn" });
  });

  it("confirms nothing that does not wait, or has waited for more than 7 days", async () => {
    const plain = await put({ stage: "warn" });
    await expect(stages.confirm(second, plain.id)).rejects.toMatchObject({ code: "conflict" });
    const { id } = await put({ stage: "enforce" });
    await put({ stage: "off" });
    await expect(stages.confirm(second, id)).rejects.toMatchObject({ code: "conflict" });
    const old = await put({ stage: "enforce" });
    world.time.now = new Date(old.createdAt.getTime() + 7 * DAY + 1);
    await expect(stages.confirm(second, old.id)).rejects.toMatchObject({ code: "conflict" });
  });

  it("is not needed to make it milder", async () => {
    await ready();
    await put({ stage: "enforce" });
    world.time.now = later(MINUTE);
    expect(await put({ stage: "observe" })).toMatchObject({ state: "in-force" });
    expect(await inForce()).toMatchObject([{ stage: "observe" }]);
  });
});

describe("another corporation's", () => {
  it("stage is not found, and not set", async () => {
    const { id } = await put({ stage: "enforce" });
    const foreign = await world.tenant(`foreign${count}`);
    const by = foreign.principal;
    await expect(stages.get(by, id)).rejects.toMatchObject({ code: "not-found" });
    await expect(stages.confirm(by, id)).rejects.toMatchObject({ code: "not-found" });
    await expect(stages.confirm(second, randomUUID())).rejects.toMatchObject({ code: "not-found" });
    await expect(put({ stage: "off" }, by)).rejects.toMatchObject({
      code: "not-found",
      field: "pharmacyId",
    });
    const { corporationId } = tenant;
    await expect(put({ stage: "off", corporationId }, by)).rejects.toMatchObject({
      code: "not-found",
      field: "corporationId",
    });
    expect(await stages.list(by, {})).toEqual({ items: [] });
    expect(await stages.list(by, { corporationId })).toEqual({ items: [] });
  });

  it("devices are in no list of what lacks", async () => {
    await world.tenant(`foreign${count}`);
    const { lacking } = await put({ stage: "enforce", corporationId: tenant.corporationId });
    expect(lacking.map(({ deviceId }) => deviceId)).toEqual([tenant.deviceId]);
  });
});

it("lists what was said, by product, corporation and pharmacy, page by page", async () => {
  const { corporationId, pharmacyId } = tenant;
  const a = await put({ stage: "off" });
  // Pages are in the order of the ids, which is that of milliseconds.
  world.time.now = later(1);
  const b = await put({ stage: "warn", corporationId });
  const ids = async (by: Principal, query: object): Promise<string[]> =>
    (await stages.list(by, { product, ...query })).items.map(({ id }) => id);
  expect(await ids(world.staff, {})).toEqual([a.id, b.id]);
  expect(await ids(world.staff, { corporationId })).toEqual([a.id, b.id]);
  expect(await ids(tenant.principal, { pharmacyId })).toEqual([a.id]);
  expect(await ids(world.staff, { product: "another" })).toEqual([]);
  const { items, nextCursor = "" } = await stages.list(world.staff, { product, limit: 1 });
  expect(items).toMatchObject([{ id: a.id, state: "in-force" }]);
  expect(await ids(world.staff, { after: nextCursor })).toEqual([b.id]);
});

it("two people who speak at once are heard one after the other", async () => {
  await ready();
  await Promise.all(
    (["off", "observe", "warn", "enforce"] as const).map((stage) => put({ stage })),
  );
  const { items } = await stages.list(world.staff, { product });
  expect(items.filter(({ state }) => state === "in-force")).toHaveLength(1);
});
