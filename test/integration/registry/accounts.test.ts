import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";

import type { AccountInput } from "../../../src/registry/accounts.ts";
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

describe("accounts", () => {
  it("are created with all names, read and changed", async () => {
    const { accounts, staff, time } = world;
    const input: AccountInput = {
      corporationId: tenant.corporationId,
      name: "水道 花子",
      email: " Hanako@example.jp ",
      emailShared: true,
      locale: "en",
      identities: [
        { issuer: "https://id.example.jp", subject: "2" },
        { issuer: "https://id.example.jp", subject: "1" },
      ],
      externalIds: [{ system: "musubi", value: "77" }],
    };
    const created = await accounts.create(staff, input);
    expect(created).toEqual({
      ...input,
      id: created.id,
      email: "Hanako@example.jp",
      identities: input.identities?.toReversed(),
      disabled: false,
      createdAt: time.now,
      updatedAt: time.now,
    });
    expect(await accounts.get(staff, created.id)).toEqual(created);
    const patch = { email: null, identities: [], locale: "ja" } as const;
    const changed = await accounts.update(staff, created.id, patch);
    expect(changed).not.toHaveProperty("email");
    expect(changed).toMatchObject({
      identities: [],
      externalIds: created.externalIds,
      locale: "ja",
    });
    expect(await accounts.get(staff, created.id)).toEqual(changed);
  });

  it("need a name only", async () => {
    const { corporationId } = tenant;
    const account = await world.accounts.create(world.staff, { corporationId, name: "花子" });
    expect(account).toMatchObject({
      emailShared: false,
      locale: "ja",
      identities: [],
      externalIds: [],
    });
  });

  it("are found by address without regard to case, and `_` is no wildcard", async () => {
    const { accounts, staff } = world;
    const { corporationId } = tenant;
    const ids: Record<string, string> = {};
    for (const email of ["Shop_1@example.jp", "shopX1@example.jp"]) {
      ids[email] = (
        await accounts.create(staff, { corporationId, name: "店", email, emailShared: true })
      ).id;
    }
    for (const query of [{}, { corporationId }]) {
      const { items } = await accounts.list(staff, { ...query, email: "sHOP_1@EXAMPLE.jp" });
      expect(items.map(({ id }) => id)).toEqual([ids["Shop_1@example.jp"]]);
    }
  });

  it.for(["", "not an address", "a\u0000@example.jp", "%"])(
    "are not searched for by %j",
    async (email) => {
      await expect(world.accounts.list(world.staff, { email })).rejects.toThrow(
        refused("invalid-value", "email"),
      );
    },
  );

  it("list with their own names, across tenants as in one", async () => {
    const { accounts, staff } = world;
    const one = await accounts.get(staff, tenant.accountId);
    expect((await accounts.list(staff, { email: tenant.email })).items).toEqual([one]);
    expect((await accounts.list(tenant.principal, {})).items).toEqual([one]);
  });

  it("share no identity and no external id within a corporation", async () => {
    const { accounts, staff } = world;
    const { corporationId } = tenant;
    const { identities, externalIds } = await accounts.get(staff, tenant.accountId);
    await expect(accounts.create(staff, { corporationId, name: "x", identities })).rejects.toThrow(
      refused("conflict", "identities"),
    );
    const other = await accounts.create(staff, { corporationId, name: "x" });
    await expect(accounts.update(staff, other.id, { externalIds })).rejects.toThrow(
      refused("conflict", "externalIds"),
    );
  });

  it("say what is double, in a sentence", async () => {
    const { accounts, staff } = world;
    const { corporationId } = tenant;
    const name = "x";
    const { identities } = await accounts.get(staff, tenant.accountId);
    await expect(accounts.create(staff, { corporationId, name, identities })).rejects.toThrow(
      "another account of the corporation has one of these identities already",
    );
    const one = { system: "hr", value: "7" };
    await expect(
      accounts.create(staff, { corporationId, name, externalIds: [one, one] }),
    ).rejects.toThrow("externalIds[1] is the same as externalIds[0]");
  });

  it("have an address of their own in the corporation, in any case of letters, unless all say that it is shared", async () => {
    const { accounts, staff } = world;
    const { corporationId } = await world.tenant(`tenant-${serial++}`);
    const taken: unknown = refused("conflict", "email");
    const person = { corporationId, name: "person", email: "person@example.jp" };
    const shop = { corporationId, name: "shop", email: "shop@example.jp", emailShared: true };
    const { id } = await accounts.create(staff, person);
    await accounts.create(staff, shop);
    await accounts.create(staff, { ...shop, email: "SHOP@example.jp" });
    for (const double of [
      { ...person, email: "Person@Example.JP" },
      { ...person, emailShared: true },
      { ...shop, emailShared: false },
    ])
      await expect(accounts.create(staff, double)).rejects.toThrow(taken);
    await expect(accounts.update(staff, id, { email: shop.email })).rejects.toThrow(taken);
    await accounts.update(staff, id, { email: shop.email, emailShared: true });
    await expect(accounts.update(staff, id, { emailShared: false })).rejects.toThrow(taken);
    const elsewhere = await world.tenant(`tenant-${serial++}`);
    await accounts.create(staff, { ...person, corporationId: elsewhere.corporationId });
  });

  it("made at once with one address become one", async () => {
    const input = { corporationId: tenant.corporationId, name: "x", email: "same@example.jp" };
    const made = await Promise.allSettled(
      Array.from({ length: 5 }, () => world.accounts.create(world.staff, input)),
    );
    expect(made.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
  });

  it("share no address that is not there", async () => {
    const { accounts, staff } = world;
    const { corporationId, accountId } = tenant;
    const bad: unknown = refused("invalid-value", "emailShared");
    const input = { corporationId, name: "x", emailShared: true };
    await expect(accounts.create(staff, input)).rejects.toThrow(bad);
    const patch = { email: null, emailShared: true };
    await expect(accounts.update(staff, accountId, patch)).rejects.toThrow(bad);
    await accounts.update(staff, accountId, { emailShared: true });
    expect(await accounts.update(staff, accountId, { email: null })).toMatchObject({
      emailShared: false,
    });
    await expect(accounts.update(staff, accountId, { emailShared: true })).rejects.toThrow(bad);
  });

  it("may be known to two corporations by the same identity", async () => {
    const { identities } = await world.accounts.get(world.staff, tenant.accountId);
    const { corporationId } = await world.tenant(`tenant-${serial++}`);
    const created = await world.accounts.create(world.staff, {
      corporationId,
      name: "x",
      identities,
    });
    expect(created.identities).toEqual(identities);
  });

  it.for([
    ["email", { email: "a@example.jp,b@example.jp" }],
    ["name", { name: " " }],
    ["identities[0].subject", { identities: [{ issuer: "i", subject: "" }] }],
    [
      "identities[1]",
      {
        identities: [
          { issuer: "i", subject: "s" },
          { issuer: "i", subject: "s" },
        ],
      },
    ],
    ["externalIds[0].system", { externalIds: [{ system: "a\nb", value: "v" }] }],
  ] as const)("refuse a bad %s, in both ways", async ([field, bad]) => {
    const { corporationId, accountId } = tenant;
    await expect(
      world.accounts.create(world.staff, { corporationId, name: "x", ...bad }),
    ).rejects.toThrow(refused("invalid-value", field));
    await expect(world.accounts.update(world.staff, accountId, bad)).rejects.toThrow(
      refused("invalid-value", field),
    );
  });

  it("deny once however many disable them at once", async () => {
    const { accounts, staff, superuser } = world;
    const { accountId } = tenant;
    const holder = await superuser.connect();
    await holder.query("begin");
    await holder.query("select from app.account where id = $1 for update", [accountId]);
    const answers = [1, 2, 3].map(() => accounts.update(staff, accountId, { disabled: true }));
    await vi.waitFor(async () => {
      const waiting = await superuser.query(
        "select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'",
      );
      expect(waiting.rowCount).toBe(3);
    });
    await holder.query("commit");
    holder.release();
    expect((await Promise.all(answers)).map(({ disabled }) => disabled)).toEqual([
      true,
      true,
      true,
    ]);
    expect(await world.denies(`account:${accountId}`)).toBe(1);
    expect(await world.actions(`account/${accountId}`)).toEqual([
      "account.created",
      "account.disabled",
    ]);
  });

  it("do not go once they had a membership", async () => {
    await expect(world.accounts.remove(world.staff, tenant.accountId)).rejects.toThrow(
      refused("still-in-use"),
    );
  });
});
