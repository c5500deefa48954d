import { afterAll, beforeAll, describe, expect, it } from "vitest";

import type { RegistryDeps } from "../../../src/registry/tenant.ts";
import { MUTATIONS } from "./mutations.ts";
import { openWorld, registryOver, type Tenant, type World } from "./world.ts";

let world: World;
let tenant: Tenant;
/** What an earlier test changed must not stop a later one, so each of these works on a tenant of its own. */
let untouched: Tenant;

beforeAll(async () => {
  world = await openWorld();
  tenant = await world.tenant("alpha");
  untouched = await world.tenant("beta");
});
afterAll(() => world.close());

/** Every transaction does all its work and is then rolled back. */
function rollingBack({ store, ...deps }: RegistryDeps): RegistryDeps {
  return {
    ...deps,
    store: {
      ...store,
      tenant: (corporationId, work) =>
        store.tenant(corporationId, async (tx) => {
          await work(tx);
          throw new Error("rolled back by the test");
        }),
    },
  };
}

describe("every mutation writes its audit row and its event in its own transaction", () => {
  it.for(MUTATIONS)(
    "$action is in the log and in the outbox",
    async ({ action, run, subject, deny }) => {
      const before = await world.denies(deny?.(tenant) ?? "");
      const result = (await run(world, world.staff, tenant)) as { id: string } | undefined;
      const about = subject?.(tenant) ?? `${action.split(".")[0]}/${result?.id}`;
      expect((await world.actions(about)).at(-1)).toBe(action);
      const { rows } = await world.superuser.query(
        `select a.actor, a.corporation_id, a.at, e.type, e.data = a.detail as same, e.corporation_id = a.corporation_id as tenant
       from app.audit a join app.event e on e.xid = a.xid and e.subject = a.subject where a.subject = $1 and a.action = $2`,
        [about, action],
      );
      expect(rows).toEqual([
        {
          actor: world.staff.actor,
          corporation_id: tenant.corporationId,
          at: world.time.now,
          type: `jp.suido.${action}`,
          same: true,
          tenant: true,
        },
      ]);
      expect((await world.denies(deny?.(tenant) ?? "")) - before).toBe(deny === undefined ? 0 : 1);
    },
  );

  it("a new corporation, its removal, and removals of a pharmacy and an account are in the log", async () => {
    const { corporations, pharmacies, accounts, staff } = world;
    const { id: corporationId } = await corporations.create(staff, { name: "短命" });
    const { id: pharmacyId } = await pharmacies.create(staff, { corporationId, name: "短命" });
    const { id: accountId } = await accounts.create(staff, { corporationId, name: "短命" });
    await pharmacies.remove(staff, pharmacyId);
    await accounts.remove(staff, accountId);
    await corporations.remove(staff, corporationId);
    expect(await world.actions(`pharmacy/${pharmacyId}`)).toEqual([
      "pharmacy.created",
      "pharmacy.deleted",
    ]);
    expect(await world.actions(`account/${accountId}`)).toEqual([
      "account.created",
      "account.deleted",
    ]);
    expect(await world.actions(`corporation/${corporationId}`)).toEqual([
      "corporation.created",
      "corporation.deleted",
    ]);
  });

  it.for(MUTATIONS.filter(({ action }) => action !== "account.enabled"))(
    "$action rolled back leaves nothing in any table",
    async ({ run }) => {
      const registry = registryOver(rollingBack(world.deps));
      const before = await world.everything();
      await expect(run(registry, world.staff, untouched)).rejects.toThrow(
        "rolled back by the test",
      );
      expect(await world.everything()).toEqual(before);
    },
  );

  it("a mutation whose audit row fails does not happen", async () => {
    const { rows } = await world.superuser.query<{ id: string }>(
      "select id from app.audit limit 1",
    );
    const taken = rows[0]?.id ?? "";
    const registry = registryOver({ ...world.deps, newId: () => taken });
    const before = await world.everything();
    await expect(
      registry.pharmacies.update(world.staff, untouched.pharmacyId, { name: "改名" }),
    ).rejects.toThrow("audit_pkey");
    expect(await world.everything()).toEqual(before);
  });

  it("a change that changes nothing is no mutation", async () => {
    const { corporations, pharmacies, accounts, memberships, devices, staff } = world;
    const before = await world.everything();
    await corporations.update(staff, untouched.corporationId, { name: " beta " });
    await pharmacies.update(staff, untouched.pharmacyId, { name: "beta", code: "001" });
    await accounts.update(staff, untouched.accountId, {
      name: "beta",
      email: "beta@example.jp",
      disabled: false,
      identities: [{ issuer: "https://id.example.jp", subject: "beta" }],
    });
    await memberships.update(staff, untouched.membershipId, { role: "pharmacist", to: null });
    await devices.update(staff, untouched.deviceId, { platform: "windows" });
    expect(await world.everything()).toEqual(before);
  });

  it("keeps personal data out of the log", async () => {
    const { rows } = await world.superuser.query<{ text: string }>(
      "select a::text || e::text as text from app.audit a join app.event e on e.xid = a.xid",
    );
    expect(rows.length).toBeGreaterThan(20);
    expect(rows.filter(({ text }) => /example\.jp|新人|改名|alpha|beta/.test(text))).toEqual([]);
  });
});
