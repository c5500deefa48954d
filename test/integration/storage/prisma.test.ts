import { randomUUID } from "node:crypto";
import { afterAll, describe, expect, it } from "vitest";
import { foreignKeyViolation, sqlState, uniqueViolation } from "../../../src/storage/errors.ts";
import { openPrisma, sqlOf } from "../../../src/storage/prisma.ts";
import { freshDatabase, openSuperuser } from "../../support/database.ts";
import { insertIssued, insertIssuer, insertTenant } from "../../support/rows.ts";

const fresh = await freshDatabase();
const admin = await openSuperuser(fresh.url);
// A server in Japan: Prisma's adapter sends times without an offset.
await admin.query(
  `alter database ${new URL(fresh.url).pathname.slice(1)} set timezone = 'Asia/Tokyo'`,
);
const store = openPrisma({ url: fresh.url, max: 3 });
const a = await insertTenant(admin, "A");
const b = await insertTenant(admin, "B");
const serial = await insertIssued(admin, await insertIssuer(admin), "good");

afterAll(async () => {
  await store.close();
  await admin.close();
  await fresh.drop();
});

const AT = new Date("2026-11-21T03:04:05.678Z");
const pharmacy = (corporationId: string) => ({
  id: randomUUID(),
  corporationId,
  name: "港薬局",
  code: "P1",
  createdAt: AT,
  updatedAt: AT,
});

describe("a tenant's transaction", () => {
  it("sees its own rows only", async () => {
    const seen = await store.tenant(a.corporationId, (tx) =>
      tx.account.findMany({ select: { id: true } }),
    );
    expect(seen).toEqual([{ id: a.accountId }]);
  });

  it("refuses a row of another", async () => {
    const error: unknown = await store
      .tenant(a.corporationId, (tx) => tx.pharmacy.create({ data: pharmacy(b.corporationId) }))
      .catch((cause: unknown) => cause);
    expect(sqlState(error)).toBe("42501");
  });

  it("leaks nothing among 150 mixed ones on three connections", async () => {
    const answers = await Promise.all(
      Array.from({ length: 150 }, async (_, turn) => {
        const scope = [a.corporationId, b.corporationId, undefined][turn % 3];
        const ids = await (scope === undefined
          ? store.across((tx) => tx.account.findMany())
          : store.tenant(scope, (tx) => tx.account.findMany()));
        return { scope, ids: ids.map(({ corporationId }) => corporationId) };
      }),
    );
    expect(answers.filter(({ scope, ids }) => ids.join() !== (scope ?? ""))).toEqual([]);
  });

  it("keeps times, though the server lives in another zone", async () => {
    const data = pharmacy(a.corporationId);
    const back = await store.tenant(a.corporationId, async (tx) => {
      await tx.pharmacy.create({ data });
      await sqlOf(tx).query("update app.pharmacy set updated_at = $2 where id = $1::uuid", [
        data.id,
        AT,
      ]);
      return tx.pharmacy.findUniqueOrThrow({ where: { id: data.id } });
    });
    expect(back).toEqual(data);
    const [row] = await admin.query(
      "select created_at, updated_at from app.pharmacy where id = $1",
      [data.id],
    );
    expect(row).toEqual({ created_at: AT, updated_at: AT });
  });

  it("names the constraint that a row runs into", async () => {
    const twice = await store
      .tenant(b.corporationId, async (tx) => {
        await tx.pharmacy.create({ data: pharmacy(b.corporationId) });
        await tx.pharmacy.create({ data: pharmacy(b.corporationId) });
      })
      .catch((cause: unknown) => cause);
    expect(uniqueViolation(twice)).toBe("pharmacy_corporation_id_code_key");
    expect(foreignKeyViolation(twice)).toBeUndefined();
    const used = await store
      .tenant(b.corporationId, (tx) => tx.pharmacy.delete({ where: { id: b.pharmacyId } }))
      .catch((cause: unknown) => cause);
    expect(foreignKeyViolation(used)).toMatch(/_corporation_id_pharmacy_id_fkey$/);
    expect(uniqueViolation(used)).toBeUndefined();
  });

  it("is done again after a deadlock", async () => {
    const c = await insertTenant(admin, "C");
    let calls = 0;
    const touch = (first: "pharmacy" | "device") =>
      store.tenant(c.corporationId, async (tx) => {
        calls += 1;
        const steps = {
          pharmacy: () => sqlOf(tx).query("select from app.pharmacy for update"),
          device: () => sqlOf(tx).query("select from app.device for update"),
        };
        await steps[first]();
        await new Promise((resolve) => setTimeout(resolve, 100));
        await steps[first === "pharmacy" ? "device" : "pharmacy"]();
      });
    await Promise.all([touch("pharmacy"), touch("device")]);
    expect(calls).toBe(3);
  });
});

describe("Prisma's transaction as Sql", () => {
  it("gives columns the types that pg gives", async () => {
    const text = `select '\\x00ff'::bytea as bytes, 9007199254740993::bigint as big, 7::smallint as small,
      '2026-11-21T00:00:00.5Z'::timestamptz as at, '{"a":[1]}'::jsonb as json, null::text as nothing, array['a'] as list,
      gen_random_uuid() is not null as yes`;
    const [row] = await store.across((tx) => sqlOf(tx).query(text));
    expect([row]).toEqual(await admin.query(text));
    expect(row).toHaveProperty("bytes", Buffer.from("00ff", "hex"));
  });

  it("takes the values that pg takes", async () => {
    const values = [AT, Buffer.from("00ff", "hex"), "x", 7, null, ["a", "b"], [serial], true];
    const text = `select $1::timestamptz as at, $2::bytea as bytes, $3::text as text, $4::int as n, $5::text as nothing,
      $6::text[] as list, $7::bytea[] as serials, $8::boolean as yes`;
    const [row] = await store.across((tx) => sqlOf(tx).query(text, values));
    expect([row]).toEqual(await admin.query(text, values));
  });
});

it("reads certificates, with the binding's relations", async () => {
  const found = await store.across((tx) =>
    tx.issued.findUniqueOrThrow({
      where: { serial: new Uint8Array(serial) },
      include: { bindings: true },
    }),
  );
  expect(found).toMatchObject({
    issuerId: "issuing-g1",
    state: "good",
    dnsNames: [],
    bindings: [],
  });
});

it("says that the database is away", async () => {
  const away = openPrisma({ url: "postgres://x:y@127.0.0.1:1/z", max: 1 });
  await expect(away.across((tx) => tx.issued.count())).rejects.toThrow(
    expect.objectContaining({ code: "database-unavailable" }),
  );
  await away.close();
});

it("survives that its connections are cut", async () => {
  await store.across((tx) => tx.issued.count());
  await admin.query(
    "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'suido-prisma' and datname = current_database()",
  );
  await new Promise((resolve) => setTimeout(resolve, 100));
  expect(await store.across((tx) => tx.issued.count())).toBe(1);
});
