import { randomUUID } from "node:crypto";
import pg from "pg";
import { afterAll, beforeAll, expect, it } from "vitest";
import { createReminders, REMINDER_STAGES } from "../../../src/lifecycle/reminders.ts";
import { readProgress, reportLines } from "../../../src/lifecycle/enrolment-batch-report.ts";
import type { Database } from "../../../src/storage/database.ts";
import type { Sql } from "../../../src/storage/sql.ts";
import { openPharmacies, type Place } from "./pharmacies.ts";

/** So many certificates, ending on 395 days; a quarter of them within the first reminder's window. */
const CERTIFICATES = 30_000;

/** All of one corporation. */
const PHARMACIES = 1_000;

const world = await openPharmacies("2027-06-01T00:00:05Z");
const reminders = createReminders({
  database: world.worker,
  clock: world.clock,
  newId: randomUUID,
  timeZone: "Asia/Tokyo",
  operator: undefined,
});

/** Each on its device, thirty in a pharmacy with a manager of its own; written by the database itself. */
async function fill({ corporationId }: Place, accountId: string): Promise<void> {
  await world.admin.query(
    `with place as (
       insert into app.pharmacy (id, corporation_id, name, created_at, updated_at)
       select md5('p' || n)::uuid, $1, 'p' || n, now(), now() from generate_series(0, $2::int - 1) n
     ), manager as (
       insert into app.account (id, corporation_id, name, email, locale, created_at, updated_at)
       select md5('a' || n)::uuid, $1, 'a' || n, n || '@example.jp', 'ja', now(), now() from generate_series(0, $2::int - 1) n
     )
     insert into app.membership (id, corporation_id, account_id, pharmacy_id, role, valid_from, created_at, updated_at)
     select md5('m' || n)::uuid, $1, md5('a' || n)::uuid, md5('p' || n)::uuid, 'manager', '2026-01-01Z', now(), now()
     from generate_series(0, $2::int - 1) n`,
    [corporationId, PHARMACIES],
  );
  // What refers to them is checked by plans that go by what is known of them.
  await world.admin.query("analyze app.pharmacy, app.account");
  await world.admin.query(
    `insert into app.device (id, corporation_id, pharmacy_id, name, platform, created_at, updated_at)
     select md5(n::text)::uuid, $1, md5('p' || n % $3::int)::uuid, 'd' || n, 'windows', now(), now() from generate_series(1, $2::int) n`,
    [corporationId, CERTIFICATES, PHARMACIES],
  );
  await world.admin.query(
    `insert into ca.issued (serial, issuer_id, profile, profile_hash, shard, state, common_name, spki, spki_sha256, not_before, not_after,
       key_origin, reserved_at, der, der_sha256, issued_at)
     select '\\x40' || substr(sha256(n::text::bytea), 1, 15), 'issuing-g1', 'device-client', sha256(''), 0, 'good', 'x', '', sha256(''), '2026-05-01Z',
       timestamptz '2027-06-01T14:59:59Z' + (n % 395) * interval '1 day', 'subject', '2026-05-01Z', '', sha256(n::text::bytea), '2026-05-01Z'
     from generate_series(1, $1::int) n`,
    [CERTIFICATES],
  );
  await world.admin.query(
    `insert into app.binding (id, serial, corporation_id, pharmacy_id, device_id, account_id, bound_from)
     select md5(n::text)::uuid, '\\x40' || substr(sha256(n::text::bytea), 1, 15), $1, md5('p' || n % $4::int)::uuid, md5(n::text)::uuid, $2, '2026-05-01Z'
     from generate_series(1, $3::int) n`,
    [corporationId, accountId, CERTIFICATES, PHARMACIES],
  );
  await world.admin.query("analyze");
}

let place: Place;

beforeAll(async () => {
  place = await world.place("たくさん薬局");
  const { accountId } = await world.person(place);
  await fill(place, accountId);
});
afterAll(() => world.close());

/** The plans of all statements of the work, and inside of their functions. */
async function explained(work: (client: pg.Client) => Promise<unknown>): Promise<string> {
  const client = new pg.Client({ connectionString: world.url });
  const notices: string[] = [];
  client.on("notice", ({ message = "" }) => void notices.push(message));
  await client.connect();
  await client.query(
    `load 'auto_explain'; set auto_explain.log_min_duration = 0; set auto_explain.log_nested_statements = on; set client_min_messages = log`,
  );
  await work(client);
  await client.end();
  return notices.join("\n");
}

it("finds what is due among many by the index", { timeout: 120_000 }, async () => {
  // The first round after an installation has everything within 90 days to plan: a mail for each manager.
  expect((await reminders.plan()).planned).toBeGreaterThan(950);
  const items = async (): Promise<number> => {
    const [row] = await world.admin.query<{ count: string }>("select count(*) from app.mail_item");
    return Number(row?.count);
  };
  const before = await items();
  expect(before).toBeGreaterThan(4_000);
  await world.admin.query("update app.mail set state = 'sent', sent_at = $1", [world.time.now]);
  await world.admin.query("analyze");
  // A usual morning: one day's worth for each stage, and in the second each whose own day to renew has come.
  world.time.now = new Date("2027-06-02T00:00:05Z");
  await reminders.plan();
  const day = Math.round(CERTIFICATES / 395);
  const planned = (await items()) - before;
  expect(planned).toBeGreaterThanOrEqual(day * (REMINDER_STAGES.length - 1));
  expect(planned).toBeLessThan(day * (REMINDER_STAGES.length + 10));
  const plans = await explained((client) =>
    client.query("select * from app.plan_expiry_mails($1, 'Asia/Tokyo', $2)", [
      world.time.now,
      REMINDER_STAGES,
    ]),
  );
  expect(plans).toContain("issued_by_not_after");
  expect(plans).not.toMatch(/Seq Scan on issued/);
});

/** A file of so many lines, as it is kept, with the mail of each, among those of many others. */
async function inviteMany(id: string, lines: number): Promise<void> {
  const { corporationId } = place;
  const values = [id, corporationId, lines];
  await world.admin.query(
    `insert into app.enrolment_batch (id, corporation_id, asked_by, lines, enrolments, replaced, created_at, expires_at)
     values ($1, $2, 'x', $3, $3, 0, now(), now() + interval '14 days')`,
    values,
  );
  await world.admin.query(
    `insert into app.enrolment (id, corporation_id, pharmacy_id, device_id, account_id, state, reason, during_call, asked_by, mailed,
       support_number, created_at, expires_at, batch_id, batch_line)
     select md5('e' || n)::uuid, $2, md5('p' || n % 1000)::uuid, md5(n::text)::uuid, md5('a' || n % 1000)::uuid, 'invited', 'first', false, 'x', true,
       lpad(n::text, 6, '0'), now(), now() + interval '14 days', $1, n + 1 from generate_series(1, $3::int) n`,
    values,
  );
  await world.admin.query(
    `insert into app.mail (key, corporation_id, kind, subject, recipient, locale, facts, due_at, next_attempt_at, created_at)
     select 'enrolment:' || md5('e' || n)::uuid, $1, 'enrolment', 'x', 'a@example.jp', 'ja', '{}', now(), now(), now() from generate_series(1, $2::int) n`,
    [corporationId, CERTIFICATES],
  );
  await world.admin.query("analyze app.enrolment, app.mail");
}

it("tells of a file of many lines by the indexes", { timeout: 60_000 }, async () => {
  const [id, lines] = [randomUUID(), 1_000];
  await inviteMany(id, lines);
  const { corporationId } = place;
  let [waiting, told] = [0, 0];
  const plans = await explained(async (client) => {
    await client.query("set role suido_app; set enable_seqscan = off; set jit = off");
    await client.query("select set_config('suido.corporation_id', $1, false)", [corporationId]);
    const sql: Sql = {
      query: async (text, values = []) => (await client.query(text, [...values])).rows,
    };
    ({ waiting } = (await readProgress(sql, id, world.time.now)).mails);
    const tenant = { tenant: (_: string, work: (sql: Sql) => Promise<unknown>) => work(sql) };
    const database = { ...world.app, ...tenant } as Database;
    for await (const { mail } of reportLines(database, { id, corporationId }, world.time.now))
      if (mail === "waiting") told += 1;
  });
  expect([waiting, told]).toEqual([lines, lines]);
  // A mail for each line by its key: there are many more than those of the file.
  const reads = plans.match(/Scan.* on mail m .*\n\s+.*/g) ?? [];
  expect(reads.length).toBeGreaterThan(lines / 500);
  for (const read of reads) expect(read).toMatch(/mail_key_key on mail m .*\n\s+Index Cond: /);
  expect(plans).not.toContain("Seq Scan on enrolment");
});

/** What is done before each round of mails. */
const dropping = (at: string): Promise<string> =>
  explained((client) => client.query("select app.drop_expiry_mails($1)", [at]));

it("looks before each round at reminders whose turn has come, and at so many at a time", async () => {
  // Whether each has a successor is a statement of its own.
  expect(await dropping("2027-06-01T23:59:59Z")).not.toContain("with recursive later");
  const plans = await dropping("2027-06-02T00:00:05Z");
  expect(plans).toContain("with recursive later");
  // Asked of those that were taken, and of no other.
  expect(plans).toMatch(/CTE Scan on due d .*\n\s+Filter: \(NOT/);
});
