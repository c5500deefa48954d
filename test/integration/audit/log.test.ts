import { randomUUID } from "node:crypto";
import pg from "pg";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { inclusionPath, verifyInclusion } from "../../../src/audit/merkle.ts";
import { type Fact, record } from "../../../src/audit/record.ts";
import { createSequencer, type Sequencer } from "../../../src/audit/sequencer.ts";
import { verifyAudit } from "../../../src/audit/verify.ts";
import { type Database, openDatabase } from "../../../src/storage/database.ts";
import { freshDatabase } from "../../support/database.ts";

let worker: Database;
let superuser: pg.Client;
let sequencer: Sequencer;
let close: () => Promise<void>;

beforeEach(async () => {
  const database = await freshDatabase();
  const { url } = database;
  worker = openDatabase({ url, role: "suido_worker", max: 6, applicationName: "test" });
  superuser = new pg.Client({ connectionString: url });
  await superuser.connect();
  sequencer = createSequencer({ database: worker });
  close = async () => {
    await worker.close();
    await superuser.end();
    await database.drop();
  };
});
afterEach(() => close());

function fact(action: string): Fact {
  const at = new Date("2026-11-21T03:04:05.678Z");
  return {
    at,
    actor: "worker",
    action,
    subject: "test/1",
    detail: { z: 1, a: { 名: ["前", null] } },
  };
}

/** Each in a transaction of its own. */
async function recordMany(actions: readonly string[]): Promise<void> {
  for (const action of actions)
    await worker.transaction((sql) => record(sql, fact(action), randomUUID));
}

/** Another test's transaction may hold the horizon back for a moment: it is the cluster's, not the database's. */
async function sequenced(entries: number): Promise<void> {
  await vi.waitFor(
    async () => {
      await sequencer.run();
      expect(await order()).toHaveLength(entries);
    },
    { timeout: 10_000, interval: 20 },
  );
}

async function order(): Promise<string[]> {
  const { rows } = await superuser.query<{ action: string; position: string }>(
    "select a.action, l.position from app.audit_leaf l join app.audit a on a.id = l.audit_id order by l.position",
  );
  expect(rows.map(({ position }) => Number(position))).toEqual([...rows.keys()]);
  return rows.map(({ action }) => action);
}

/** As whoever owns the server: past triggers, foreign keys and policies. */
async function tamper(statement: string, values: readonly unknown[] = []): Promise<void> {
  await superuser.query("set session_replication_role = replica");
  const { rowCount } = await superuser.query(statement, [...values]);
  expect(rowCount).toBeGreaterThan(0);
}

const AT_2 = "(select audit_id from app.audit_leaf where position = 2)";

describe("record", () => {
  it("writes the row and the event, or neither", async () => {
    const { detail, ...rest } = fact("kept");
    await worker.transaction((sql) =>
      record(sql, { ...rest, ...(detail && { detail }) }, randomUUID),
    );
    await worker
      .transaction(async (sql) => {
        await record(sql, fact("lost"), randomUUID);
        throw new Error("rolled back");
      })
      .catch(() => undefined);
    const audit = await superuser.query(
      "select actor, action, subject, at, corporation_id, detail from app.audit",
    );
    expect(audit.rows).toEqual([{ ...rest, corporation_id: null, detail }]);
    const event = await superuser.query(
      "select type, subject, at, corporation_id, data from app.event",
    );
    expect(event.rows).toEqual([
      {
        type: "jp.suido.kept",
        subject: rest.subject,
        at: rest.at,
        corporation_id: null,
        data: detail,
      },
    ]);
  });
});

describe("the sequencer", () => {
  it("places every row once, in the order of transactions", async () => {
    const actions = Array.from({ length: 20 }, (_, i) => `a${i}`);
    await recordMany(actions);
    await sequenced(20);
    expect(await order()).toEqual(actions);
    expect(await sequencer.run()).toBe(0);
  });

  it("waits for a transaction that began earlier and is still open", async () => {
    const { promise: held, resolve: release } = Promise.withResolvers<void>();
    const { promise: begun, resolve: announce } = Promise.withResolvers<void>();
    const slow = worker.transaction(async (sql) => {
      await record(sql, fact("early"), randomUUID);
      announce();
      await held;
    });
    await begun;
    await recordMany(["late"]);
    await sequencer.run();
    expect(await order()).toEqual([]);
    release();
    await slow;
    await sequenced(2);
    expect(await order()).toEqual(["early", "late"]);
  });

  it("leaves out what was rolled back", async () => {
    await recordMany(["first"]);
    await worker
      .transaction(async (sql) => {
        await record(sql, fact("never"), randomUUID);
        throw new Error("rolled back");
      })
      .catch(() => undefined);
    await recordMany(["second"]);
    await sequenced(2);
    expect(await order()).toEqual(["first", "second"]);
  });

  it("may run on several machines while others write, and in more than one batch", async () => {
    await worker.transaction(async (sql) => {
      for (let i = 0; i < 1_500; i++) await record(sql, fact("bulk"), randomUUID);
    });
    const writers = [1, 2].map(() => recordMany(Array.from({ length: 40 }, () => "single")));
    const sequencers = [1, 2, 3].map(async () => {
      for (let i = 0; i < 10; i++) await createSequencer({ database: worker }).run();
    });
    await Promise.all([...writers, ...sequencers]);
    await sequenced(1_580);
    expect(await verifyAudit(worker)).toMatchObject({ ok: true, entries: 1_580 });
  });
});

describe("verifyAudit", () => {
  beforeEach(async () => {
    await recordMany(["a0", "a1", "a2", "a3", "a4"]);
    await sequenced(5);
  });

  it("finds an empty log whole", async () => {
    await tamper("delete from app.audit_leaf");
    await tamper("delete from app.audit");
    expect(await verifyAudit(worker)).toEqual({
      ok: true,
      entries: 0,
      root: "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
      faults: [],
    });
  });

  it("computes the root that the leaves prove their places in", async () => {
    const { ok, entries, root, faults } = await verifyAudit(worker);
    expect({ ok, entries, faults }).toEqual({ ok: true, entries: 5, faults: [] });
    const { rows } = await superuser.query<{ leaf_hash: Buffer }>(
      "select leaf_hash from app.audit_leaf order by position",
    );
    const leaves = rows.map(({ leaf_hash }) => leaf_hash);
    const proofs = leaves.map((leaf, index) => ({
      leaf,
      index,
      size: entries,
      path: inclusionPath(leaves, index),
      root: Buffer.from(root, "hex"),
    }));
    expect(proofs.map(verifyInclusion)).toEqual([true, true, true, true, true]);
  });

  it("has leaves that PostgreSQL computes too", async () => {
    const { rows } = await superuser.query<{ same: boolean }>(
      `select l.leaf_hash = sha256('\\x00'::bytea || convert_to(
         '{"action":' || to_json(a.action) || ',"actor":' || to_json(a.actor)
         || ',"at":"2026-11-21T03:04:05.678000Z","corporationId":null,"detail":{"a":{"名":["前",null]},"z":1}'
         || ',"id":' || to_json(a.id) || ',"subject":' || to_json(a.subject) || '}', 'UTF8')) as same
       from app.audit_leaf l join app.audit a on a.id = l.audit_id`,
    );
    expect(rows.map(({ same }) => same)).toEqual([true, true, true, true, true]);
  });

  it.for([
    "actor = 'somebody else'",
    "action = 'x'",
    "subject = 'x'",
    "at = at + interval '1 microsecond'",
    "corporation_id = gen_random_uuid()",
    "detail = detail || '{\"z\": 2}'",
  ])("finds a row with %s", async (change) => {
    await tamper(`update app.audit set ${change} where id = ${AT_2}`);
    expect(await verifyAudit(worker)).toMatchObject({
      ok: false,
      entries: 5,
      faults: [{ kind: "row-changed", position: 2 }],
    });
  });

  it("finds a row that is gone, and a leaf that is another's", async () => {
    await tamper(`delete from app.audit where id = ${AT_2}`);
    await tamper("update app.audit_leaf set leaf_hash = sha256('') where position = 3");
    expect((await verifyAudit(worker)).faults).toMatchObject([
      { kind: "row-missing", position: 2 },
      { kind: "row-changed", position: 3 },
    ]);
  });

  it("finds a gap, and the row that lost its place", async () => {
    await tamper("delete from app.audit_leaf where position in (1, 2)");
    expect((await verifyAudit(worker)).faults).toMatchObject([
      { kind: "gap", from: 1, to: 3 },
      { kind: "row-inserted" },
      { kind: "row-inserted" },
    ]);
  });

  it("finds a row that was put in between", async () => {
    const id = randomUUID();
    await tamper(
      `insert into app.audit (id, at, actor, action, subject, xid)
       select $1, at, actor, action, subject, xid from app.audit where id = (select audit_id from app.audit_leaf where position = 0)`,
      [id],
    );
    expect((await verifyAudit(worker)).faults).toEqual([{ kind: "row-inserted", id }]);
  });

  it("holds a longer log against the head of a shorter one", async () => {
    const { entries, root } = await verifyAudit(worker);
    await recordMany(["a5", "a6"]);
    await sequenced(7);
    expect(await verifyAudit(worker, { entries, root })).toMatchObject({ ok: true, entries: 7 });
  });

  it("finds a log that was written anew, or cut, by the head that was kept elsewhere", async () => {
    const { entries, root } = await verifyAudit(worker);
    await tamper(`update app.audit set action = 'x' where id = ${AT_2}`);
    await tamper("delete from app.audit_leaf");
    await sequenced(5);
    expect(await verifyAudit(worker)).toMatchObject({ ok: true });
    const differs = [{ kind: "head-differs", entries }];
    expect((await verifyAudit(worker, { entries, root })).faults).toEqual(differs);
    await tamper("delete from app.audit_leaf where position = 4");
    await tamper("delete from app.audit where action = 'a4'");
    expect((await verifyAudit(worker, { entries, root })).faults).toEqual(differs);
  });

  it("reads page after page", async () => {
    await worker.transaction(async (sql) => {
      for (let i = 0; i < 1_000; i++) await record(sql, fact("bulk"), randomUUID);
    });
    await sequenced(1_005);
    await tamper(
      "update app.audit set action = 'x' where id = (select audit_id from app.audit_leaf where position = 1003)",
    );
    expect(await verifyAudit(worker)).toMatchObject({
      entries: 1_005,
      faults: [{ kind: "row-changed", position: 1_003 }],
    });
  });
});
