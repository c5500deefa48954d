import pg from "pg";
import { afterAll, beforeAll, expect, it } from "vitest";
import { createReminders, REMINDER_STAGES } from "../../../src/lifecycle/reminders.ts";
import { openPharmacies, type Place } from "./pharmacies.ts";

/** So many certificates, ending on 395 days; a quarter of them within the first reminder's window. */
const CERTIFICATES = 60_000;

const world = await openPharmacies("2027-06-01T00:00:05Z");
const reminders = createReminders({
  database: world.worker,
  clock: world.clock,
  timeZone: "Asia/Tokyo",
  operator: undefined,
});

/** Each on its device, in one pharmacy; written by the database itself. */
async function fill({ corporationId, pharmacyId }: Place, accountId: string): Promise<void> {
  await world.admin.query(
    `insert into app.device (id, corporation_id, pharmacy_id, name, platform, created_at, updated_at)
     select md5(n::text)::uuid, $1, $2, 'd' || n, 'windows', now(), now() from generate_series(1, $3::int) n`,
    [corporationId, pharmacyId, CERTIFICATES],
  );
  await world.admin.query(
    `insert into ca.issued (serial, issuer_id, profile, profile_hash, shard, state, common_name, spki, spki_sha256, not_before, not_after,
       key_origin, reserved_at, der, der_sha256, issued_at)
     select substr(sha256(n::text::bytea), 1, 16), 'issuing-g1', 'device-client', sha256(''), 0, 'good', 'x', '', sha256(''), '2026-05-01Z',
       timestamptz '2027-06-01T14:59:59Z' + (n % 395) * interval '1 day', 'subject', '2026-05-01Z', '', sha256(n::text::bytea), '2026-05-01Z'
     from generate_series(1, $1::int) n`,
    [CERTIFICATES],
  );
  await world.admin.query(
    `insert into app.binding (id, serial, corporation_id, pharmacy_id, device_id, account_id, bound_from)
     select md5(n::text)::uuid, substr(sha256(n::text::bytea), 1, 16), $1, $2, md5(n::text)::uuid, $3, '2026-05-01Z'
     from generate_series(1, $4::int) n`,
    [corporationId, pharmacyId, accountId, CERTIFICATES],
  );
  await world.admin.query("analyze");
}

beforeAll(async () => {
  const place = await world.place("たくさん薬局");
  const { accountId } = await world.person(place);
  await fill(place, accountId);
});
afterAll(() => world.close());

/** The plans of all statements inside of the planner. */
async function explained(): Promise<string> {
  const client = new pg.Client({ connectionString: world.url });
  const notices: string[] = [];
  client.on("notice", ({ message = "" }) => void notices.push(message));
  await client.connect();
  await client.query(
    `load 'auto_explain'; set auto_explain.log_min_duration = 0; set auto_explain.log_nested_statements = on; set client_min_messages = log`,
  );
  await client.query("select * from app.plan_expiry_mails($1, 'Asia/Tokyo', $2)", [
    world.time.now,
    REMINDER_STAGES,
  ]);
  await client.end();
  return notices.join("\n");
}

it("finds what is due among many by the index, and quickly", async () => {
  // The first round after an installation has everything within 90 days to plan.
  expect((await reminders.plan()).planned).toBeGreaterThan(13_000);
  // A usual morning: one day's worth for each stage.
  world.time.now = new Date("2027-06-02T00:00:05Z");
  const begun = performance.now();
  const { planned } = await reminders.plan();
  const took = performance.now() - begun;
  expect(planned).toBe(Math.round(CERTIFICATES / 395) * REMINDER_STAGES.length);
  expect(took).toBeLessThan(1_000);
  const plans = await explained();
  expect(plans).toContain("issued_by_not_after");
  expect(plans).not.toMatch(/Seq Scan on issued/);
});
