import {
  chmodSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import pg from "pg";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { give } from "../../src/storage/embedded-account.ts";
import {
  type Installation,
  type StartOptions,
  install,
  startProcess,
} from "../support/embedded-process.ts";

/** The ordinary user `nobody`. */
const SOMEBODY = Number(/^nobody:[^:]*:(\d+):/m.exec(readFileSync("/etc/passwd", "utf8"))?.[1]);

/** Containers are often run under a number that has no name. */
const NAMELESS = 4_321;

const base = mkdtempSync(path.join(tmpdir(), "suido-accounts-"));
const open = path.join(base, "open");
const closed = path.join(base, "closed");
let openCopy: Installation;
let closedCopy: Installation;
let dataDir = "";

beforeAll(() => {
  chmodSync(base, 0o755);
  mkdirSync(open, { mode: 0o755 });
  mkdirSync(closed, { mode: 0o700 });
  openCopy = install(open);
  closedCopy = install(closed);
});

afterAll(() => rmSync(base, { recursive: true }));

beforeEach(() => {
  dataDir = path.join(base, "data");
});

afterEach(() => rmSync(dataDir, { recursive: true, force: true }));

/** Starts twice, with a row from the first time, and says as whom the server ran. */
async function twice(options: StartOptions): Promise<{ uid: number; rows: unknown[] }> {
  const first = await startProcess(dataDir, options);
  expect(first.said.error).toBeUndefined();
  await ask(first.said.url, "create table kept as select 42 as n");
  await first.stop();
  const second = await startProcess(dataDir, options);
  const rows = await ask(second.said.url, "select n from kept");
  const [pid] = readFileSync(path.join(dataDir, "postgres", "postmaster.pid"), "utf8").split("\n");
  const { uid } = statSync(`/proc/${pid}`);
  await second.stop();
  return { uid, rows };
}

async function ask(url: string | undefined, text: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(text)).rows;
  } finally {
    await client.end();
  }
}

describe.runIf(process.getuid?.() === 0)("root", () => {
  it("in a closed folder, program and data: the server runs under a number of its own", async () => {
    dataDir = path.join(closed, "data");
    expect(await twice({ installation: closedCopy })).toEqual({ uid: 54_321, rows: [{ n: 42 }] });
    expect(statSync(dataDir)).toMatchObject({ uid: 0 });
    expect(statSync(dataDir).mode & 0o777).toBe(0o700);
  });

  it("with data that a restore gave to root: they are given back", async () => {
    const first = await startProcess(dataDir, { installation: openCopy });
    await first.stop();
    give(path.join(dataDir, "postgres"), { uid: 0, gid: 0 });
    expect(await twice({ installation: openCopy })).toEqual({ uid: 54_321, rows: [{ n: 42 }] });
  });

  it("with an ordinary user's data: the server goes on as that user", async () => {
    mkdirSync(dataDir, { mode: 0o700 });
    chownSync(dataDir, SOMEBODY, SOMEBODY);
    const first = await startProcess(dataDir, { installation: openCopy, uid: SOMEBODY });
    await first.stop();
    expect(await twice({ installation: openCopy })).toEqual({ uid: SOMEBODY, rows: [{ n: 42 }] });
  });

  it("an ordinary user, whose programs lack links that it may not make: they are copied below the data folder", async () => {
    mkdirSync(dataDir, { mode: 0o700 });
    chownSync(dataDir, SOMEBODY, SOMEBODY);
    const fresh = path.join(base, "fresh");
    mkdirSync(fresh, { mode: 0o755 });
    const options = { installation: install(fresh), uid: SOMEBODY };
    expect(await twice(options)).toEqual({ uid: SOMEBODY, rows: [{ n: 42 }] });
    expect(statSync(path.join(dataDir, "postgresql-18.4.0-beta.17")).uid).toBe(SOMEBODY);
  });

  it("root's data for an ordinary user: one sentence", async () => {
    const first = await startProcess(dataDir, { installation: openCopy });
    await first.stop();
    chownSync(dataDir, SOMEBODY, SOMEBODY);
    const { said } = await startProcess(dataDir, { installation: openCopy, uid: SOMEBODY });
    expect(said.error).toMatch(
      /^the embedded PostgreSQL cannot run: its data in .+ belong to another user, of number 54321 \(set DATABASE_URL/,
    );
  });

  it("a first start under a number without a name, which initdb does not take: one sentence", async () => {
    mkdirSync(dataDir, { mode: 0o700 });
    chownSync(dataDir, NAMELESS, NAMELESS);
    const { said } = await startProcess(dataDir, { installation: openCopy, uid: NAMELESS });
    expect(said.error).toMatch(
      /^the embedded PostgreSQL cannot run: initdb failed, saying "initdb: could not look up effective user ID 4321: user does not exist" \(set DATABASE_URL/,
    );
  });

  it("root that may not become another user: one sentence", async () => {
    const { said } = await startProcess(dataDir, {
      installation: openCopy,
      under: ["/usr/bin/setpriv", "--bounding-set=-setuid", "--inh-caps=-setuid"],
    });
    expect(said.error).toMatch(
      /^the embedded PostgreSQL cannot run: it does not run as root, and this process may not start programs as another user \(set DATABASE_URL/,
    );
  });
});
