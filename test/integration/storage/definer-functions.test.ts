import { afterAll, beforeAll, expect, it } from "vitest";

import { freshDatabase, type FreshDatabase, openSuperuser } from "../../support/database.ts";

let database: FreshDatabase;
beforeAll(async () => {
  database = await freshDatabase();
});
afterAll(() => database.drop());

/** What a function runs as its owner must not be found in a schema that its caller fills, pg_temp above all. */
it("every function that runs as its owner looks for names in pg_catalog first and in pg_temp last", async () => {
  const superuser = await openSuperuser(database.url);
  const rows = await superuser.query<{ name: string; path: string }>(
    `select p.oid::regprocedure::text as name, coalesce((select setting from unnest(p.proconfig) as setting where setting like 'search_path=%'), '') as path
     from pg_proc p join pg_namespace n on n.oid = p.pronamespace
     where p.prosecdef and n.nspname in ('ca', 'app', 'party') order by 1`,
  );
  await superuser.close();
  expect(rows.length).toBeGreaterThan(10);
  expect(rows.filter(({ path }) => path !== "search_path=pg_catalog, pg_temp")).toEqual([]);
});
