import { afterAll, expect, it } from "vitest";
import { type Listener, type ListenOptions, listen } from "../../../src/storage/listen.ts";
import { freshDatabase, openSuperuser } from "../../support/database.ts";
import { insertIssued, insertIssuer } from "../../support/rows.ts";

const fresh = await freshDatabase();
const admin = await openSuperuser(fresh.url);

afterAll(async () => {
  await admin.close();
  await fresh.drop();
});

interface Heard {
  readonly notes: string[];
  readonly errors: Error[];
  connects: number;
}

function start(
  channels: ListenOptions["channels"],
  url = fresh.url,
): { heard: Heard; listener: Listener } {
  const heard: Heard = { notes: [], errors: [], connects: 0 };
  const listener = listen({
    url,
    role: "suido_va",
    channels,
    onNotify: (channel, payload) => heard.notes.push(`${channel} ${payload}`),
    onConnect: () => {
      heard.connects += 1;
    },
    onError: (error) => heard.errors.push(error),
  });
  return { heard, listener };
}

it("hears of a revocation with its number, and of a new list", async () => {
  const { heard, listener } = start(["suido_change", "suido_list"]);
  await expect.poll(() => heard.connects, { timeout: 10_000 }).toBe(1);
  const serial = await insertIssued(admin, await insertIssuer(admin), "good");
  await admin.query(
    "update ca.issued set state = 'revoked', reason = 4, revoked_at = now() where serial = $1",
    [serial],
  );
  await admin.query(
    `insert into ca.list (issuer_id, scope, number, watermark, this_update, next_update, entries, sha256, der, current, signed_at)
     values ('issuing-g1', 'full', 1, 1, now(), now() + interval '7 days', 0, sha256('x'), 'x', true, now())`,
  );
  await expect
    .poll(() => heard.notes, { timeout: 10_000 })
    .toEqual(["suido_change 1", "suido_list issuing-g1"]);
  await listener.close();
  expect(heard.errors).toEqual([]);
});

it("connects again when it is cut off, says so, and hears again", async () => {
  const { heard, listener } = start(["test_channel"]);
  await expect.poll(() => heard.connects, { timeout: 10_000 }).toBe(1);
  await admin.query(
    "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'suido-listen' and datname = current_database()",
  );
  await expect.poll(() => heard.connects, { timeout: 10_000 }).toBe(2);
  expect(heard.errors).toHaveLength(1);
  await admin.query("notify test_channel, 'again'");
  await expect.poll(() => heard.notes, { timeout: 10_000 }).toEqual(["test_channel again"]);
  await listener.close();
});

it("goes on trying while the database is away, and stops when it is closed", async () => {
  const { heard, listener } = start(["test_channel"], "postgres://x:y@127.0.0.1:1/z");
  await expect.poll(() => heard.errors.length, { timeout: 10_000 }).toBeGreaterThan(2);
  await listener.close();
  const before = heard.errors.length;
  await new Promise((resolve) => setTimeout(resolve, 1_000));
  expect(heard.errors).toHaveLength(before);
  expect(heard.connects).toBe(0);
});
