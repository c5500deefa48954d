import { afterAll, beforeEach, expect, it } from "vitest";
import type { IssuedCertificate } from "../../../src/ca/issuance.ts";
import { serialBytes } from "../../../src/pki/serial.ts";
import { writeCursor } from "../../../src/registry/cursor.ts";
import type { Principal } from "../../../src/registry/principal.ts";
import type { Database } from "../../../src/storage/database.ts";
import type { Sql } from "../../../src/storage/sql.ts";
import { insertTenant } from "../../support/rows.ts";
import { addStaff, boundTo, newCsr, NOW, openAppSide } from "./app-side.ts";

/** The tables that grow. Of one that is read from its beginning to its end, the name. */
const GROWING = ["account", "binding", "change", "device", "issued", "membership"];

const scanned: string[] = [];

/** Runs the work and notes which tables the server read sequentially for it, inside of functions too. */
async function observed<T>(sql: Sql, work: () => Promise<T>): Promise<T> {
  const before = await scans(sql);
  const result = await work();
  const after = await scans(sql);
  scanned.push(...GROWING.filter((table) => after.get(table) !== before.get(table)));
  return result;
}

async function scans(sql: Sql): Promise<ReadonlyMap<string, string>> {
  const rows = await sql.query<{ relname: string; seq_scan: string }>(
    "select relname, seq_scan from pg_stat_xact_user_tables where schemaname in ('app', 'ca')",
  );
  return new Map(rows.map(({ relname, seq_scan }) => [relname, seq_scan]));
}

const watch = (database: Database): Database => ({
  query: (text, values, name) =>
    database.transaction((sql) => observed(sql, () => sql.query(text, values, name))),
  transaction: (work, options) =>
    database.transaction((sql) => observed(sql, () => work(sql)), options),
  tenant: (corporationId, work) =>
    database.tenant(corporationId, (sql) => observed(sql, () => work(sql))),
  together: (works) =>
    database.together(
      works.map(({ corporationId, work }) => ({
        corporationId,
        work: (sql) => observed(sql, () => work(sql)),
      })),
    ),
  close: () => database.close(),
});

const app = await openAppSide(watch);
const { issuance, revocation, certificates, deviceStatus, identify, admin, database } = app;
const staff = await addStaff(app);
const big = await insertTenant(admin, "big");
const { corporationId, deviceId, accountId } = big;
const some: IssuedCertificate = await issuance.issue(staff, { deviceId, accountId, csr: newCsr() });
await fill();

/** Thousands of devices, each with a person and a certificate: only rows, but as many as in a large corporation. */
async function fill(): Promise<void> {
  const rows = 4_000;
  await admin.query(
    `insert into app.pharmacy (id, corporation_id, name, created_at, updated_at)
     select md5('p' || n)::uuid, $1, 'pharmacy ' || n, $2, $2 from generate_series(0, 399) n`,
    [corporationId, NOW],
  );
  await admin.query(
    `insert into app.device (id, corporation_id, pharmacy_id, name, platform, created_at, updated_at)
     select md5('d' || n)::uuid, $1, md5('p' || n % 400)::uuid, 'device ' || n, 'windows', $2, $2 from generate_series(1, $3::int) n`,
    [corporationId, NOW, rows],
  );
  await admin.query(
    `insert into app.account (id, corporation_id, name, created_at, updated_at)
     select md5('a' || n)::uuid, $1, 'account ' || n, $2, $2 from generate_series(1, $3::int) n`,
    [corporationId, NOW, rows],
  );
  await admin.query(
    `insert into app.membership (id, corporation_id, account_id, pharmacy_id, role, valid_from, created_at, updated_at)
     select gen_random_uuid(), $1, md5('a' || n)::uuid, md5('p' || n % 400)::uuid, 'pharmacist', $2, $2, $2 from generate_series(1, $3::int) n`,
    [corporationId, NOW, rows],
  );
  await admin.query(
    `insert into ca.issued (serial, issuer_id, profile, profile_hash, shard, state, common_name, spki, spki_sha256, not_before, not_after, key_origin,
       reserved_at, der, der_sha256, issued_at)
     select decode('40' || substr(md5('s' || n), 3), 'hex'), issuer_id, profile, profile_hash, n % 16, 'good', common_name, spki, sha256(('k' || n)::bytea),
       not_before, not_after, key_origin, reserved_at, der, sha256(('f' || n)::bytea), issued_at
     from ca.issued, generate_series(1, $2::int) n where serial = $1`,
    [serialBytes(some.serialNumber), rows],
  );
  await admin.query(
    `insert into app.binding (id, serial, corporation_id, pharmacy_id, device_id, account_id, bound_from)
     select gen_random_uuid(), decode('40' || substr(md5('s' || n), 3), 'hex'), $1, md5('p' || n % 400)::uuid, md5('d' || n)::uuid, md5('a' || n)::uuid, $2
     from generate_series(1, $3::int) n`,
    [corporationId, NOW, rows],
  );
  // Changes of other certificates, so that their table is not tiny either.
  await admin.query(
    `insert into ca.change (seq, kind, serial, reason, at)
     select -n, 'unhold', decode('40' || substr(md5('s' || n), 3), 'hex'), null, $1 from generate_series(1, $2::int) n`,
    [NOW, rows],
  );
  await admin.query("analyze");
}

beforeEach(() => {
  scanned.length = 0;
});

afterAll(() => app.close());

const der = Buffer.from(some.certificate.replaceAll(/-----[^-]+-----|\s/g, ""), "base64");

const questions: readonly { name: string; ask: (principal: Principal) => Promise<unknown> }[] = [
  { name: "one", ask: (principal) => certificates.one(principal, some.serialNumber) },
  {
    name: "search by fingerprint",
    ask: (principal) => certificates.search(principal, { fingerprint: some.fingerprint }, {}),
  },
  {
    name: "search by device",
    ask: (principal) => certificates.search(principal, { deviceId }, {}),
  },
  {
    name: "search by account",
    ask: (principal) => certificates.search(principal, { accountId }, {}),
  },
  {
    name: "search by corporation",
    ask: (principal) => certificates.search(principal, { corporationId }, { limit: 10 }),
  },
  {
    name: "search by status",
    ask: (principal) => certificates.search(principal, { status: "good" }, { limit: 10 }),
  },
  {
    name: "search, a later page",
    ask: (principal) =>
      certificates.search(
        principal,
        {},
        { limit: 10, after: writeCursor("certificates", Uint8Array.of(0x60)) },
      ),
  },
  {
    name: "status",
    ask: (principal) => deviceStatus.status(principal, some.serialNumber, { accountId }),
  },
  { name: "lineage", ask: (principal) => deviceStatus.lineage(principal, deviceId) },
  { name: "identify", ask: () => identify(der) },
  {
    name: "issue",
    ask: (principal) => issuance.issue(principal, { deviceId, accountId, csr: newCsr() }),
  },
  {
    name: "issue with a bundle",
    ask: (principal) => issuance.issue(principal, { deviceId, accountId }),
  },
  {
    name: "renew",
    ask: (principal) => issuance.renew(principal, some.serialNumber, { csr: newCsr() }),
  },
  {
    name: "revoke",
    ask: (principal) => revocation.revoke(principal, some.serialNumber, "certificateHold"),
  },
  {
    name: "unhold",
    ask: (principal) => revocation.unhold(principal, some.serialNumber).catch(() => undefined),
  },
  {
    name: "revoke with the other certificates of the key",
    ask: (principal) => revocation.revoke(principal, some.serialNumber, "keyCompromise"),
  },
];

it.for(questions)("$name reads no growing table sequentially", async ({ ask }) => {
  for (const principal of [staff, boundTo(corporationId)]) {
    // More often than the planner looks at the values (plan_cache_mode: five times), so that the general plan is seen too.
    for (let i = 0; i < 7; i++) await ask(principal);
  }
  expect(scanned).toEqual([]);
});

it("would notice one that does", async () => {
  await database.query("select count(*) from ca.issued where profile = 'none'");
  expect(scanned).toEqual(["issued"]);
});
