import { randomUUID } from "node:crypto";

import { afterAll, expect, it, vi } from "vitest";

import { insertIssued, insertTenant } from "../../support/rows.ts";
import { addStaff, newCsr, openAppSide } from "./app-side.ts";

/**
 * On a new database, before PostgreSQL has figures of its own: it prepares its plans for tables that seem small, and keeps
 * them for as long as nobody tells it otherwise.
 */
const app = await openAppSide();
const { admin, issuance } = app;
const staff = await addStaff(app);
afterAll(() => app.close());

const EARLIER = 1_000;

/** How many rows were read by going through a whole table, as far as the connections have told. */
async function rowsRead(): Promise<Record<string, number>> {
  await admin.query("select pg_stat_clear_snapshot()");
  const rows = await admin.query<{ name: string; read: string }>(
    "select relname as name, seq_tup_read::text as read from pg_stat_user_tables where relname in ('issued', 'binding', 'device', 'account', 'membership')",
  );
  return Object.fromEntries(rows.map(({ name, read }) => [name, Number(read)]));
}

/** The same, once what was done before is in it: a connection tells within a second of being idle. */
async function settledRowsRead(): Promise<Record<string, number>> {
  let last = await rowsRead();
  let same = 0;
  await vi.waitFor(
    async () => {
      const now = await rowsRead();
      same = JSON.stringify(now) === JSON.stringify(last) ? same + 1 : 0;
      last = now;
      expect(same).toBeGreaterThanOrEqual(15);
    },
    { timeout: 15_000, interval: 100 },
  );
  return last;
}

it("issuing goes through no table from end to end", async () => {
  const { accountId, corporationId, deviceId, pharmacyId } = await insertTenant(
    admin,
    "corporation",
  );
  await admin.query("alter table ca.issued set (autovacuum_enabled = off)");
  await admin.query("alter table app.binding set (autovacuum_enabled = off)");
  const issue = (): Promise<unknown> =>
    issuance.issue(staff, { accountId, deviceId, csr: newCsr() });
  for (let i = 0; i < 10; i++) await issue();
  for (let i = 0; i < EARLIER; i++) {
    const serial = await insertIssued(admin, "issuing-g1", "good");
    await admin.query(
      `insert into app.binding (id, serial, corporation_id, pharmacy_id, device_id, account_id, bound_from)
       values ($1, $2, $3, $4, $5, $6, now())`,
      [randomUUID(), serial, corporationId, pharmacyId, deviceId, accountId],
    );
  }
  const before = await settledRowsRead();
  await Promise.all(Array.from({ length: 12 }, issue));
  const after = await settledRowsRead();
  const read = Object.keys(before).map((name) => (after[name] ?? 0) - (before[name] ?? 0));
  expect(Math.max(...read)).toBeLessThan(EARLIER / 5);
});
