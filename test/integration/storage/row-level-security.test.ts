import { randomBytes, randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Database, openDatabase } from "../../../src/storage/database.ts";
import { freshDatabase, openSuperuser } from "../../support/database.ts";
import {
  type Tenant,
  insertIssued,
  insertIssuer,
  insertPeoples,
  insertTenant,
} from "../../support/rows.ts";

const fresh = await freshDatabase();
const admin = await openSuperuser(fresh.url);
const open = (role: "suido_app" | "suido_va" | "suido_signer" | "suido_worker"): Database =>
  openDatabase({ url: fresh.url, role, max: 3, applicationName: "test" });
const app = open("suido_app");
const va = open("suido_va");
const signer = open("suido_signer");
const worker = open("suido_worker");
let a: Tenant;
let b: Tenant;
let serial: Buffer;

/** Every table with rows of one tenant, as the database itself lists them. */
const TENANT_TABLES = (
  await admin.query<{ name: string }>(
    `select c.relname as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
     where n.nspname = 'app' and c.relkind = 'r' and c.relrowsecurity and c.relforcerowsecurity order by 1`,
  )
).map(({ name }) => name);

const REFUSED: unknown = expect.objectContaining({ code: "42501" });

beforeAll(async () => {
  a = await insertTenant(admin, "A");
  b = await insertTenant(admin, "B");
  await insertIssuer(admin);
  serial = await insertIssued(admin, "issuing-g1", "good");
  const foreign = await insertIssued(admin, "issuing-g1", "good");
  for (const [{ corporationId, pharmacyId, deviceId, accountId }, bound] of [
    [a, serial],
    [b, foreign],
  ] as const) {
    await admin.query(
      `insert into app.binding (id, serial, corporation_id, pharmacy_id, device_id, account_id, bound_from)
       values ($1, $2, $3, $4, $5, $6, now())`,
      [randomUUID(), bound, corporationId, pharmacyId, deviceId, accountId],
    );
    await admin.query(
      `insert into app.mail (key, corporation_id, kind, subject, recipient, locale, facts, due_at, next_attempt_at, created_at)
       values ($1, $2, 'expiry', 's', 'a@example.jp', 'ja', '{}', now(), now(), now())`,
      [randomUUID(), corporationId],
    );
    await admin.query(
      `insert into app.stage (id, product, corporation_id, stage, effective_from, state, proposed_by, created_at)
       values ($1, 'records', $2, 'observe', now(), 'in-force', 'x', now())`,
      [randomUUID(), corporationId],
    );
    await admin.query(
      `insert into app.certificate_check (id, corporation_id, serial, nonce_sha256, asked_by, created_at, expires_at)
       values ($1, $2, $3, $4, 'x', now(), now() + interval '10 minutes')`,
      [randomUUID(), corporationId, bound, randomBytes(32)],
    );
    const order = `insert into app.renewal_order (corporation_id, serial, reason, asked_by, asked_at)
       values ($1, $2, 'incident', 'x', now())`;
    await admin.query(order, [corporationId, bound]);
    await insertPeoples(admin, { corporationId, deviceId, accountId });
    const enrolmentId = randomUUID();
    await admin.query(
      `insert into app.enrolment (id, corporation_id, pharmacy_id, device_id, account_id, state, reason, during_call, support_number, asked_by, mailed, created_at, expires_at)
       values ($1, $2, $3, $4, $5, 'invited', 'first', false, $6, 'x', false, now(), now() + interval '14 days')`,
      [
        enrolmentId,
        corporationId,
        pharmacyId,
        deviceId,
        accountId,
        corporationId === a.corporationId ? "000001" : "000002",
      ],
    );
    await admin.query(
      `insert into app.enrolment_batch (id, corporation_id, asked_by, lines, enrolments, replaced, created_at, expires_at)
       values ($1, $2, 'test', 1, 1, 0, now(), now() + interval '1 day')`,
      [randomUUID(), corporationId],
    );
    await admin.query(
      `with step as (insert into app.enrolment_step select $2, $3, 'make', now(), now(), 1)
       insert into app.enrolment_link (sha256, kind, corporation_id, enrolment_id, created_at)
       values ($1, 'link', $2, $3, now())`,
      [randomBytes(32), corporationId, enrolmentId],
    );
    const invitationId = randomUUID();
    await admin.query(
      `insert into app.second_factor (id, corporation_id, account_id, kind, added_how, added_by, created_at, sealed, last_step)
       values ($1, $2, $3, 'authenticator', 'telephone', 'x', now(), 'x', 0)`,
      [randomUUID(), corporationId, accountId],
    );
    await admin.query(
      `insert into app.factor_invitation (id, corporation_id, account_id, how, asked_by, created_at, expires_at)
       values ($1, $2, $3, 'telephone', 'x', now(), now() + interval '1 hour')`,
      [invitationId, corporationId, accountId],
    );
    await admin.query(
      `with link as (insert into app.factor_link (sha256, corporation_id, invitation_id) values ($1, $2, $4))
       insert into app.factor_session (session_sha256, corporation_id, account_id, how, by, created_at, expires_at)
       values ($1, $2, $3, 'telephone', 'x', now(), now() + interval '1 hour')`,
      [randomBytes(32), corporationId, accountId, invitationId],
    );
    await admin.query(
      `insert into app.mail_item (mail_id, corporation_id, serial, stage, audience)
       select id, corporation_id, $2, 30, 'decides' from app.mail where corporation_id = $1`,
      [corporationId, bound],
    );
    await admin.query(
      `insert into app.task (corporation_id, kind, subject, facts, opened_at) values ($1, 'untold', $2, '{}', now())`,
      [corporationId, randomUUID()],
    );
    await admin.query(
      `insert into app.emergency_visit (id, session_sha256, corporation_id, account_id, created_at, expires_at)
       values ($1, $2, $3, $4, now(), now() + interval '15 minutes')`,
      [randomUUID(), randomBytes(32), corporationId, accountId],
    );
    await admin.query(
      `insert into app.emergency (enrolment_id, corporation_id, pharmacy_id, account_id, device_id, stands_in_for, first_how, second_how, created_at)
       values ($1, $2, $3, $4, $5, $5, 'sign-in', 'passkey', now())`,
      [enrolmentId, corporationId, pharmacyId, accountId, deviceId],
    );
    const bulkIssueId = randomUUID();
    await admin.query(
      `insert into app.bulk_issue (id, corporation_id, profile, asked_by, total, uncollected, created_at)
       values ($1, $2, 'device-client', 'x', 1, 1, now())`,
      [bulkIssueId, corporationId],
    );
    await admin.query(
      `insert into app.bulk_issue_item (bulk_issue_id, corporation_id, place, device_id, account_id, state)
       values ($1, $2, 0, $3, $4, 'waiting')`,
      [bulkIssueId, corporationId, deviceId, accountId],
    );
    for (const [table, columns] of [
      ["audit", "actor, action"],
      ["event", "type, data"],
    ] as const) {
      await admin.query(
        `insert into app.${table} (id, at, subject, corporation_id, ${columns}) values ($1, now(), 's', $2, 'x', $3)`,
        [randomUUID(), corporationId, table === "audit" ? "x" : "{}"],
      );
    }
  }
});

afterAll(async () => {
  await Promise.all([app, va, signer, worker].map((database) => database.close()));
  await admin.close();
  await fresh.drop();
});

const count = async (sql: Pick<Database, "query">, table: string): Promise<number> => {
  const [row] = await sql.query<{ n: number }>(`select count(*)::int as n from app.${table}`);
  return row?.n ?? -1;
};

it("guards every table that names a corporation, except the keys of programs", async () => {
  const named = await admin.query<{ name: string }>(
    `select distinct table_name as name from information_schema.columns join information_schema.tables using (table_schema, table_name)
     where table_schema = 'app' and column_name = 'corporation_id' and table_type = 'BASE TABLE'`,
  );
  const wanted = new Set([...named.map(({ name }) => name), "corporation"]);
  wanted.delete("api_key");
  expect(TENANT_TABLES).toEqual([...wanted].toSorted());
});

it("gives nobody the views, which read as their owner", async () => {
  const granted = await admin.query(
    `select c.relname, a.grantee::regrole::text from pg_class c join pg_namespace n on n.oid = c.relnamespace
     cross join lateral aclexplode(c.relacl) a where c.relkind = 'v' and n.nspname = 'app' and a.grantee <> c.relowner`,
  );
  expect(granted).toEqual([]);
});

describe.for(TENANT_TABLES)("app.%s", (table) => {
  it("shows a tenant its own row of the two", async () => {
    expect(await count(admin, table)).toBe(2);
    expect(await app.tenant(a.corporationId, (sql) => count(sql, table))).toBe(1);
    expect(await app.tenant(b.corporationId, (sql) => count(sql, table))).toBe(1);
  });

  it("shows nothing without a tenant, nor to a tenant that does not exist", async () => {
    expect(await count(app, table)).toBe(0);
    expect(await app.tenant(randomUUID(), (sql) => count(sql, table))).toBe(0);
  });
});

it("refuses a malformed tenant instead of showing anything", async () => {
  await expect(app.tenant("x' or true --", (sql) => count(sql, "pharmacy"))).rejects.toThrow(
    expect.objectContaining({ code: "22P02" }),
  );
});

const insertPharmacy = (corporationId: string) => ({
  text: "insert into app.pharmacy (id, corporation_id, name, created_at, updated_at) values ($1, $2, 'P', now(), now())",
  values: [randomUUID(), corporationId],
});

it("takes a row of the tenant itself", async () => {
  const { text, values } = insertPharmacy(a.corporationId);
  await app.tenant(a.corporationId, (sql) => sql.query(text, values));
  expect(await app.tenant(a.corporationId, (sql) => count(sql, "pharmacy"))).toBe(2);
  await admin.query("delete from app.pharmacy where id = $1", [values[0]]);
});

it("refuses a row of another tenant", async () => {
  const { text, values } = insertPharmacy(b.corporationId);
  await expect(app.tenant(a.corporationId, (sql) => sql.query(text, values))).rejects.toThrow(
    REFUSED,
  );
});

it("refuses a row without a tenant set", async () => {
  const { text, values } = insertPharmacy(b.corporationId);
  await expect(app.query(text, values)).rejects.toThrow(REFUSED);
});

it("refuses to hand a row over to another tenant", async () => {
  await expect(
    app.tenant(a.corporationId, (sql) =>
      sql.query("update app.account set corporation_id = $1", [b.corporationId]),
    ),
  ).rejects.toThrow(REFUSED);
});

it("changes and deletes nothing of another tenant", async () => {
  const changed = await app.tenant(a.corporationId, async (sql) => [
    ...(await sql.query("update app.account set name = 'stolen' where id = $1 returning id", [
      b.accountId,
    ])),
    ...(await sql.query("delete from app.membership where account_id = $1 returning id", [
      b.accountId,
    ])),
  ]);
  expect(changed).toEqual([]);
});

it("does not tie a row to another tenant's, although foreign keys look past the policies", async () => {
  await expect(
    app.tenant(a.corporationId, (sql) =>
      sql.query(
        `insert into app.membership (id, corporation_id, account_id, pharmacy_id, role, valid_from, created_at, updated_at)
         values ($1, $2, $3, $4, 'pharmacist', now(), now(), now())`,
        [randomUUID(), a.corporationId, a.accountId, b.pharmacyId],
      ),
    ),
  ).rejects.toThrow(expect.objectContaining({ code: "23503" }));
});

class RollBack extends Error {}

function ignoreRollBack(error: unknown): void {
  if (!(error instanceof RollBack)) throw error;
}

async function accountIds(sql: Pick<Database, "query">): Promise<string[]> {
  return (await sql.query<{ id: string }>("select id from app.account")).map(({ id }) => id);
}

it("leaks nothing among 600 mixed transactions on three connections", async () => {
  const expected = new Map<string | undefined, readonly string[]>([
    [a.corporationId, [a.accountId]],
    [b.corporationId, [b.accountId]],
    [undefined, []],
  ]);
  const scopes = [...expected.keys()];
  const seen = async (turn: number): Promise<{ scope: string | undefined; ids: string[] }> => {
    const scope = scopes[turn % 3];
    if (scope === undefined) return { scope, ids: await accountIds(app) };
    let ids: string[] = [];
    await app
      .tenant(scope, async (sql) => {
        ids = await accountIds(sql);
        if (turn % 5 === 0) throw new RollBack();
      })
      .catch(ignoreRollBack);
    return { scope, ids };
  };
  const answers = await Promise.all(Array.from({ length: 600 }, (_, turn) => seen(turn)));
  expect(answers).toHaveLength(600);
  for (const { scope, ids } of answers) expect(ids).toEqual(expected.get(scope));
  const left = await Promise.all(
    Array.from({ length: 9 }, () =>
      app.query<{ scope: string | null }>(
        "select current_setting('suido.corporation_id', true) as scope, pg_sleep(0.02)",
      ),
    ),
  );
  expect(left.flat().filter(({ scope }) => scope !== null && scope !== "")).toEqual([]);
});

it.for(["pharmacy", "account", "membership", "device"] as const)(
  "names the tenant of a %s before the scope is set",
  async (kind) => {
    const id = (
      await admin.query<{ id: string }>(`select id from app.${kind} where corporation_id = $1`, [
        b.corporationId,
      ])
    )[0]?.id;
    const rows = await app.query("select app.tenant_of($1, $2) as tenant", [kind, id]);
    expect(rows).toEqual([{ tenant: b.corporationId }]);
  },
);

it("names no tenant for what does not exist", async () => {
  expect(await app.query("select app.tenant_of('account', $1) as tenant", [randomUUID()])).toEqual([
    { tenant: null },
  ]);
});

it("names the tenant of a certificate", async () => {
  const rows = await app.query("select app.tenant_of_serial($1) as tenant", [serial]);
  expect(rows).toEqual([{ tenant: a.corporationId }]);
});

it("pages across tenants through named functions only", async () => {
  const first = await app.query<{ id: string }>("select id from app.staff_corporations(null, 1)");
  const second = await app.query<{ id: string }>("select id from app.staff_corporations($1, 1)", [
    first[0]?.id,
  ]);
  expect([...first, ...second].map(({ id }) => id)).toEqual(
    [a.corporationId, b.corporationId].toSorted(),
  );
});

it.for([
  {
    name: "the worker reads no mail past its functions",
    role: worker,
    text: "select from app.mail",
  },
  { name: "the app writes no mail", role: app, text: "update app.mail set state = 'dropped'" },
  { name: "the worker reads no account", role: worker, text: "select from app.account" },
  {
    name: "the worker pages no accounts",
    role: worker,
    text: "select from app.staff_accounts(null, 1, null)",
  },
  {
    name: "the worker writes no certificate",
    role: worker,
    text: "update ca.issued set state = 'revoked'",
  },
  { name: "the VA reads nothing of the registry", role: va, text: "select from app.pharmacy" },
  { name: "the VA reads no key of a device", role: va, text: "select spki from ca.issued" },
  { name: "the VA writes no list", role: va, text: "update ca.list set current = false" },
  { name: "the VA records no deny", role: va, text: "select ca.record_deny('x', now())" },
  { name: "the signer reads no account", role: signer, text: "select from app.account" },
  {
    name: "the signer asks for no tenant",
    role: signer,
    text: "select app.tenant_of('account', gen_random_uuid())",
  },
  {
    name: "the app changes no audit row",
    role: app,
    text: "update app.audit set actor = 'nobody'",
  },
  { name: "the app deletes no audit row", role: app, text: "delete from app.audit" },
  { name: "the app changes no event", role: app, text: "update app.event set type = 'x'" },
  {
    name: "the app writes no audit leaf",
    role: app,
    text: "insert into app.audit_leaf values (0, gen_random_uuid(), '')",
  },
  {
    name: "the app writes no change",
    role: app,
    text: "insert into ca.change (seq, kind, at, subject) values (1, 'deny', now(), 'x')",
  },
  { name: "the app draws no change number", role: app, text: "select nextval('ca.change_seq')" },
  { name: "the app makes no issuer", role: app, text: "update ca.issuer set state = 'ended'" },
  { name: "the app deletes no certificate", role: app, text: "delete from ca.issued" },
  { name: "the app makes no table", role: app, text: "create table app.x ()" },
  {
    name: "the app becomes no owner",
    role: app,
    text: "alter table app.account disable row level security",
  },
])("$name", async ({ role, text }) => {
  await expect(role.query(text)).rejects.toThrow(REFUSED);
});

it.for([
  "update app.audit set actor = 'nobody'",
  "delete from app.audit",
  "truncate app.audit cascade",
  "update app.event set type = 'x'",
  "delete from app.audit_leaf",
  "delete from ca.change",
  "truncate ca.change",
])("not even a superuser's plain statement: %s", async (text) => {
  await expect(admin.query(text)).rejects.toThrow(/is append-only/);
});
