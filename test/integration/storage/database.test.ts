import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, describe, expect, it } from "vitest";
import { openDatabase } from "../../../src/storage/database.ts";
import { freshDatabase, openSuperuser } from "../../support/database.ts";
import { insertTenant } from "../../support/rows.ts";

const fresh = await freshDatabase();
const admin = await openSuperuser(fresh.url);
const open = (url: string, max = 2) =>
  openDatabase({ url, role: "suido_app", max, applicationName: "test" });
const app = open(fresh.url, 4);

afterAll(async () => {
  await app.close();
  await admin.close();
  await fresh.drop();
});

const UNAVAILABLE: unknown = expect.objectContaining({ code: "database-unavailable" });

describe("a connection", () => {
  it("works as the role, in UTC, whatever the URL asks for", async () => {
    const database = open(`${fresh.url}?options=-c%20work_mem%3D5MB%20-c%20timezone%3DAsia/Tokyo`);
    const [row] = await database.query(
      "select current_user as role, current_setting('timezone') as zone, current_setting('work_mem') as memory, current_setting('application_name') as name, current_setting('statement_timeout') as limit",
    );
    expect(row).toEqual({
      role: "suido_app",
      zone: "UTC",
      memory: "5MB",
      name: "test",
      limit: "4s",
    });
    await database.close();
  });

  it("gives columns the types that are promised", async () => {
    const [row] = await app.query(
      `select '\\x00ff'::bytea as bytes, 9007199254740993::bigint as big, 7::smallint as small,
              '2026-11-21T00:00:00.5Z'::timestamptz as at, '{"a":[1]}'::jsonb as json, null::text as nothing, array['a'] as list`,
    );
    expect(row).toEqual({
      bytes: Buffer.from("00ff", "hex"),
      big: "9007199254740993",
      small: 7,
      at: new Date("2026-11-21T00:00:00.500Z"),
      json: { a: [1] },
      nothing: null,
      list: ["a"],
    });
  });

  it("prepares a statement with a name once", async () => {
    const one = open(fresh.url, 1);
    await one.query("select $1::int as n", [1], "numbered");
    await one.query("select $1::int as n", [2], "numbered");
    expect(
      await one.query(
        "select name, generic_plans + custom_plans as plans from pg_prepared_statements",
      ),
    ).toEqual([{ name: "numbered", plans: "2" }]);
    await one.close();
  });
});

/** Holds the first ones until as many as this have come, so that all have read before one writes. */
function createBarrier(size: number): () => Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  let arrived = 0;
  return () => {
    arrived += 1;
    if (arrived === size) resolve();
    return promise;
  };
}

describe("a transaction", () => {
  it("leaves nothing behind when the work throws", async () => {
    const id = randomUUID();
    const work = app.tenant(id, async (sql) => {
      await sql.query(
        "insert into app.corporation (id, name, created_at, updated_at) values ($1, 'X', now(), now())",
        [id],
      );
      throw new RangeError("thought better of it");
    });
    await expect(work).rejects.toThrow(RangeError);
    expect(await admin.query("select from app.corporation where id = $1", [id])).toEqual([]);
  });

  it("does not pass for done when the work swallows a statement's error", async () => {
    const work = app.transaction(async (sql) => {
      await sql.query("select 1/0").catch(() => undefined);
    });
    await expect(work).rejects.toThrow("the transaction was rolled back");
  });

  it("reads one snapshot when asked to, and writes nothing when read-only", async () => {
    const { corporationId } = await insertTenant(admin, "Snapshot");
    const count = "select count(*)::int as n from ca.change";
    const counts = await app.transaction(
      async (sql) => {
        const before = await sql.query(count);
        await app.query("select ca.record_deny($1, now())", [`corporation:${corporationId}`]);
        return [before, await sql.query(count)];
      },
      { isolation: "repeatable read", readOnly: true },
    );
    expect(counts).toEqual([[{ n: 0 }], [{ n: 0 }]]);
    const write = app.transaction((sql) => sql.query("update app.api_key set revoked_at = now()"), {
      readOnly: true,
    });
    await expect(write).rejects.toThrow("read-only");
  });

  it("is done again after serialization failures, until every one counts", async () => {
    await admin.query("create table app.counter (n integer not null)");
    await admin.query("insert into app.counter values (0)");
    await admin.query("grant select, update on app.counter to suido_app");
    let calls = 0;
    const barrier = createBarrier(3);
    const increment = (): Promise<void> =>
      app.transaction(
        async (sql) => {
          calls += 1;
          const [row] = await sql.query<{ n: number }>("select n from app.counter");
          await barrier();
          await sql.query("update app.counter set n = $1", [(row?.n ?? 0) + 1]);
        },
        { isolation: "repeatable read" },
      );
    await Promise.all([increment(), increment(), increment()]);
    expect(await app.query("select n from app.counter")).toEqual([{ n: 3 }]);
    expect(calls).toBeGreaterThan(3);
  });

  it("is given up after five more attempts", async () => {
    let calls = 0;
    const work = app.transaction(async (sql) => {
      calls += 1;
      await sql.query("do $$ begin raise exception 'again' using errcode = '40001'; end $$");
    });
    await expect(work).rejects.toThrow(expect.objectContaining({ code: "40001" }));
    expect(calls).toBe(6);
  });
});

describe("a database that is away", () => {
  it.for([
    { name: "nobody listens", url: "postgres://x:y@127.0.0.1:1/z" },
    { name: "no such socket", url: "postgres://x:y@/z?host=/nonexistent" },
    { name: "no such host", url: "postgres://x:y@host.invalid/z" },
  ])("is said to be unavailable: $name", async ({ url }) => {
    const database = open(url);
    await expect(database.query("select 1")).rejects.toThrow(UNAVAILABLE);
    await expect(database.transaction(async () => 1)).rejects.toThrow(UNAVAILABLE);
    await expect(database.tenant(randomUUID(), async () => 1)).rejects.toThrow(UNAVAILABLE);
    await database.close();
  });

  it("ends a transaction, but neither the process nor the pool", async () => {
    const errors: Error[] = [];
    const database = openDatabase({
      url: fresh.url,
      role: "suido_app",
      max: 2,
      applicationName: "victim",
      onError: (error) => errors.push(error),
    });
    const kill =
      "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'victim' and datname = current_database()";
    const work = database.transaction(async (sql) => {
      await sql.query("select 1");
      await admin.query(kill);
      await sleep(100);
      return sql.query("select 1");
    });
    await expect(work).rejects.toThrow(UNAVAILABLE);
    expect(await database.query("select 2 as n")).toEqual([{ n: 2 }]);
    const before = errors.length;
    await admin.query(kill);
    await expect.poll(() => errors.length, { timeout: 10_000 }).toBeGreaterThan(before);
    expect(await database.query("select 3 as n")).toEqual([{ n: 3 }]);
    await database.close();
  });

  it("is not what a refusal is called", async () => {
    await expect(app.query("select 1/0")).rejects.toThrow(
      expect.objectContaining({ code: "22012" }),
    );
  });
});
