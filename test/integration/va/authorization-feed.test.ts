import { randomUUID } from "node:crypto";

import { pino } from "pino";
import { afterAll, beforeEach, describe, expect, it, vi } from "vitest";

import { openDatabase } from "../../../src/storage/database.ts";
import {
  type AuthorizationFeed,
  startAuthorizationFeed,
} from "../../../src/va/authorization-feed.ts";
import type { Authorization } from "../../../src/va/authorization-index.ts";
import { freshDatabase, openSuperuser } from "../../support/database.ts";
import { insertIssued, insertIssuer, insertTenant, type Tenant } from "../../support/rows.ts";

const fresh = await freshDatabase();
const admin = await openSuperuser(fresh.url);
const other = await openSuperuser(fresh.url);
const database = openDatabase({
  url: fresh.url,
  role: "suido_va",
  max: 3,
  applicationName: "test",
});
const issuer = await insertIssuer(admin);
const log = pino({ level: "silent" });
const open = (): Promise<AuthorizationFeed> =>
  startAuthorizationFeed({ database, clock: () => new Date(), log });

const old = await insertTenant(admin, "before the start");
const before = await bind(old);
const feed = await open();

afterAll(async () => {
  await feed.close();
  await database.close();
  await Promise.all([admin.close(), other.close()]);
  await fresh.drop();
});

async function bind(tenant: Tenant, sql = admin): Promise<Buffer> {
  const serial = await insertIssued(sql, issuer, "good");
  const { corporationId, pharmacyId, deviceId, accountId } = tenant;
  await sql.query(
    `insert into app.binding (id, serial, corporation_id, pharmacy_id, device_id, account_id, bound_from)
     values ($1, $2, $3, $4, $5, $6, now())`,
    [randomUUID(), serial, corporationId, pharmacyId, deviceId, accountId],
  );
  return serial;
}

const found = (serial: Buffer): Authorization | undefined => feed.index.get(serial, Date.now());

/**
 * Waits until every transaction that wrote what there is lies below the horizon: other databases of the cluster hold it
 * back, and what lies above is read again at each turn.
 */
async function settled(): Promise<void> {
  const [row] = await admin.query<{ written: string }>(
    "select pg_current_xact_id()::text as written",
  );
  await vi.waitFor(
    async () => {
      const [now] = await admin.query<{ passed: boolean }>(
        "select pg_snapshot_xmin(pg_current_snapshot()) > $1::xid8 as passed",
        [row?.written],
      );
      expect(now?.passed).toBe(true);
    },
    { timeout: 10_000, interval: 20 },
  );
}

/** Waits until the feed has it; a second is promised. */
function soon(holds: () => void): Promise<void> {
  return vi.waitFor(holds, { timeout: 1_000, interval: 10 });
}

let tenant: Tenant;
let serial: Buffer;
let count = 0;

beforeEach(async () => {
  tenant = await insertTenant(admin, `corporation ${++count}`);
  serial = await bind(tenant);
  await feed.lookUp([serial]);
});

it("reads what was there, and then what comes", () => {
  const { deviceId, accountId, pharmacyId, corporationId } = old;
  expect(found(before)).toMatchObject({ deviceId, accountId, pharmacyId, corporationId });
  expect(found(serial)).toMatchObject({ deviceId: tenant.deviceId });
  expect(feed.known()).toBeGreaterThan(Date.now() - 1_000);
});

describe("hears within a second", () => {
  it.for([
    ["of a device that is retired", "update app.device set retired_at = now() where id = $1"],
    ["of a device that is personal now", "update app.device set use = 'personal' where id = $1"],
  ])("%s", async ([, sql = ""]) => {
    const standing = found(serial)?.standing;
    await admin.query(sql, [tenant.deviceId]);
    await soon(() => expect(found(serial)?.standing).not.toEqual(standing));
  });

  it("of an account that is disabled, and enabled again", async () => {
    await admin.query("update app.account set disabled_at = now() where id = $1", [
      tenant.accountId,
    ]);
    await soon(() => expect(found(serial)?.standing.isDisabled).toBe(true));
    await admin.query("update app.account set disabled_at = null where id = $1", [
      tenant.accountId,
    ]);
    await soon(() => expect(found(serial)?.standing.isDisabled).toBe(false));
  });

  it("of a membership that ends, begins anew, and is deleted", async () => {
    const { deviceId, accountId, pharmacyId, corporationId } = tenant;
    await admin.query("update app.device set use = 'personal' where id = $1", [deviceId]);
    await soon(() => expect(found(serial)?.standing.isMember).toBe(true));
    await admin.query("update app.membership set valid_to = now() where account_id = $1", [
      accountId,
    ]);
    await soon(() => expect(found(serial)?.standing.isMember).toBe(false));
    await admin.query(
      `insert into app.membership (id, corporation_id, account_id, pharmacy_id, role, valid_from, created_at, updated_at)
       values ($1, $2, $3, $4, 'manager', now(), now(), now())`,
      [randomUUID(), corporationId, accountId, pharmacyId],
    );
    await soon(() => expect(found(serial)?.standing.isMember).toBe(true));
    await admin.query("delete from app.membership where account_id = $1", [accountId]);
    await soon(() => expect(found(serial)?.standing.isMember).toBe(false));
  });

  it("of a binding that is closed, and of the next one", async () => {
    await admin.query("update app.binding set bound_to = now() where serial = $1", [serial]);
    await soon(() => expect(found(serial)).toBeUndefined());
    await admin.query(
      `insert into app.binding (id, serial, corporation_id, pharmacy_id, device_id, account_id, bound_from)
       select gen_random_uuid(), serial, corporation_id, pharmacy_id, device_id, account_id, now() from app.binding where serial = $1`,
      [serial],
    );
    await soon(() => expect(found(serial)?.deviceId).toBe(tenant.deviceId));
  });

  it("of a pharmacy, before it has any certificate", async () => {
    const id = randomUUID();
    await admin.query(
      "insert into app.pharmacy (id, corporation_id, name, created_at, updated_at) values ($1, $2, 'new', now(), now())",
      [id, tenant.corporationId],
    );
    await soon(() => expect(feed.index.corporationOf(id)).toBe(tenant.corporationId));
  });

  it("of what another transaction, which began earlier, commits later", async () => {
    await other.query("begin");
    const late = await bind(tenant, other);
    const early = await bind(tenant);
    await soon(() => expect(found(early)).toBeDefined());
    expect(found(late)).toBeUndefined();
    await other.query("commit");
    await soon(() => expect(found(late)).toBeDefined());
  });
});

it("does not hear of names", async () => {
  await admin.query("update app.corporation set name = 'another' where id = $1", [
    tenant.corporationId,
  ]);
  await admin.query("update app.device set name = 'another' where id = $1", [tenant.deviceId]);
  const changed = await admin.query(
    `select from app.corporation where id = $1 and changed_xid is not null
     union all select from app.device where id = $2 and changed_xid is not null`,
    [tenant.corporationId, tenant.deviceId],
  );
  expect(changed).toEqual([]);
});

it("asks for what it does not know, and at once", async () => {
  const fast = await open();
  const fresher = await bind(tenant);
  await fast.lookUp([fresher, Buffer.alloc(16, 1)]);
  expect(fast.index.get(fresher, Date.now())?.deviceId).toBe(tenant.deviceId);
  await fast.close();
});

it("knows of the time of work after this one", async () => {
  const again = await open();
  const { deviceId, accountId, pharmacyId, corporationId } = tenant;
  await admin.query("update app.device set use = 'personal' where id = $1", [deviceId]);
  await admin.query(
    "update app.membership set valid_to = now() + interval '1 day' where account_id = $1",
    [accountId],
  );
  await admin.query(
    `insert into app.membership (id, corporation_id, account_id, pharmacy_id, role, valid_from, created_at, updated_at)
     values ($1, $2, $3, $4, 'manager', now() + interval '3 days', now(), now())`,
    [randomUUID(), corporationId, accountId, pharmacyId],
  );
  const day = 86_400_000;
  const at = (days: number): Authorization | undefined =>
    again.index.get(serial, Date.now() + days * day);
  await soon(() => expect(at(2)?.isOutdated).toBe(true));
  expect(at(0)?.standing.isMember).toBe(true);
  await again.close();
});

it("finds that memory and database say the same, and mends where they do not", async () => {
  await settled();
  const compared = await open();
  expect(await compared.compare()).toBe("same");
  // What no trigger saw, as after a repair by hand.
  await admin.query("set session_replication_role = replica");
  await admin.query("update app.device set retired_at = now() where id = $1", [tenant.deviceId]);
  await admin.query("set session_replication_role = origin");
  expect(await compared.compare()).toBe("different");
  expect(compared.index.get(serial, Date.now())?.standing.isRetired).toBe(true);
  expect(await compared.compare()).toBe("same");
  await compared.close();
});
