import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";

import { openWorld, type Tenant, type World } from "./world.ts";

let world: World;
let tenant: Tenant;
let serial = 0;

beforeAll(async () => {
  world = await openWorld();
});
beforeEach(async () => {
  tenant = await world.tenant(`tenant-${serial++}`);
});
afterAll(() => world.close());

function refused(code: string, field?: string): unknown {
  return expect.objectContaining(field === undefined ? { code } : { code, field });
}

describe("corporations", () => {
  it("are created, read and renamed", async () => {
    const { corporations, staff, time } = world;
    const created = await corporations.create(staff, { name: " か\u3099っこう " });
    expect(created).toEqual({
      id: created.id,
      name: "がっこう",
      createdAt: time.now,
      updatedAt: time.now,
    });
    expect(await corporations.get(staff, created.id)).toEqual(created);
    time.now = new Date(time.now.getTime() + 1_000);
    const renamed = await corporations.update(staff, created.id, { name: "水道" });
    expect(renamed).toEqual({ ...created, name: "水道", updatedAt: time.now });
    expect(await corporations.get(staff, created.id)).toEqual(renamed);
  });

  it("do not go while they have anything", async () => {
    await expect(world.corporations.remove(world.staff, tenant.corporationId)).rejects.toThrow(
      refused("still-in-use"),
    );
  });

  it("refuse a bad name", async () => {
    await expect(world.corporations.create(world.staff, { name: "\u202e" })).rejects.toThrow(
      refused("invalid-value", "name"),
    );
  });
});

describe("pharmacies", () => {
  it("are created, read, changed and removed", async () => {
    const { pharmacies, staff, time } = world;
    const { corporationId } = tenant;
    const created = await pharmacies.create(staff, { corporationId, name: "新店", code: "N1" });
    expect(created).toEqual({
      id: created.id,
      corporationId,
      name: "新店",
      code: "N1",
      createdAt: time.now,
      updatedAt: time.now,
    });
    expect(await pharmacies.get(staff, created.id)).toEqual(created);
    const changed = await pharmacies.update(staff, created.id, { code: null });
    expect(changed).not.toHaveProperty("code");
    await pharmacies.remove(staff, created.id);
    await expect(pharmacies.get(staff, created.id)).rejects.toThrow(refused("not-found"));
  });

  it("have codes that are unique in the corporation only", async () => {
    const { pharmacies, staff } = world;
    const { corporationId, pharmacyId } = tenant;
    await expect(
      pharmacies.create(staff, { corporationId, name: "x", code: "001" }),
    ).rejects.toThrow(refused("conflict", "code"));
    const other = await pharmacies.create(staff, { corporationId, name: "x" });
    await expect(pharmacies.update(staff, other.id, { code: "001" })).rejects.toThrow(
      refused("conflict", "code"),
    );
    expect((await pharmacies.get(staff, pharmacyId)).code).toBe("001");
  });

  it("do not go while they have a device", async () => {
    await expect(world.pharmacies.remove(world.staff, tenant.pharmacyId)).rejects.toThrow(
      refused("still-in-use"),
    );
  });
});

describe("memberships", () => {
  it("end once and stay as history", async () => {
    const { memberships, staff, time } = world;
    const { membershipId } = tenant;
    await memberships.remove(staff, membershipId);
    const ended = await memberships.get(staff, membershipId);
    expect(ended.to).toEqual(time.now);
    time.now = new Date(time.now.getTime() + 1_000);
    await memberships.remove(staff, membershipId);
    expect(await memberships.get(staff, membershipId)).toEqual(ended);
    expect(await world.denies(`membership:${membershipId}`)).toBe(1);
  });

  it("have one open one for account and pharmacy, and another after its end", async () => {
    const { memberships, staff, time } = world;
    const { accountId, pharmacyId, membershipId } = tenant;
    time.now = new Date(time.now.getTime() + 1_000);
    const again = { accountId, pharmacyId, role: "manager" } as const;
    await expect(memberships.create(staff, again)).rejects.toThrow(
      refused("conflict", "accountId"),
    );
    await expect(memberships.create(staff, again)).rejects.toThrow(
      "the account has an open membership in this pharmacy already",
    );
    await memberships.remove(staff, membershipId);
    const created = await memberships.create(staff, again);
    const { items } = await memberships.list(staff, { accountId });
    expect(items.map(({ id }) => id)).toEqual([membershipId, created.id]);
  });

  it("that have not begun are deleted", async () => {
    const { memberships, staff, time } = world;
    const { accountId, pharmacyId } = tenant;
    const from = new Date(time.now.getTime() + 86_400_000);
    const to = new Date(from.getTime() + 86_400_000);
    const { id, ...created } = await memberships.create(staff, {
      accountId,
      pharmacyId,
      role: "manager",
      from,
      to,
    });
    expect(created).toMatchObject({ from, to });
    await memberships.remove(staff, id);
    await expect(memberships.get(staff, id)).rejects.toThrow(refused("not-found"));
    expect(await world.actions(`membership/${id}`)).toEqual([
      "membership.created",
      "membership.deleted",
    ]);
    expect(await world.denies(`membership:${id}`)).toBe(1);
  });

  it("deny from the end that is set for them", async () => {
    const to = new Date("2027-03-31T15:00:00Z");
    const changed = await world.memberships.update(world.staff, tenant.membershipId, { to });
    expect(changed.to).toEqual(to);
    const { rows } = await world.superuser.query("select at from ca.change where subject = $1", [
      `membership:${tenant.membershipId}`,
    ]);
    expect(rows).toEqual([{ at: to }]);
  });

  it("do not change once they have ended", async () => {
    const { memberships, staff } = world;
    await memberships.remove(staff, tenant.membershipId);
    for (const patch of [{ to: null }, { role: "manager" as const }]) {
      await expect(memberships.update(staff, tenant.membershipId, patch)).rejects.toThrow(
        refused("invalid-value", "to"),
      );
    }
  });

  it("end after they begin", async () => {
    const to = new Date("2025-12-31T00:00:00Z");
    await expect(
      world.memberships.update(world.staff, tenant.membershipId, { to }),
    ).rejects.toThrow(refused("invalid-value", "to"));
    const { accountId, pharmacyId } = tenant;
    await expect(
      world.memberships.create(world.staff, { accountId, pharmacyId, role: "manager", to }),
    ).rejects.toThrow(refused("invalid-value", "to"));
  });
});

describe("devices", () => {
  it("are created shared, read and changed", async () => {
    const { devices, staff, time } = world;
    const { pharmacyId, corporationId } = tenant;
    const created = await devices.create(staff, {
      pharmacyId,
      name: "受付1号機",
      platform: "macos",
    });
    expect(created).toEqual({
      id: created.id,
      corporationId,
      pharmacyId,
      name: "受付1号機",
      platform: "macos",
      use: "shared",
      createdAt: time.now,
      updatedAt: time.now,
    });
    const changed = await devices.update(staff, created.id, { use: "personal", name: "A" });
    expect(changed).toMatchObject({ use: "personal", name: "A", platform: "macos" });
    expect(await devices.get(staff, created.id)).toEqual(changed);
  });

  it("have a name that fits a common name with its month", async () => {
    const { pharmacyId } = tenant;
    const input = { pharmacyId, name: "あ".repeat(51), platform: "linux" } as const;
    await expect(world.devices.create(world.staff, input)).rejects.toThrow(
      refused("invalid-value", "name"),
    );
  });

  it("that never had a certificate are deleted", async () => {
    await world.devices.remove(world.staff, tenant.deviceId);
    await expect(world.devices.get(world.staff, tenant.deviceId)).rejects.toThrow(
      refused("not-found"),
    );
  });

  it("with a live certificate stay", async () => {
    await world.certificate(tenant, "good", new Date(world.time.now.getTime() + 1_000));
    await expect(world.devices.remove(world.staff, tenant.deviceId)).rejects.toThrow(
      refused("still-in-use"),
    );
  });

  it.for([
    ["a revoked", "revoked", 1_000],
    ["an expired", "good", -1_000],
  ] as const)("with %s certificate retire, once, and free their name", async ([, state, ms]) => {
    const { devices, staff, time } = world;
    const { deviceId, pharmacyId } = tenant;
    await world.certificate(tenant, state, new Date(time.now.getTime() + ms));
    await devices.remove(staff, deviceId);
    await devices.remove(staff, deviceId);
    const { name, platform, retiredAt } = await devices.get(staff, deviceId);
    expect(retiredAt).toEqual(time.now);
    expect(await world.actions(`device/${deviceId}`)).toEqual(["device.created", "device.retired"]);
    const successor = await devices.create(staff, { pharmacyId, name, platform });
    await expect(devices.create(staff, { pharmacyId, name, platform })).rejects.toThrow(
      refused("conflict", "name"),
    );
    expect(successor.id).not.toBe(deviceId);
  });
});

describe("pages", () => {
  it("hold every item once, in the order of ids, to the end", async () => {
    const { pharmacies, staff } = world;
    const { corporationId, principal } = tenant;
    for (let i = 0; i < 6; i++) await pharmacies.create(staff, { corporationId, name: `店${i}` });
    for (const [who, query] of [
      [staff, { corporationId }],
      [principal, {}],
    ] as const) {
      const seen: string[] = [];
      let after: string | undefined;
      do {
        const page = await pharmacies.list(who, {
          ...query,
          limit: 3,
          ...(after === undefined ? {} : { after }),
        });
        seen.push(...page.items.map(({ id }) => id));
        after = page.nextCursor;
      } while (after !== undefined);
      expect(seen).toHaveLength(7);
      expect(seen).toEqual([...new Set(seen)].toSorted());
    }
  });

  it("go on across tenants", async () => {
    const { corporations, accounts, memberships, devices, pharmacies, staff } = world;
    for (const room of [corporations, accounts, memberships, devices, pharmacies]) {
      const all = await room.list(staff, { limit: 200 });
      const first = await room.list(staff, { limit: 2 });
      const second = await room.list(staff, { limit: 2, after: first.nextCursor ?? "" });
      expect([...first.items, ...second.items]).toEqual(all.items.slice(0, 4));
    }
  });
});
