import { randomUUID } from "node:crypto";
import pg from "pg";
import { afterAll, describe, expect, it } from "vitest";
import { openDatabase } from "../../../src/storage/database.ts";
import type { Sql } from "../../../src/storage/sql.ts";
import type { TenantWork } from "../../../src/storage/together.ts";
import { freshDatabase, openSuperuser } from "../../support/database.ts";
import { insertTenant, type Tenant } from "../../support/rows.ts";

const fresh = await freshDatabase();
const admin = await openSuperuser(fresh.url);
const app = openDatabase({
  url: fresh.url,
  role: "suido_app",
  max: 2,
  applicationName: "together",
});
const tenants: Tenant[] = [];
for (const name of ["a", "b", "c"]) tenants.push(await insertTenant(admin, name));

afterAll(async () => {
  await app.close();
  await admin.close();
  await fresh.drop();
});

interface Names {
  readonly names: readonly string[];
}

const NAMES = "select array_agg(name order by name) as names from app.pharmacy";
const ADD = `insert into app.pharmacy (id, corporation_id, name, created_at, updated_at)
  values ($1, app.current_corporation(), $2, now(), now())`;

/** The work of each tenant. */
const each = <T>(work: (sql: Sql, place: number) => Promise<T>): TenantWork<T>[] =>
  tenants.map(({ corporationId }, place) => ({
    corporationId,
    work: (sql) => work(sql, place),
  }));

const pharmacies = async (): Promise<readonly string[]> => {
  const [row] = await admin.query<Names>(NAMES);
  return row?.names ?? [];
};

describe("works of several tenants in one transaction", () => {
  it("see and write their own rows only, however their statements come between each other", async () => {
    const outcomes = await app.together(
      each(async (sql, place) => {
        const before = await sql.query<Names>(NAMES, [], "names");
        for (let wait = 0; wait < place; wait++) await Promise.resolve();
        await sql.query(ADD, [randomUUID(), `new ${place}`], "add");
        return [before, await sql.query<Names>(NAMES, [], "names")].map(([row]) => row?.names);
      }),
    );
    expect(outcomes).toEqual(
      ["a", "b", "c"].map((name, place) => ({
        status: "fulfilled",
        value: [[`${name} pharmacy`], [`${name} pharmacy`, `new ${place}`]],
      })),
    );
    const rows = await admin.query<{ one: string }>(
      "select count(distinct xmin::text)::text as one from app.pharmacy where name like 'new %'",
    );
    expect(rows).toEqual([{ one: "1" }]);
  });

  it("fail one by one for reasons of their own", async () => {
    const outcomes = await app.together(
      each(async (sql, place) => {
        const [row] = await sql.query<{ n: number }>("select $1::int as n", [place]);
        if (row?.n === 1) throw new RangeError("not this one");
        await sql.query(ADD, [randomUUID(), `kept ${place}`]);
        return place;
      }),
    );
    expect(outcomes).toEqual([
      { status: "fulfilled", value: 0 },
      { status: "rejected", reason: new RangeError("not this one") },
      { status: "fulfilled", value: 2 },
    ]);
    expect(await pharmacies()).toEqual(expect.arrayContaining(["kept 0", "kept 2"]));
  });

  it("are all undone when a statement fails, even one whose error its work swallows", async () => {
    const before = await pharmacies();
    const outcomes = await app.together(
      each(async (sql, place) => {
        await sql.query(ADD, [randomUUID(), `lost ${place}`]).catch(() => undefined);
        if (place === 1) await sql.query("select 1/0").catch(() => undefined);
      }),
    );
    expect(outcomes).toBeUndefined();
    expect(await pharmacies()).toEqual(before);
    // The connection is as good as before.
    expect(await app.together(each((_, place) => Promise.resolve(place)))).toHaveLength(3);
  });

  it("give way to whoever holds a lock", async () => {
    const holder = new pg.Client({ connectionString: fresh.url });
    await holder.connect();
    await holder.query("begin; lock table app.pharmacy in access exclusive mode");
    const began = performance.now();
    expect(await app.together(each((sql) => sql.query(NAMES)))).toBeUndefined();
    expect(performance.now() - began).toBeLessThan(2_000);
    await holder.query("rollback");
    await holder.end();
  });

  it("are told when the database goes away meanwhile", async () => {
    const outcomes = app.together(
      each(async (sql, place) => {
        if (place === 1)
          await admin.query(
            "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'together'",
          );
        return sql.query(NAMES);
      }),
    );
    await expect(outcomes).rejects.toMatchObject({ code: "database-unavailable" });
    expect(await app.together(each((_, place) => Promise.resolve(place)))).toHaveLength(3);
  });
});
