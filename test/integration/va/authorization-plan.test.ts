import pg from "pg";
import { afterAll, beforeAll, expect, it } from "vitest";

import { freshDatabase, openSuperuser } from "../../support/database.ts";
import { insertIssuer, insertTenant, type Tenant } from "../../support/rows.ts";

/** Enough that a plan for too many rows would read the tables from end to end. */
const CERTIFICATES = 60_000;
const PHARMACIES = 5_000;

const fresh = await freshDatabase();
const admin = await openSuperuser(fresh.url);
let tenant: Tenant;
let horizon: string;

/** All on one device of one account: so the figures that the planner has tell it least. */
async function fill({ corporationId, pharmacyId, deviceId, accountId }: Tenant): Promise<void> {
  await insertIssuer(admin);
  await admin.query("begin");
  await admin.query("set local session_replication_role = replica");
  await admin.query(
    `insert into app.binding (id, serial, corporation_id, pharmacy_id, device_id, account_id, bound_from)
     select md5(n::text)::uuid, substr(sha256(n::text::bytea), 1, 16), $1, $2, $3, $4, '2026-05-01Z'
     from generate_series(1, $5::int) n`,
    [corporationId, pharmacyId, deviceId, accountId, CERTIFICATES],
  );
  await admin.query(
    `insert into app.pharmacy (id, corporation_id, name, created_at, updated_at)
     select md5(n::text)::uuid, $1, 'p' || n, now(), now() from generate_series(1, $2::int) n`,
    [corporationId, PHARMACIES],
  );
  await admin.query("commit");
  await admin.query("analyze app.binding, app.pharmacy");
}

beforeAll(async () => {
  tenant = await insertTenant(admin, "many");
  await fill(tenant);
  const [row] = await admin.query<{ horizon: string }>(
    "select pg_current_xact_id()::text as horizon",
  );
  horizon = row?.horizon ?? "";
});
afterAll(async () => {
  await admin.close();
  await fresh.drop();
});

/** The plan of a statement about `horizon`, and of those inside of its function. */
async function explained(statement: string): Promise<string> {
  const client = new pg.Client({ connectionString: fresh.url });
  const notices: string[] = [];
  client.on("notice", ({ message = "" }) => void notices.push(message));
  await client.connect();
  try {
    await client.query(
      `load 'auto_explain'; set auto_explain.log_min_duration = 0; set auto_explain.log_nested_statements = on;
       set auto_explain.log_analyze = on; set client_min_messages = log; set role suido_va`,
    );
    await client.query(statement, [horizon]);
  } finally {
    await client.end();
  }
  return notices.join("\n");
}

it("looks for what was bound just now by indexes, among however many", async () => {
  await admin.query(
    `update app.binding set changed_xid = pg_current_xact_id() where id = md5('7')::uuid`,
  );
  const plans = await explained("select * from app.authorization_changes($1::xid8)");
  expect(plans).toContain("binding_by_changed_xid");
  expect(plans).toMatch(/Function Scan on authorization_changes .* rows=1(?:\.00)? loops/);
  expect(plans).not.toMatch(/Seq Scan|Gather|Hash Join/);
});

it("looks for pharmacies and stages that were changed by indexes", async () => {
  const pharmacies = await explained("select * from app.authorization_pharmacies($1::xid8)");
  expect(pharmacies).toContain("pharmacy_by_changed_xid");
  expect(pharmacies).not.toMatch(/Seq Scan on pharmacy/);
  const tables = await explained("select changed from party.changed_since($1::xid8)");
  expect(tables).toContain("stage_by_changed_xid");
  expect(tables).not.toMatch(/Seq Scan on (?:stage|api_key)/);
});
