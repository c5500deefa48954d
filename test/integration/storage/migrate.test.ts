import { createHash } from "node:crypto";
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { pino } from "pino";
import { afterAll, beforeEach, describe, expect, it } from "vitest";
import { prepareDatabase } from "../../../src/storage/bootstrap.ts";
import { type Role, openDatabase } from "../../../src/storage/database.ts";
import { emptyDatabase, freshDatabase, openSuperuser } from "../../support/database.ts";
import { type Login, createLogin } from "../../support/logins.ts";

const log = pino({ level: "silent" });
const folder = mkdtempSync(path.join(tmpdir(), "suido-migrations-"));
const drops: (() => Promise<void>)[] = [];

afterAll(async () => {
  rmSync(folder, { recursive: true });
  for (const drop of drops) await drop();
});

async function empty(): Promise<string> {
  const database = await emptyDatabase();
  drops.push(() => database.drop());
  return database.url;
}

async function ask<Row extends object>(url: string, text: string): Promise<Row[]> {
  const admin = await openSuperuser(url);
  try {
    return await admin.query<Row>(text);
  } finally {
    await admin.close();
  }
}

const applied = async (url: string): Promise<string[]> =>
  (
    await ask<{ name: string }>(
      url,
      "select migration_name as name from suido._prisma_migrations order by 1",
    )
  ).map(({ name }) => name);

function write(name: string, sql: string): void {
  mkdirSync(path.join(folder, name), { recursive: true });
  writeFileSync(path.join(folder, name, "migration.sql"), sql);
}

const NOT_READY: unknown = expect.objectContaining({ code: "database-not-ready" });

const prepare = (url: string): Promise<void> => prepareDatabase({ url, log, migrations: folder });

describe("the runner", () => {
  beforeEach(() => {
    rmSync(folder, { recursive: true });
    write("1_one", "create schema one; create table one.t (text text default 'a;b');");
    write(
      "2_two",
      "create function one.f() returns int language plpgsql as $$ begin return 1; end; $$;",
    );
  });

  it("applies all in order, as the owner, and nothing twice", async () => {
    const url = await empty();
    await prepare(url);
    await prepare(url);
    expect(await applied(url)).toEqual(["1_one", "2_two"]);
    expect(await ask(url, "select tableowner from pg_tables where schemaname = 'one'")).toEqual([
      { tableowner: "suido_owner" },
    ]);
  });

  it("writes rows that Prisma's own tool understands", async () => {
    const url = await empty();
    await prepare(url);
    const rows = await ask(
      url,
      "select checksum, finished_at is not null as finished, rolled_back_at, logs, applied_steps_count, length(id) as id from suido._prisma_migrations where migration_name = '1_one'",
    );
    const checksum = createHash("sha256")
      .update("create schema one; create table one.t (text text default 'a;b');")
      .digest("hex");
    expect(rows).toEqual([
      {
        checksum,
        finished: true,
        rolled_back_at: null,
        logs: null,
        applied_steps_count: 1,
        id: 36,
      },
    ]);
  });

  it("lets four programs start at once", async () => {
    const url = await empty();
    write("3_slow", "select pg_sleep(0.2); create table one.slow ();");
    await Promise.all([prepare(url), prepare(url), prepare(url), prepare(url)]);
    expect(await applied(url)).toEqual(["1_one", "2_two", "3_slow"]);
  });

  it("leaves nothing of a file that fails, and goes on once it is mended", async () => {
    const url = await empty();
    write("3_bad", "create table one.half (); select 1/0; create table one.other ();");
    await expect(prepare(url)).rejects.toThrow(/3_bad failed and left nothing: division by zero/);
    expect(await applied(url)).toEqual(["1_one", "2_two"]);
    expect(await ask(url, "select from pg_tables where tablename = 'half'")).toEqual([]);
    write("3_bad", "create table one.half ();");
    await prepare(url);
    expect(await applied(url)).toEqual(["1_one", "2_two", "3_bad"]);
  });

  it("refuses a database that a newer program has changed", async () => {
    const url = await empty();
    await prepare(url);
    rmSync(path.join(folder, "2_two"), { recursive: true });
    await expect(prepare(url)).rejects.toThrow(NOT_READY);
    await expect(prepare(url)).rejects.toThrow(
      "the database is newer than this program: it has the migration 2_two",
    );
  });

  it("refuses a file that was edited afterwards", async () => {
    const url = await empty();
    await prepare(url);
    write("1_one", "create schema one; -- edited");
    await expect(prepare(url)).rejects.toThrow(
      "the migration 1_one was edited after it had been applied",
    );
  });

  it("refuses what another tool has left unfinished", async () => {
    const url = await empty();
    await prepare(url);
    await ask(
      url,
      "update suido._prisma_migrations set finished_at = null where migration_name = '2_two'",
    );
    await expect(prepare(url)).rejects.toThrow(
      "the migration 2_two was begun by another tool and not finished",
    );
  });

  it("refuses a folder without migrations", async () => {
    rmSync(folder, { recursive: true });
    mkdirSync(folder);
    await expect(prepare(await empty())).rejects.toThrow(/no migrations/);
  });
});

describe("our migrations", () => {
  it("come as a folder that can lie anywhere", async () => {
    rmSync(folder, { recursive: true });
    cpSync("prisma/migrations", folder, { recursive: true });
    const url = await empty();
    await prepareDatabase({ url, log, migrations: folder });
    await prepareDatabase({ url, log });
    expect(await ask(url, "select from ca.issued")).toEqual([]);
  });

  it("give the owner all tables, and the login none", async () => {
    const fresh = await freshDatabase();
    drops.push(() => fresh.drop());
    const owners = await ask(
      fresh.url,
      "select distinct tableowner from pg_tables where schemaname in ('ca', 'app', 'suido')",
    );
    expect(owners).toEqual([{ tableowner: "suido_owner" }]);
  });
});

async function databaseWithLogin(attributes: string): Promise<{ adminUrl: string; login: Login }> {
  const adminUrl = await empty();
  const admin = await openSuperuser(adminUrl);
  const login = await createLogin(admin, adminUrl, attributes);
  await admin.close();
  return { adminUrl, login };
}

describe("a login that is no superuser", () => {
  it("without CREATEROLE gets the SQL to run, which is all that it needs", async () => {
    const { adminUrl, login } = await databaseWithLogin("");
    const error: unknown = await prepareDatabase({ url: login.url, log }).catch(
      (cause: unknown) => cause,
    );
    expect(error).toEqual(NOT_READY);
    const [sentence, ...sql] = String(error).split("\n");
    expect(sentence).toContain(`the login ${login.name} may not prepare the roles itself`);
    for (const statement of sql) await ask(adminUrl, statement);
    await prepareDatabase({ url: login.url, log });
    expect(await ask(adminUrl, "select from ca.issued")).toEqual([]);
  });

  it("becomes each role, and has no rights by itself", async () => {
    const { adminUrl, login } = await databaseWithLogin("");
    const error: unknown = await prepareDatabase({ url: login.url, log }).catch(
      (cause: unknown) => cause,
    );
    for (const statement of String(error).split("\n").slice(1)) await ask(adminUrl, statement);
    await prepareDatabase({ url: login.url, log });
    const roles: Role[] = ["suido_owner", "suido_app", "suido_va", "suido_signer", "suido_worker"];
    for (const role of roles) {
      const open = openDatabase({ url: login.url, role, max: 1, applicationName: "test" });
      expect(
        await open.query(
          "select current_user::text as role, count(*)::int as n from ca.issuer group by 1 union all select current_user, 0 limit 1",
        ),
      ).toEqual([{ role, n: 0 }]);
      await open.close();
    }
    const bare = await openSuperuser(login.url);
    await expect(bare.query("select from ca.issuer")).rejects.toThrow(
      expect.objectContaining({ code: "42501" }),
    );
    await bare.close();
  });
});

it("says that the database is away", async () => {
  await expect(prepareDatabase({ url: "postgres://x:y@127.0.0.1:1/z", log })).rejects.toThrow(
    expect.objectContaining({ code: "database-unavailable" }),
  );
});
