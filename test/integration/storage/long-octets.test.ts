import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { readLongOctets } from "../../../src/storage/long-octets.ts";
import { timestampAt } from "../../../src/storage/timestamp.ts";
import { type FreshDatabase, freshDatabase, openSuperuser } from "../../support/database.ts";

const MEGABYTE = 1024 * 1024;

let fresh: FreshDatabase;
let sql: Awaited<ReturnType<typeof openSuperuser>>;

beforeAll(async () => {
  fresh = await freshDatabase();
  sql = await openSuperuser(fresh.url);
  await sql.query("create temporary table long (id integer, octets bytea)");
  await sql.query("alter table long alter column octets set storage external");
});
afterAll(async () => {
  await sql.close();
  await fresh.drop();
});

const read = (id: number): Promise<Buffer | undefined> =>
  readLongOctets(
    sql,
    "select substring(octets from $1 for $2) as part, length(octets) as length from long where id = $3",
    [id],
  );

describe("octets that come in parts are the same", () => {
  it.for([
    ["none", 0],
    ["one", 1],
    ["one part", 4 * MEGABYTE],
    ["one part and one more", 4 * MEGABYTE + 1],
    ["several parts", 9 * MEGABYTE],
  ] as const)("%s", async ([, length]) => {
    const octets = randomBytes(length);
    await sql.query("insert into long values ($1, $2)", [length, octets]);
    expect((await read(length))?.equals(octets)).toBe(true);
  });

  it("and undefined where there is no row", async () => {
    expect(await read(-1)).toBeUndefined();
  });
});

it.for([
  "1970-01-01T00:00:00.000Z",
  "1999-12-31T23:59:59.999Z",
  "2026-11-26T12:34:56.789Z",
  "2106-02-07T06:28:16.001Z",
])("a time as PostgreSQL sends it is the same: %s", async (text) => {
  const [row] = await sql.query<{ sent: Buffer }>(
    "select timestamptz_send($1::timestamptz) as sent",
    [text],
  );
  expect(new Date(timestampAt(row?.sent ?? Buffer.alloc(8), 0)).toISOString()).toBe(text);
});
