import { Registry } from "prom-client";
import { afterAll, beforeEach, describe, expect, it } from "vitest";

import { createSupersede } from "../../../src/ca/supersession.ts";
import { createSystem } from "../../../src/cli/system.ts";
import { createSupersedeOld, type SupersedeOld } from "../../../src/lifecycle/renewal-supersede.ts";
import { type Serial, serialBytes } from "../../../src/pki/serial.ts";
import { type Database, openDatabase } from "../../../src/storage/database.ts";
import { insertParty } from "../../support/relying-parties.ts";
import { insertTenant } from "../../support/rows.ts";
import { addStaff, newCsr, NOW, openAppSide } from "../ca/app-side.ts";
import { urlOf } from "../http/world.ts";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

const app = await openAppSide();
const { admin, certificates, issuance, revocation, time } = app;
const staff = await addStaff(app);
const url = await urlOf(app);
const openWorker = (): Database =>
  openDatabase({ url, role: "suido_worker", max: 3, applicationName: "test" });
const worker = openWorker();
const party = await insertParty(admin);
const supersede = createSupersede({
  ...createSystem(),
  database: app.database,
  clock: () => time.now,
});
let metrics: Registry;
let supersedeOld: SupersedeOld;
let count = 0;
let old: Serial;
let next: Serial;

const worked = (overlapDays: number): SupersedeOld =>
  createSupersedeOld({
    database: worker,
    supersede,
    overlapDays,
    metrics: (metrics = new Registry()),
    clock: () => time.now,
  });

async function issue(): Promise<Serial> {
  const { deviceId, accountId } = await insertTenant(admin, `corporation ${++count}`);
  return (await issuance.issue(staff, { deviceId, accountId, csr: newCsr() })).serialNumber;
}

const renew = async (serial: Serial): Promise<Serial> =>
  (await issuance.renew(staff, serial, { csr: newCsr() })).serialNumber;

beforeEach(async () => {
  time.now = NOW;
  time.signer = NOW;
  await admin.query("delete from ca.supersession");
  old = await issue();
  next = await renew(old);
  supersedeOld = worked(7);
});
afterAll(async () => {
  await worker.close();
  await app.close();
});

const later = (ms: number): Date => (time.now = new Date(NOW.getTime() + ms));

const prove = (serial: Serial): Promise<object[]> =>
  admin.query("update ca.issued set proven_at = $2 where serial = $1", [
    serialBytes(serial),
    time.now,
  ]);

const use = (serial: Serial, ...hours: readonly [number, number]): Promise<object[]> =>
  admin.query(
    "insert into party.use (serial, relying_party_id, first_at, last_at) values ($1, $2, $3, $4)",
    [
      serialBytes(serial),
      party.id,
      new Date(NOW.getTime() + hours[0] * HOUR),
      new Date(NOW.getTime() + hours[1] * HOUR),
    ],
  );

const look = (): Promise<number> => supersedeOld(new AbortController().signal);
const statusOf = async (of: Serial): Promise<string> => (await certificates.one(staff, of)).status;
const waiting = async (): Promise<number> =>
  (await worker.query("select from ca.supersession")).length;

describe("the overlap", () => {
  it("ends the old one to the millisecond, with its reason, one audit row, one event and a change for lists and journal", async () => {
    await prove(next);
    later(7 * DAY - 1);
    expect(await look()).toBe(0);
    const at = later(7 * DAY);
    expect(await look()).toBe(1);
    expect(await certificates.one(staff, old)).toMatchObject({
      status: "revoked",
      reason: "superseded",
      revokedAt: at,
      replacedBy: next,
    });
    expect(await statusOf(next)).toBe("good");
    const facts = await admin.query(
      `select a.at, a.actor, a.detail, e.data = a.detail as same, e.corporation_id = a.corporation_id as tenant
       from app.audit a join app.event e on e.xid = a.xid and e.subject = a.subject and e.type = 'jp.suido.certificate.revoked'
       where a.subject = $1 and a.action = 'certificate.revoked'`,
      [`certificate/${old}`],
    );
    const detail = { reason: "superseded" };
    expect(facts).toEqual([{ at, actor: "worker", detail, same: true, tenant: true }]);
    const changes = await admin.query("select kind, reason from ca.change where serial = $1", [
      serialBytes(old),
    ]);
    expect(changes).toEqual([{ kind: "revoke", reason: 4 }]);
    expect(await look()).toBe(0);
    expect(await waiting()).toBe(0);
    const figures = await metrics.metrics();
    expect(figures).toContain("suido_superseded_total 1");
    expect(figures).toContain("suido_supersessions_waiting 0");
  });

  it("may be nothing, and even then waits for the proof", async () => {
    supersedeOld = worked(0);
    later(300 * DAY);
    expect(await look()).toBe(0);
    await prove(next);
    expect(await look()).toBe(1);
  });

  it("counts from the proof, and a year without one ends nothing", async () => {
    await use(next, 0, 300);
    later(300 * DAY);
    expect(await look()).toBe(0);
    expect(await statusOf(old)).toBe("good");
  });
});

describe("a day of undisturbed use", () => {
  beforeEach(() => prove(next));

  it("ends the old one before the overlap", async () => {
    await use(old, -100, 1);
    await use(next, 1, 20);
    later(25 * HOUR - 1);
    expect(await look()).toBe(0);
    later(25 * HOUR);
    expect(await look()).toBe(1);
  });

  it("is none while the old one is used beside it", async () => {
    await use(next, 1, 90);
    await use(old, -100, 2);
    later(6 * DAY);
    expect(await look()).toBe(0);
    later(7 * DAY);
    expect(await look()).toBe(1);
  });

  it("needs a first use", async () => {
    later(6 * DAY);
    expect(await look()).toBe(0);
    expect(await waiting()).toBe(1);
  });
});

describe("is left alone", () => {
  beforeEach(() => prove(next));

  it("one on hold, until it is released", async () => {
    await revocation.revoke(staff, old, "certificateHold");
    later(8 * DAY);
    expect(await look()).toBe(0);
    expect(await statusOf(old)).toBe("hold");
    await revocation.unhold(staff, old);
    expect(await look()).toBe(1);
  });

  it("one that was revoked for another reason", async () => {
    await revocation.revoke(staff, old, "cessationOfOperation");
    later(8 * DAY);
    expect(await look()).toBe(0);
    expect((await certificates.one(staff, old)).reason).toBe("cessationOfOperation");
    expect(await waiting()).toBe(0);
  });

  it("one that has ended", async () => {
    later(500 * DAY);
    expect(await look()).toBe(0);
    expect(await statusOf(old)).toBe("expired");
    expect(await waiting()).toBe(0);
  });

  it.for(["certificateHold", "keyCompromise"] as const)(
    "one whose successor was stopped: %s",
    async (reason) => {
      await revocation.revoke(staff, next, reason);
      later(8 * DAY);
      expect(await look()).toBe(0);
      expect(await statusOf(old)).toBe("good");
      expect(await supersede({ old, successor: next, actor: "worker" })).toBe(false);
    },
  );

  it("all, while journal and database are brought together", async () => {
    later(8 * DAY);
    await admin.query("update ca.journal_mark set quarantined_at = now()");
    expect(await look()).toBe(0);
    await admin.query("update ca.journal_mark set quarantined_at = null");
    expect(await look()).toBe(1);
  });
});

it("ends the whole line before it, past one that was never proven", async () => {
  const third = await renew(next);
  await prove(third);
  later(7 * DAY);
  expect(await look()).toBe(2);
  expect(await Promise.all([old, next, third].map(statusOf))).toEqual([
    "revoked",
    "revoked",
    "good",
  ]);
});

it("does each once, whoever works at the same time", async () => {
  const others = await Promise.all(Array.from({ length: 5 }, issue));
  for (const serial of others) await prove(await renew(serial));
  later(7 * DAY);
  const [one, two] = await Promise.all([look(), look()]);
  expect(one + two).toBe(5);
  expect(await statusOf(old)).toBe("good");
});

it("waits for whoever stops the successor at the same time", async () => {
  await prove(next);
  later(7 * DAY);
  const { promise: held, resolve: release } = Promise.withResolvers<void>();
  const { promise: stopped, resolve: tell } = Promise.withResolvers<void>();
  const stopping = app.database.transaction(async (sql) => {
    await sql.query(
      "update ca.issued set state = 'revoked', reason = 1, revoked_at = $2 where serial = $1",
      [serialBytes(next), time.now],
    );
    tell();
    await held;
  });
  await stopped;
  const looking = look();
  await expect
    .poll(() => admin.query("select from pg_stat_activity where wait_event_type = 'Lock'"))
    .toHaveLength(1);
  release();
  await stopping;
  expect(await looking).toBe(0);
  expect(await statusOf(old)).toBe("good");
});

it("reads no table of certificates from its beginning to its end, with thousands of them", async () => {
  await prove(next);
  await admin.query(
    `insert into ca.issued (serial, issuer_id, profile, profile_hash, shard, state, common_name, device_uri, spki, spki_sha256, not_before,
       not_after, key_origin, reserved_at, der, der_sha256, issued_at, proven_at)
     select substr(sha256(('s' || n)::bytea), 1, 16), i.issuer_id, i.profile, i.profile_hash, 0, 'good', i.common_name, i.device_uri, i.spki,
       sha256(n::text::bytea), i.not_before, i.not_after, 'subject', i.reserved_at, i.der, sha256(('d' || n)::bytea), i.issued_at, i.issued_at
     from ca.issued i, generate_series(1, 20000) n where i.serial = $1`,
    [serialBytes(next)],
  );
  await admin.query(
    "insert into party.use (serial, relying_party_id, first_at, last_at) select serial, $1, $2, $2 from ca.issued on conflict do nothing",
    [party.id, NOW],
  );
  await admin.query("analyze ca.issued, ca.supersession, party.use");
  later(7 * DAY);
  // What a connection has counted before stays in its figures for a while: a new one has none.
  const fresh = openWorker();
  const scans = await fresh.transaction(async (sql) => {
    await sql.query("select * from ca.supersessions_due($1, interval '7 days', 200)", [time.now]);
    await sql.query("select ca.forget_supersessions($1)", [time.now]);
    return sql.query(
      "select relname from pg_stat_xact_user_tables where schemaname in ('ca', 'party') and relname in ('issued', 'use') and seq_scan > 0",
    );
  });
  await fresh.close();
  expect(scans).toEqual([]);
});
