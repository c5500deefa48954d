import { spawn } from "node:child_process";
import { once } from "node:events";
import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import { pino } from "pino";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  type Embedded,
  type EmbeddedOptions,
  embeddedUrl,
  startEmbedded,
} from "../../src/storage/embedded.ts";
import type { EmbeddedPostgresError } from "../../src/storage/errors.ts";
import { startProcess } from "../support/embedded-process.ts";

const log = pino({ level: "silent" });
let dataDir = "";
let running: Embedded[] = [];

beforeEach(() => {
  dataDir = mkdtempSync(path.join(tmpdir(), "suido-embedded-"));
  running = [];
});

afterEach(async () => {
  await Promise.all(running.map((server) => server.stop()));
  rmSync(dataDir, { recursive: true });
});

/** Without fsync, for speed: these tests end processes, not the machine. */
async function start(
  folder = dataDir,
  options: Partial<EmbeddedOptions> = { settings: { fsync: "off" } },
): Promise<Embedded> {
  const server = await startEmbedded({ dataDir: folder, log, ...options });
  running.push(server);
  return server;
}

async function ask(url: string, text: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(text)).rows;
  } finally {
    await client.end();
  }
}

const cluster = (): string => path.join(dataDir, "postgres");
const postmasterPid = (): number =>
  Number(readFileSync(path.join(cluster(), "postmaster.pid"), "utf8").split("\n")[0]);

describe("the first start", () => {
  it("makes a cluster with checksums that listens on loopback and asks for a password", async () => {
    const { url } = await start(dataDir, {});
    const [settings] = await ask(
      url,
      `select current_setting('data_checksums') as checksums, current_setting('listen_addresses') as addresses,
              current_setting('unix_socket_directories') as sockets, current_setting('password_encryption') as password,
              current_setting('fsync') as fsync, current_setting('server_encoding') as encoding, current_database() as database`,
    );
    expect(settings).toEqual({
      checksums: "on",
      addresses: "127.0.0.1",
      sockets: "",
      password: "scram-sha-256",
      fsync: "on",
      encoding: "UTF8",
      database: "suido",
    });
    const wrong = url.replace(/:[^:@]+@/, ":wrong@");
    await expect(ask(wrong, "select 1")).rejects.toThrow(
      expect.objectContaining({ code: "28P01" }),
    );
  });

  it("leaves the password to the owner of the data folder only", async () => {
    const { url } = await start();
    expect(statSync(path.join(dataDir, "postgres.url")).mode & 0o777).toBe(0o600);
    expect(embeddedUrl(dataDir)).toBe(url);
    expect(readdirSync(dataDir).toSorted()).toEqual(["postgres", "postgres.log", "postgres.url"]);
    expect(statSync(cluster()).mode & 0o777).toBe(0o700);
  });

  it("never runs the server as root", async () => {
    await start();
    const status = readFileSync(`/proc/${postmasterPid()}/status`, "utf8");
    const [, uid] = /^Uid:\s+(\d+)/m.exec(status) ?? [];
    expect(Number(uid)).toBeGreaterThan(0);
    expect(Number(uid)).toBe(statSync(cluster()).uid);
  });

  it("makes the data folder, closed to others, and clears what a killed one has left half-made", async () => {
    const folder = path.join(dataDir, "deep", "data");
    mkdirSync(path.join(folder, "postgres.new-1", "base"), { recursive: true });
    await start(folder);
    expect(readdirSync(folder)).not.toContain("postgres.new-1");
  });
});

describe("the next start", () => {
  it("finds its rows at the same URL", async () => {
    const first = await start();
    await ask(first.url, "create table kept as select 42 as n");
    await first.stop();
    const second = await start();
    expect(second.url).toBe(first.url);
    expect(await ask(second.url, "select n from kept")).toEqual([{ n: 42 }]);
  });

  it("takes another port when somebody else has its own", async () => {
    const first = await start();
    await first.stop();
    const taken = spawn(process.execPath, [
      "-e",
      `require("net").createServer().listen(${new URL(first.url).port},"127.0.0.1",()=>console.log("up"))`,
    ]);
    await once(taken.stdout, "data");
    const second = await start();
    taken.kill();
    expect(second.url).not.toBe(first.url);
    expect(await ask(second.url, "select 1 as n")).toEqual([{ n: 1 }]);
  });

  it("is not misled by a stale postmaster.pid whose number lives on as another process", async () => {
    await (await start()).stop();
    const { uid, gid } = statSync(cluster());
    const other = spawn("sleep", ["60"], { uid, gid });
    await once(other, "spawn");
    writeFileSync(
      path.join(cluster(), "postmaster.pid"),
      `${other.pid}\n/proc/self/cwd\n1\n5432\n\n127.0.0.1\n`,
    );
    const { url } = await start();
    expect(await ask(url, "select 1 as n")).toEqual([{ n: 1 }]);
    expect(other.exitCode).toBeNull();
    other.kill();
  });
});

it("serves two folders side by side", async () => {
  const [a, b] = await Promise.all([
    start(path.join(dataDir, "a")),
    start(path.join(dataDir, "b")),
  ]);
  await ask(a.url, "create table only_a ()");
  expect(await ask(b.url, "select from pg_tables where tablename = 'only_a'")).toEqual([]);
});

describe("a second one on the same folder", () => {
  const SENTENCE =
    /^another suido process is working with the data folder .+: stop it first, or choose another folder$/;

  it("is refused in one sentence and leaves the first alone", async () => {
    const { url } = await start();
    await expect(start()).rejects.toThrow(SENTENCE);
    const { said } = await startProcess(dataDir);
    expect(said.error).toMatch(SENTENCE);
    expect(await ask(url, "select 1 as n")).toEqual([{ n: 1 }]);
  });
});

describe("kill -9 of the server", () => {
  it("is reported, loses no acknowledged row of 4 writers, and the next start has the same URL", async () => {
    const exits: EmbeddedPostgresError[] = [];
    const { url } = await start(dataDir, {
      settings: { fsync: "off" },
      onExit: (error) => exits.push(error),
    });
    await ask(url, "create table written (n integer)");
    const acknowledged: number[] = [];
    const writer = async (from: number): Promise<void> => {
      const client = new pg.Client({ connectionString: url });
      client.on("error", () => undefined);
      await client.connect();
      for (let n = from; ; n += 4) {
        await client.query("insert into written values ($1)", [n]);
        acknowledged.push(n);
      }
    };
    const writers = [0, 1, 2, 3].map(writer);
    await expect.poll(() => acknowledged.length, { timeout: 10_000 }).toBeGreaterThan(100);
    process.kill(postmasterPid(), "SIGKILL");
    await Promise.allSettled(writers);
    await expect.poll(() => exits, { timeout: 10_000 }).toHaveLength(1);
    expect(exits[0]?.message).toMatch(
      /^the embedded PostgreSQL cannot run: its server ended by signal SIGKILL .*DATABASE_URL/,
    );
    const again = await start();
    expect(again.url).toBe(url);
    const found = new Set(
      (await ask(url, "select n from written")).map((row) => (row as { n: number }).n),
    );
    expect(acknowledged.filter((n) => !found.has(n))).toEqual([]);
  });

  it("is not reported when it was stopped on purpose", async () => {
    const exits: Error[] = [];
    const server = await start(dataDir, {
      settings: { fsync: "off" },
      onExit: (error) => exits.push(error),
    });
    await Promise.all([server.stop(), server.stop()]);
    expect(exits).toEqual([]);
  });
});

describe("kill -9 of the program", () => {
  it("leaves a server that the next start replaces, with every row", async () => {
    const killed = await startProcess(dataDir);
    await ask(killed.said.url ?? "", "create table kept as select 42 as n");
    const orphan = postmasterPid();
    await killed.kill();
    expect(await ask(killed.said.url ?? "", "select n from kept")).toEqual([{ n: 42 }]);
    const { url } = await start();
    expect(url).toBe(killed.said.url);
    expect(postmasterPid()).not.toBe(orphan);
    expect(await ask(url, "select n from kept")).toEqual([{ n: 42 }]);
  });

  it.for([20, 150, 300, 450])(
    "in the middle of the first start, after %i ms, is no obstacle",
    async (delay) => {
      const starting = spawn(process.execPath, [
        path.resolve("test/support/embedded-program.ts"),
        dataDir,
      ]);
      const exit = once(starting, "exit");
      await sleep(delay);
      starting.kill("SIGKILL");
      await exit;
      const { url } = await start();
      expect(await ask(url, "select 1 as n")).toEqual([{ n: 1 }]);
    },
  );
});

it("stops at once, though clients sleep in it", async () => {
  const server = await start();
  const sleeping = ask(server.url, "select pg_sleep(60)").catch((error: unknown) => error);
  await sleep(100);
  const before = performance.now();
  await server.stop();
  expect(performance.now() - before).toBeLessThan(5_000);
  expect(await sleeping).toBeInstanceOf(Error);
});

describe("what it cannot do it says in one sentence that names DATABASE_URL", () => {
  it.for([
    {
      name: "data of another version",
      spoil: () => writeFileSync(path.join(cluster(), "PG_VERSION"), "17\n"),
      says: /were written by PostgreSQL 17, and this one is 18/,
    },
    {
      name: "no password",
      spoil: () => rmSync(path.join(dataDir, "postgres.url")),
      says: /its password cannot be read/,
    },
    {
      name: "a file that is no URL",
      spoil: () => writeFileSync(path.join(dataDir, "postgres.url"), "x"),
      says: /holds no URL of ours/,
    },
    {
      name: "broken settings",
      spoil: () => writeFileSync(path.join(cluster(), "postgresql.conf"), "port = x\n"),
      says: /its server ended at once, saying/,
    },
  ])("$name", async ({ spoil, says }) => {
    await (await start()).stop();
    spoil();
    await expect(start()).rejects.toThrow(says);
    await expect(start()).rejects.toThrow(
      /^the embedded PostgreSQL cannot run: [^\n]+ \(set DATABASE_URL to use a PostgreSQL server of your own\)$/,
    );
  });
});
