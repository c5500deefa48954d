import { createHash, randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import type { Role } from "../../../src/registry/principal.ts";
import { createApiKeys } from "../../../src/staff/api-keys.ts";
import { openWorld, type Tenant, type World } from "../registry/world.ts";

let world: World;
let tenant: Tenant;

beforeAll(async () => {
  world = await openWorld();
  tenant = await world.tenant("alpha");
});
afterAll(() => world.close());

const unauthorized: unknown = expect.objectContaining({
  code: "unauthorized",
  message: "a valid API key is needed",
});

function sevens(octets: number): Uint8Array {
  return new Uint8Array(octets).fill(7);
}

describe("API keys", () => {
  it.for([
    ["admin", "adm"],
    ["operator", "ope"],
    ["support", "sup"],
    ["auditor", "aud"],
    ["product", "prd"],
    ["proxy", "prx"],
  ] as const satisfies readonly (readonly [Role, string])[])(
    "of the role %s begin with suido_%s_",
    async ([role, tag]) => {
      const { key, id, ...rest } = await world.apiKeys.create(world.staff, { role, label: "監視" });
      expect(key).toMatch(new RegExp(`^suido_${tag}_[A-Za-z0-9_-]{43}$`));
      expect(rest).toEqual({ role, label: "監視", createdAt: world.time.now });
      expect(await world.apiKeys.authenticate(key)).toEqual({ id, actor: `api-key:${id}`, role });
    },
  );

  it("are in the database as their SHA-256 only, and their audit row holds no more than the role", async () => {
    const { key, id } = await world.apiKeys.create(world.staff, { role: "proxy" });
    const { rows } = await world.superuser.query("select * from app.api_key where id = $1", [id]);
    expect(rows).toEqual([
      expect.objectContaining({ secret_sha256: createHash("sha256").update(key).digest() }),
    ]);
    expect(JSON.stringify(await world.everything())).not.toContain(key.slice(10));
    const audit = await world.superuser.query(
      "select action, detail, corporation_id from app.audit where subject = $1",
      [`api-key/${id}`],
    );
    expect(audit.rows).toEqual([
      { action: "api-key.created", detail: { role: "proxy" }, corporation_id: null },
    ]);
  });

  it.for([
    "",
    "suido",
    `suido_adm_${"A".repeat(43)}`,
    `suido_adm_${"A".repeat(42)}`,
    `suido_adm_${"A".repeat(43)}\n`,
    `Suido_adm_${"A".repeat(43)}`,
    "' or true --",
  ])("%j is none", async (key) => {
    await expect(world.apiKeys.authenticate(key)).rejects.toThrow(unauthorized);
  });

  it("end at once when they are revoked here, with one deny and one audit row", async () => {
    const { key, id } = await world.apiKeys.create(world.staff, { role: "support" });
    await world.apiKeys.authenticate(key);
    await Promise.all([1, 2, 3].map(() => world.apiKeys.revoke(world.staff, id)));
    await expect(world.apiKeys.authenticate(key)).rejects.toThrow(unauthorized);
    expect(await world.denies(`api-key:${id}`)).toBe(1);
    expect(await world.actions(`api-key/${id}`)).toEqual(["api-key.created", "api-key.revoked"]);
    const { items } = await world.apiKeys.list(world.staff, { limit: 200 });
    expect(items.find((item) => item.id === id)?.revokedAt).toEqual(world.time.now);
  });

  it("end within a second when another process revoked them", async () => {
    const { clock, newId } = world.deps;
    const elsewhere = createApiKeys({ database: world.app, clock, random: sevens, newId });
    const { key, id } = await world.apiKeys.create(world.staff, { role: "support" });
    await elsewhere.authenticate(key);
    await world.apiKeys.revoke(world.staff, id);
    world.time.now = new Date(world.time.now.getTime() + 1_000);
    await expect(elsewhere.authenticate(key)).rejects.toThrow(unauthorized);
  });

  it("that are bound write their audit rows in their tenant", async () => {
    const { corporationId } = tenant;
    const { id } = await world.apiKeys.create(world.staff, { role: "product", corporationId });
    await world.apiKeys.revoke(tenant.principal, id);
    const { rows } = await world.superuser.query(
      "select corporation_id from app.audit where subject = $1 order by xid",
      [`api-key/${id}`],
    );
    expect(rows).toEqual([{ corporation_id: corporationId }, { corporation_id: corporationId }]);
  });

  it("refuse a bad label and a missing corporation", async () => {
    await expect(
      world.apiKeys.create(world.staff, { role: "proxy", label: "a\nb" }),
    ).rejects.toThrow(expect.objectContaining({ code: "invalid-value", field: "label" }));
    await expect(
      world.apiKeys.create(world.staff, { role: "proxy", corporationId: randomUUID() }),
    ).rejects.toThrow(expect.objectContaining({ code: "not-found", field: "corporationId" }));
  });
});
