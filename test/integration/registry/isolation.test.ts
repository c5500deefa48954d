import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { listPage } from "../../../src/registry/page.ts";
import type { Principal, Reference } from "../../../src/registry/principal.ts";
import { openWorld, type Tenant, type World } from "./world.ts";

let world: World;
let own: Tenant;
let foreign: Tenant;
/** Ids of a tenant that is nowhere. */
let missing: Tenant;

beforeAll(async () => {
  world = await openWorld();
  own = await world.tenant("alpha");
  foreign = await world.tenant("beta");
  missing = {
    corporationId: randomUUID(),
    pharmacyId: randomUUID(),
    accountId: randomUUID(),
    membershipId: randomUUID(),
    deviceId: randomUUID(),
    apiKeyId: randomUUID(),
    email: "nobody@example.jp",
    principal: own.principal,
  };
});
afterAll(() => world.close());

type Call = (principal: Principal, other: Tenant) => Promise<unknown>;

/** Every function that takes an id, with that id from `other`. */
const CALLS: Readonly<Record<string, Call>> = {
  "corporations.get": (p, o) => world.corporations.get(p, o.corporationId),
  "corporations.update": (p, o) => world.corporations.update(p, o.corporationId, { name: "x" }),
  "corporations.remove": (p, o) => world.corporations.remove(p, o.corporationId),
  "pharmacies.create": (p, o) =>
    world.pharmacies.create(p, { corporationId: o.corporationId, name: "x" }),
  "pharmacies.get": (p, o) => world.pharmacies.get(p, o.pharmacyId),
  "pharmacies.update": (p, o) => world.pharmacies.update(p, o.pharmacyId, { name: "x" }),
  "pharmacies.remove": (p, o) => world.pharmacies.remove(p, o.pharmacyId),
  "accounts.create": (p, o) =>
    world.accounts.create(p, { corporationId: o.corporationId, name: "x" }),
  "accounts.get": (p, o) => world.accounts.get(p, o.accountId),
  "accounts.update": (p, o) => world.accounts.update(p, o.accountId, { disabled: true }),
  "accounts.remove": (p, o) => world.accounts.remove(p, o.accountId),
  "memberships.create, account": (p, o) =>
    world.memberships.create(p, {
      accountId: o.accountId,
      pharmacyId: own.pharmacyId,
      role: "manager",
    }),
  "memberships.create, pharmacy": (p, o) =>
    world.memberships.create(p, {
      accountId: own.accountId,
      pharmacyId: o.pharmacyId,
      role: "manager",
    }),
  "memberships.get": (p, o) => world.memberships.get(p, o.membershipId),
  "memberships.update": (p, o) => world.memberships.update(p, o.membershipId, { role: "manager" }),
  "memberships.remove": (p, o) => world.memberships.remove(p, o.membershipId),
  "devices.create": (p, o) =>
    world.devices.create(p, { pharmacyId: o.pharmacyId, name: "x", platform: "linux" }),
  "devices.get": (p, o) => world.devices.get(p, o.deviceId),
  "devices.update": (p, o) => world.devices.update(p, o.deviceId, { name: "x" }),
  "devices.remove": (p, o) => world.devices.remove(p, o.deviceId),
  "apiKeys.create": (p, o) =>
    world.apiKeys.create(p, { role: "product", corporationId: o.corporationId }),
  "apiKeys.revoke": (p, o) => world.apiKeys.revoke(p, o.apiKeyId),
};

const LISTS: Readonly<Record<string, Call>> = {
  "pharmacies by corporation": (p, o) =>
    world.pharmacies.list(p, { corporationId: o.corporationId }),
  "accounts by corporation": (p, o) => world.accounts.list(p, { corporationId: o.corporationId }),
  "accounts by address": (p, o) => world.accounts.list(p, { email: o.email }),
  "memberships by corporation": (p, o) =>
    world.memberships.list(p, { corporationId: o.corporationId }),
  "memberships by account": (p, o) => world.memberships.list(p, { accountId: o.accountId }),
  "memberships by pharmacy": (p, o) => world.memberships.list(p, { pharmacyId: o.pharmacyId }),
  "devices by corporation": (p, o) => world.devices.list(p, { corporationId: o.corporationId }),
  "devices by pharmacy": (p, o) => world.devices.list(p, { pharmacyId: o.pharmacyId }),
};

async function refusal(call: Promise<unknown>): Promise<unknown> {
  const error: unknown = await call.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  return { ...(error as object), message: error instanceof Error ? error.message : undefined };
}

describe("a key bound to one corporation", () => {
  it.for(Object.entries(CALLS))(
    "%s: a foreign id answers exactly like a missing one",
    async ([, call]) => {
      const before = await world.everything();
      const answer = await refusal(call(own.principal, foreign));
      expect(answer).toMatchObject({ code: "not-found" });
      expect(answer).toEqual(await refusal(call(own.principal, missing)));
      expect(answer).toEqual(await refusal(call(own.principal, notUuids())));
      expect(await world.everything()).toEqual(before);
    },
  );

  it.for(Object.entries(CALLS))("%s: a missing id answers staff the same", async ([, call]) => {
    expect(await refusal(call(world.staff, missing))).toEqual(
      await refusal(call(own.principal, missing)),
    );
  });

  it.for(Object.entries(LISTS))(
    "%s: is empty for a foreign filter as for a missing one",
    async ([, list]) => {
      expect(await list(own.principal, foreign)).toEqual({ items: [] });
      expect(await list(own.principal, missing)).toEqual({ items: [] });
      expect(await list(world.staff, missing)).toEqual({ items: [] });
      expect(await list(own.principal, own)).toMatchObject({ items: [{}] });
      expect(await list(world.staff, foreign)).toMatchObject({ items: [{}] });
    },
  );

  it("lists its own only, and staff list all", async () => {
    const listings = [
      world.corporations,
      world.pharmacies,
      world.accounts,
      world.memberships,
      world.devices,
    ];
    for (const room of listings) {
      expect((await room.list(own.principal, {})).items).toHaveLength(1);
      expect((await room.list(world.staff, {})).items).toHaveLength(2);
    }
    expect((await world.apiKeys.list(own.principal, {})).items.map(({ id }) => id)).toEqual([
      own.apiKeyId,
    ]);
    expect((await world.apiKeys.list(world.staff, {})).items).toHaveLength(3);
  });

  it("sees its own by every function", async () => {
    expect((await world.corporations.get(own.principal, own.corporationId)).name).toBe("alpha");
    expect((await world.pharmacies.get(own.principal, own.pharmacyId.toUpperCase())).name).toBe(
      "alpha",
    );
    expect((await world.accounts.get(own.principal, own.accountId)).name).toBe("alpha");
    expect((await world.memberships.get(own.principal, own.membershipId)).accountId).toBe(
      own.accountId,
    );
    expect((await world.devices.get(own.principal, own.deviceId)).name).toBe("alpha");
  });

  it("creates no corporation", async () => {
    await expect(world.corporations.create(own.principal, { name: "x" })).rejects.toThrow(
      expect.objectContaining({ code: "outside-scope" }),
    );
  });

  it("gives its corporation to every key that it makes", async () => {
    const key = await world.apiKeys.create(own.principal, { role: "admin" });
    expect((await world.apiKeys.authenticate(key.key)).corporationId).toBe(own.corporationId);
    await world.apiKeys.revoke(own.principal, key.id);
  });
});

describe("staff who are bound to none", () => {
  it("cannot tie an account to another corporation's pharmacy", async () => {
    const input = {
      accountId: own.accountId,
      pharmacyId: foreign.pharmacyId,
      role: "manager",
    } as const;
    await expect(world.memberships.create(world.staff, input)).rejects.toThrow(
      expect.objectContaining({ code: "not-found", field: "pharmacyId" }),
    );
  });

  it("get nothing where two filters name two corporations", async () => {
    const filters = { accountId: own.accountId, pharmacyId: foreign.pharmacyId };
    expect(await world.memberships.list(world.staff, filters)).toEqual({ items: [] });
    const something = async (): Promise<{ id: string }[]> => [{ id: own.pharmacyId }];
    const listing = {
      collection: "pharmacies" as const,
      page: {},
      within: something,
      across: something,
    };
    const pharmacy: Reference = { kind: "pharmacy", id: own.pharmacyId };
    const lists = [own, foreign].map(({ corporationId: id }) =>
      listPage(world.store, world.staff, {
        ...listing,
        references: [pharmacy, { kind: "corporation", id }],
      }),
    );
    expect(await Promise.all(lists)).toEqual([{ items: [{ id: own.pharmacyId }] }, { items: [] }]);
  });
});

function notUuids(): Tenant {
  const text = "'; drop table app.pharmacy; --";
  return {
    ...missing,
    corporationId: text,
    pharmacyId: text,
    accountId: text,
    membershipId: text,
    deviceId: text,
    apiKeyId: text,
  };
}
