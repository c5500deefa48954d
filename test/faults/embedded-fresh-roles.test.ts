import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { pino } from "pino";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { prepareDatabase } from "../../src/storage/bootstrap.ts";
import { openDatabase } from "../../src/storage/database.ts";
import { startEmbedded } from "../../src/storage/embedded.ts";
import type { Sql } from "../../src/storage/sql.ts";
import { openSuperuser } from "../support/database.ts";
import { type DebianServer, startDebianServer } from "../support/debian-postgresql.ts";
import { type Login, createLogin } from "../support/logins.ts";

const log = pino({ level: "silent" });
const dataDir = mkdtempSync(path.join(tmpdir(), "suido-roles-"));
const ROLES = ["suido_app", "suido_owner", "suido_signer", "suido_va", "suido_worker"];

/** Servers of their own, because roles belong to all databases of one: the newest, and one from before grants had options. */
const SERVERS: { name: string; start: () => Promise<DebianServer> }[] = [
  { name: "embedded", start: () => startEmbedded({ dataDir, log, settings: { fsync: "off" } }) },
  { name: "Debian's", start: startDebianServer },
];

afterAll(() => rmSync(dataDir, { recursive: true }));

async function roleOf(login: Login): Promise<unknown[]> {
  const database = openDatabase({
    url: login.url,
    role: "suido_app",
    max: 1,
    applicationName: "test",
  });
  try {
    return await database.query(
      "select current_user as role, session_user as login, count(*)::int as n from ca.issued",
    );
  } finally {
    await database.close();
  }
}

describe.for(SERVERS)("a fresh server, $name", ({ start }) => {
  let server: DebianServer;
  let admin: Sql & { close(): Promise<void> };

  beforeAll(async () => {
    server = await start();
    admin = await openSuperuser(server.url);
  });

  afterAll(async () => {
    await admin.close();
    await server.stop();
  });

  let count = 0;
  let url = "";
  let name = "";

  beforeEach(async () => {
    count += 1;
    name = `fresh_${count}`;
    await admin.query(`create database ${name}`);
    const changed = new URL(server.url);
    changed.pathname = `/${name}`;
    url = changed.href;
  });

  async function forgetRoles(): Promise<void> {
    const databases = await admin.query<{ name: string }>(
      "select datname as name from pg_database where datname like 'fresh%'",
    );
    for (const database of databases)
      await admin.query(`drop database ${database.name} with (force)`);
    for (const role of ROLES) await admin.query(`drop role if exists ${role}`);
    await admin.query(`create database ${name}`);
  }

  const roles = async (): Promise<string[]> =>
    (
      await admin.query<{ role: string }>(
        "select rolname as role from pg_roles where rolname like 'suido\\_%' and not rolcanlogin order by 1",
      )
    ).map(({ role }) => role);

  it("programs that start at once in several databases make the roles together", async () => {
    await forgetRoles();
    await admin.query("create database fresh_other");
    const other = url.replace(/[^/]+$/, "fresh_other");
    await Promise.all([url, url, other, other].map((each) => prepareDatabase({ url: each, log })));
    expect(await roles()).toEqual(ROLES);
  });

  it("a login that may create roles and owns its database needs nobody", async () => {
    await forgetRoles();
    const login = await createLogin(admin, url, "createrole");
    await admin.query(`alter database ${name} owner to ${login.name}`);
    await prepareDatabase({ url: login.url, log });
    expect(await roles()).toEqual(ROLES);
    expect(await roleOf(login)).toEqual([{ role: "suido_app", login: login.name, n: 0 }]);
  });

  it("a login that may not is given the SQL, and then works", async () => {
    await forgetRoles();
    const login = await createLogin(admin, url, "");
    const error: unknown = await prepareDatabase({ url: login.url, log }).catch(
      (cause: unknown) => cause,
    );
    const sql = String(error).split("\n").slice(1);
    expect(sql.slice(0, 5)).toEqual([
      "create role suido_owner nologin;",
      "create role suido_app nologin;",
      "create role suido_va nologin;",
      "create role suido_signer nologin;",
      "create role suido_worker nologin;",
    ]);
    const inside = await openSuperuser(url);
    for (const statement of sql) await inside.query(statement);
    await inside.close();
    await prepareDatabase({ url: login.url, log });
    expect(await roleOf(login)).toEqual([{ role: "suido_app", login: login.name, n: 0 }]);
  });

  it("the login inherits nothing, so that it has no rights before SET ROLE", async () => {
    await forgetRoles();
    const login = await createLogin(admin, url, "createrole");
    await admin.query(`alter database ${name} owner to ${login.name}`);
    await prepareDatabase({ url: login.url, log });
    const bare = await openSuperuser(login.url);
    await expect(bare.query("select from ca.issued")).rejects.toThrow(
      expect.objectContaining({ code: "42501" }),
    );
    await bare.close();
  });
});
