import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import {
  forgetOldKeys,
  type IdempotentRequest,
  withIdempotency,
} from "../../../src/registry/idempotency.ts";
import { openWorld, type Tenant, type World } from "./world.ts";

let world: World;
let tenant: Tenant;

beforeAll(async () => {
  world = await openWorld();
  tenant = await world.tenant("alpha");
});
afterAll(() => world.close());

function request(key: string = randomUUID(), hash = 1): IdempotentRequest {
  return { apiKeyId: world.staff.id, key, requestHash: new Uint8Array(32).fill(hash) };
}

async function count(name: string): Promise<number> {
  const { rows } = await world.superuser.query("select from app.pharmacy where name = $1", [name]);
  return rows.length;
}

async function nothing(): Promise<{ status: number; body: object }> {
  return { status: 201, body: {} };
}

describe("an Idempotency-Key", () => {
  it("of ten at once creates one, and all ten get the same answer", async () => {
    const { pharmacies, staff } = world;
    const { corporationId } = tenant;
    const once = request();
    const answers = await Promise.all(
      Array.from({ length: 10 }, () =>
        pharmacies.create(staff, { corporationId, name: "十" }, once),
      ),
    );
    expect(await count("十")).toBe(1);
    expect(new Set(answers.map(({ id }) => id)).size).toBe(1);
    expect(answers).toEqual(Array.from({ length: 10 }, () => answers[0]));
    const { rows } = await world.superuser.query("select from app.audit where subject = $1", [
      `pharmacy/${answers[0]?.id}`,
    ]);
    expect(rows).toHaveLength(1);
  });

  it("answers as the first time, even when the thing has changed since", async () => {
    const { staff, corporations, accounts, memberships, devices } = world;
    const { corporationId, pharmacyId } = tenant;
    const make = [
      (once: IdempotentRequest) => corporations.create(staff, { name: "元" }, once),
      (once: IdempotentRequest) =>
        accounts.create(
          staff,
          {
            corporationId,
            name: "元",
            email: "a@example.jp",
            identities: [{ issuer: "i", subject: "s" }],
          },
          once,
        ),
      (once: IdempotentRequest) =>
        devices.create(staff, { pharmacyId, name: "元", platform: "ios" }, once),
    ];
    for (const create of make) {
      const once = request();
      const first = await create(once);
      world.time.now = new Date(world.time.now.getTime() + 1_000);
      expect(await create(once)).toEqual(first);
      expect(first.createdAt).toBeInstanceOf(Date);
    }
    const { id: accountId } = await accounts.create(staff, { corporationId, name: "別" });
    const once = request();
    const input = {
      accountId,
      pharmacyId,
      role: "manager",
      to: new Date("2027-01-01T00:00:00Z"),
    } as const;
    const first = await memberships.create(staff, input, once);
    await memberships.remove(staff, first.id);
    expect(await memberships.create(staff, input, once)).toEqual(first);
  });

  it("is refused for another request", async () => {
    const { pharmacies, staff } = world;
    const { corporationId } = tenant;
    const once = request();
    await pharmacies.create(staff, { corporationId, name: "一" }, once);
    await expect(
      pharmacies.create(staff, { corporationId, name: "二" }, request(once.key, 2)),
    ).rejects.toThrow(expect.objectContaining({ code: "idempotency-key-reused" }));
    expect(await count("二")).toBe(0);
  });

  it("belongs to one API key", async () => {
    const { pharmacies, staff } = world;
    const { corporationId, principal } = tenant;
    const once = request();
    const first = await pharmacies.create(staff, { corporationId, name: "共" }, once);
    const second = await pharmacies.create(
      principal,
      { corporationId, name: "共" },
      { ...once, apiKeyId: principal.id },
    );
    expect(second.id).not.toBe(first.id);
  });

  it("is free again after a failure, also for those who waited for it", async () => {
    const once = { ...request(), now: world.time.now };
    let runs = 0;
    const work = async (): Promise<{ status: number; body: object }> => {
      runs += 1;
      if (runs === 1) throw new Error("the first fails");
      return { status: 201, body: { run: runs } };
    };
    const outcomes = await Promise.allSettled(
      Array.from({ length: 5 }, () =>
        world.app.transaction((sql) => withIdempotency(sql, once, work)),
      ),
    );
    expect(outcomes.filter(({ status }) => status === "rejected")).toHaveLength(1);
    expect(runs).toBe(2);
    const replayed = await world.app.transaction((sql) => withIdempotency(sql, once, work));
    expect(replayed).toEqual({ replayed: true, status: 201, body: { run: 2 } });
  });

  it.for(["", "k".repeat(256)])("has 1 to 255 characters, not %j", async (key) => {
    const once = { ...request(key), now: world.time.now };
    await expect(
      world.app.transaction((sql) => withIdempotency(sql, once, nothing)),
    ).rejects.toThrow(expect.objectContaining({ code: "invalid-value", field: "Idempotency-Key" }));
  });

  it("is forgotten after a day and not before", async () => {
    const { pharmacies, staff, time } = world;
    const { corporationId } = tenant;
    await forgetOldKeys(world.worker, new Date(time.now.getTime() + 30 * 86_400_000));
    const once = request();
    const first = await pharmacies.create(staff, { corporationId, name: "忘" }, once);
    const day = new Date(time.now.getTime() + 86_400_000);
    expect(await forgetOldKeys(world.worker, day)).toBe(0);
    expect(await pharmacies.create(staff, { corporationId, name: "忘" }, once)).toEqual(first);
    expect(await forgetOldKeys(world.worker, new Date(day.getTime() + 1))).toBe(1);
    await pharmacies.create(staff, { corporationId, name: "忘" }, once);
    expect(await count("忘")).toBe(2);
  });
});
