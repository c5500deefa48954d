import { setTimeout } from "node:timers/promises";
import pg from "pg";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { checkLists } from "../../../src/ca/list-check.ts";
import { type BegunCheck, publishLists } from "../../../src/ca/list-publishing.ts";
import type { PreparedLists } from "../../../src/ca/signer-client.ts";
import type { Signer } from "../../../src/ca/signer.ts";
import { createListCheck } from "../../../src/cli/list-check.ts";
import { createSystem } from "../../../src/cli/system.ts";
import type { Serial } from "../../../src/pki/serial.ts";
import type { Database } from "../../../src/storage/database.ts";
import { Crash, Fate, system, TestCa } from "../../support/signer.ts";

const ISSUER = "issuing-g1";

/** How many rows of lists there are, and how many of them have bytes. */
const ROWS = `select count(*)::int as rows, count(der)::int as stored, count(*) filter (where current)::int as current
  from ca.list where issuer_id = $1`;

describe("lists that are written while they are checked", () => {
  let ca: TestCa;
  let signer: Signer;
  let worker: Database;

  beforeAll(async () => {
    ca = await TestCa.create();
    await (await ca.start()).close();
    ca.longOctets = 0;
    worker = ca.connect("suido_worker");
  });
  beforeEach(async () => {
    signer = await ca.start();
  });
  afterEach(() => signer.close());
  afterAll(async () => {
    await worker.close();
    await ca.drop();
  });

  const rows = async (): Promise<unknown> => {
    const [row] = await ca.superuser.query<object>(ROWS, [ISSUER]);
    return row;
  };
  const commit = ({ batchId, lists }: PreparedLists): Promise<void> =>
    signer.commitLists(
      batchId,
      lists.map(({ sha256 }) => sha256),
    );
  const STAGING = "insert into ca.list%";
  /** Until the rows are written in a transaction that waits. */
  const untilStaged = (): Promise<void> =>
    vi.waitFor(async () => {
      const waiting = await ca.superuser.query(
        "select from pg_stat_activity where datname = current_database() and state = 'idle in transaction' and query like $1",
        [STAGING],
      );
      expect(waiting).toHaveLength(1);
    }, 5_000);

  it("become current in one commit, and are told of", async () => {
    const heard: string[] = [];
    const listener = new pg.Client({ connectionString: ca.fresh.url });
    await listener.connect();
    listener.on("notification", ({ payload }) => heard.push(payload ?? ""));
    await listener.query("listen suido_list");
    await commit(await signer.prepareLists(ISSUER));
    const later = await signer.prepareLists(ISSUER);
    await untilStaged();
    expect(await rows()).toEqual({ rows: 34, stored: 34, current: 17 });
    await commit(later);
    expect(await rows()).toEqual({ rows: 51, stored: 34, current: 17 });
    await vi.waitFor(() => expect(heard).toEqual([ISSUER, ISSUER]), 5_000);
    await listener.end();
  });

  it("leave nothing when they are refused, replaced, or the signer ends", async () => {
    const before = await rows();
    const prepared = await signer.prepareLists(ISSUER);
    await untilStaged();
    await expect(signer.commitLists(prepared.batchId, [])).rejects.toMatchObject({
      code: "list-refused",
    });
    await signer.prepareLists(ISSUER);
    await untilStaged();
    await signer.close();
    expect(await rows()).toEqual(before);
    signer = await ca.start();
  });

  it("are written anew when the connection with them is gone", async () => {
    const prepared = await signer.prepareLists(ISSUER);
    await untilStaged();
    await ca.superuser.query(
      "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and state = 'idle in transaction' and query like $1",
      [STAGING],
    );
    await commit(prepared);
    const [current] = await ca.superuser.query<{ number: string }>(
      "select number from ca.list where issuer_id = $1 and scope = 'full' and current",
      [ISSUER],
    );
    expect(BigInt(current?.number ?? 0)).toBe(prepared.lists[0]?.number);
    expect(ca.fatal).toEqual([]);
  });

  it("are finished by the next start when the process ends between journal and commit", async () => {
    await signer.close();
    const fate = new Fate();
    const dying = await ca.start(fate);
    const { batchId, lists } = await dying.prepareLists(ISSUER);
    await untilStaged();
    fate.crashAt = "journaled";
    await expect(
      dying.commitLists(
        batchId,
        lists.map(({ sha256 }) => sha256),
      ),
    ).rejects.toThrow(Crash);
    signer = await ca.start();
    const later = await signer.prepareLists(ISSUER);
    expect(later.lists[0]?.number).toBeGreaterThan(lists[0]?.number ?? 0n);
    await commit(later);
    await dying.close().catch(() => undefined);
  });
});

describe("the check of lists that begins before they are there", () => {
  let ca: TestCa;
  let signer: Signer;
  let worker: Database;

  beforeAll(async () => {
    ca = await TestCa.create();
    signer = await ca.start();
    worker = ca.connect("suido_worker");
  });
  afterAll(async () => {
    await signer.close();
    await worker.close();
    await ca.drop();
  });

  const publish = () =>
    publishLists(ISSUER, { signer, database: worker, clock: ca.clock, verify: system.verify });

  async function issued(): Promise<Serial> {
    const serial = await ca.reserve();
    await signer.issue([serial]);
    return serial;
  }

  const findingsOf = (prepared: PreparedLists) =>
    checkLists(worker, prepared.lists, {
      issuerId: ISSUER,
      watermark: prepared.watermark,
      now: ca.clock(),
      verify: system.verify,
    });

  /** In a thread of its own, however short the lists are. */
  const begin = (databaseUrl = ca.fresh.url) =>
    createListCheck({
      system: createSystem(),
      database: worker,
      databaseUrl,
      gives: false,
      smallOctets: 0,
    });

  it("finds in a thread of its own what the check in place finds", async () => {
    const serial = await issued();
    const prepared = await signer.prepareLists(ISSUER);
    const seq = await ca.stop(serial, 1);
    const apart = begin();
    const { lists, watermark } = prepared;
    const context = { issuerId: ISSUER, watermark, now: ca.clock() };
    const checked = async (given: Parameters<BegunCheck["finish"]>[1]) => {
      const check = await apart(given.issuerId);
      try {
        return await check.finish(lists, given);
      } finally {
        await check.abandon();
      }
    };
    expect(await checked(context)).toEqual([]);
    const findings = await findingsOf({ ...prepared, watermark: seq });
    expect(findings.join()).toContain(`R16 ${serial} must be on the list`);
    expect(await checked({ ...context, watermark: seq })).toEqual(findings);
    await expect(checked({ ...context, issuerId: "none" })).resolves.toEqual([
      "there is no issuer none",
    ]);
  });
  it("goes by what has changed after it has begun", async () => {
    const [first, second] = [await issued(), await issued()];
    await ca.stop(first, 1);
    const check = await begin()(ISSUER);
    // What it has read by now is of no use: others publish, somebody is revoked, and that one is on the lists to come.
    await setTimeout(500);
    await publish();
    const seq = await ca.stop(second, 1);
    const { lists, watermark } = await signer.prepareLists(ISSUER);
    expect(watermark).toBe(seq);
    const context = { issuerId: ISSUER, watermark, now: ca.clock() };
    expect(await check.finish(lists, context)).toEqual([]);
    await check.abandon();

    const late = await begin()(ISSUER);
    const stale = await signer.prepareLists(ISSUER);
    await setTimeout(500);
    const missed = await issued();
    const after = await ca.stop(missed, 1);
    const findings = await late.finish(stale.lists, { ...context, watermark: after });
    expect(findings.join()).toContain(`R16 ${missed} must be on the list and is not`);
    await late.abandon();
  });
  it("says so where it does not reach the database, and nothing is published", async () => {
    const apart = begin("postgres://nobody@127.0.0.1:1/none");
    await expect(
      publishLists(ISSUER, {
        signer,
        database: worker,
        clock: ca.clock,
        verify: system.verify,
        beginCheck: apart,
      }),
    ).rejects.toThrow("database");
  });
});
