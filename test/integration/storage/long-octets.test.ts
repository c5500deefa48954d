import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { type Database, openDatabase } from "../../../src/storage/database.ts";
import { readLongOctets } from "../../../src/storage/long-octets.ts";
import { timestampAt } from "../../../src/storage/timestamp.ts";
import { type FreshDatabase, freshDatabase } from "../../support/database.ts";

const MEGABYTE = 1024 * 1024;

let fresh: FreshDatabase;
let database: Database;

beforeAll(async () => {
  fresh = await freshDatabase();
  // One connection, so that the table is there all the time.
  database = openDatabase({ url: fresh.url, role: "suido_owner", max: 1, applicationName: "test" });
  await database.query("create temporary table long (id integer, octets bytea)");
  await database.query("alter table long alter column octets set storage external");
});
afterAll(async () => {
  await database.close();
  await fresh.drop();
});

const read = (id: number): Promise<Buffer | undefined> =>
  database.transaction((sql) =>
    readLongOctets(sql, "select octets from long where id = $1::int", [String(id)]),
  );

describe("octets that come in parts are the same", () => {
  it.for([
    ["none", 0],
    ["one", 1],
    ["one part", MEGABYTE / 4],
    ["one part and one more", MEGABYTE / 4 + 1],
    ["several parts", 9 * MEGABYTE],
  ] as const)("%s", async ([, length]) => {
    const octets = randomBytes(length);
    await database.query("insert into long values ($1, $2)", [length, octets]);
    expect((await read(length))?.equals(octets)).toBe(true);
  });

  it("and undefined where there is no row", async () => {
    expect(await read(-1)).toBeUndefined();
  });
});

const timers = (): number =>
  process.getActiveResourcesInfo().filter((each) => each === "Timeout").length;

describe("columns as octets", () => {
  it("come in the binary form of their types, row after row", async () => {
    const rows = await database.transaction((sql) =>
      sql.octets(
        "select n, decode(repeat('ab', n), 'hex'), $1::text, $2::timestamptz from generate_series(0, 2) as n",
        ["it's \\ $2", new Date("2026-11-26T12:34:56.789Z")],
      ),
    );
    expect(rows.map(([n, octets]) => [n?.readInt32BE(0), octets?.toString("hex")])).toEqual([
      [0, ""],
      [1, "ab"],
      [2, "abab"],
    ]);
    const [, , text, at] = rows[0] as [Buffer, Buffer, Buffer, Buffer];
    expect(text.toString()).toBe("it's \\ $2");
    expect(timestampAt(at, 0)).toBe(Date.parse("2026-11-26T12:34:56.789Z"));
  });

  it("leave no timer behind that would hold up the end of the process", async () => {
    const before = timers();
    await database.transaction(async (sql) => {
      for (let i = 0; i < 20; i += 1) await sql.octets("select 1", []);
    });
    const failing = database.transaction((sql) => sql.octets("select 1 / 0", []));
    await expect(failing).rejects.toMatchObject({ code: "22012" });
    // One of the pool's own may have come: after a while without work it closes a connection.
    expect(timers()).toBeLessThan(before + 5);
  });

  it("fail like any statement, and leave the connection in order", async () => {
    const divide = database.transaction((sql) => sql.octets("select 1 / 0", []));
    await expect(divide).rejects.toMatchObject({ code: "22012" });
    const late = database.transaction((sql) =>
      sql.octets("select 1 / (1000 - n) from generate_series(1, 1000) as n", []),
    );
    await expect(late).rejects.toMatchObject({ code: "22012" });
    expect(await database.transaction((sql) => sql.octets("select 1 where false", []))).toEqual([]);
  });
});

it.for([
  "1970-01-01T00:00:00.000Z",
  "1999-12-31T23:59:59.999Z",
  "2026-11-26T12:34:56.789Z",
  "2106-02-07T06:28:16.001Z",
])("a time as PostgreSQL sends it is the same: %s", async (text) => {
  const [row] = await database.query<{ sent: Buffer }>(
    "select timestamptz_send($1::timestamptz) as sent",
    [text],
  );
  expect(new Date(timestampAt(row?.sent ?? Buffer.alloc(8), 0)).toISOString()).toBe(text);
});
