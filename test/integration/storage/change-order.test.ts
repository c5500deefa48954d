import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, expect, it } from "vitest";
import { openDatabase } from "../../../src/storage/database.ts";
import { freshDatabase, openSuperuser } from "../../support/database.ts";
import { insertIssued, insertIssuer } from "../../support/rows.ts";

const fresh = await freshDatabase();
const admin = await openSuperuser(fresh.url);
const app = openDatabase({ url: fresh.url, role: "suido_app", max: 10, applicationName: "test" });
const va = openDatabase({ url: fresh.url, role: "suido_va", max: 1, applicationName: "test" });
const issuer = await insertIssuer(admin);

afterAll(async () => {
  await Promise.all([app.close(), va.close()]);
  await admin.close();
  await fresh.drop();
});

const REVOKE =
  "update ca.issued set state = 'revoked', reason = 4, revoked_at = now() where serial = $1";

/** Reads changes like a VA: only those beyond the last number that it has seen. */
async function poll(until: () => boolean): Promise<string[]> {
  const seen: string[] = [];
  for (let last = false; !last;) {
    last = until();
    const rows = await va.query<{ seq: string }>(
      "select seq from ca.change where seq > $1 order by seq",
      [seen.at(-1) ?? "0"],
    );
    seen.push(...rows.map(({ seq }) => seq));
  }
  return seen;
}

it("a second revocation waits for the commit of the first", async () => {
  const [first, second] = [
    await insertIssued(admin, issuer, "good"),
    await insertIssued(admin, issuer, "good"),
  ];
  const order: string[] = [];
  let other: Promise<unknown> | undefined;
  await app.transaction(async (sql) => {
    await sql.query(REVOKE, [first]);
    other = app.query(REVOKE, [second]).then(() => order.push("second"));
    await sleep(150);
    order.push("first");
  });
  await other;
  expect(order).toEqual(["first", "second"]);
  const rows = await app.query<{ serial: Buffer }>("select serial from ca.change order by seq");
  expect(rows.map(({ serial }) => serial.toString("hex"))).toEqual(
    [first, second].map((serial) => serial.toString("hex")),
  );
});

it("who polls by number misses no change, though 8 revoke at once and commit when they please", async () => {
  const serials: Buffer[] = [];
  for (let i = 0; i < 160; i += 1) serials.push(await insertIssued(admin, issuer, "good"));
  const queue = [...serials.entries()];
  let done = false;
  const polled = poll(() => done);
  const revoker = async (): Promise<void> => {
    for (let next = queue.pop(); next !== undefined; next = queue.pop()) {
      const [turn, serial] = next;
      await app.transaction(async (sql) => {
        await sql.query(REVOKE, [serial]);
        if (turn % 4 === 0)
          await sql.query("select ca.record_deny($1, now())", [`api-key:${turn}`]);
        await sleep(turn % 3);
      });
    }
  };
  await Promise.all(Array.from({ length: 8 }, revoker));
  done = true;
  const all = await app.query<{ seq: string }>("select seq from ca.change order by seq");
  expect(all).toHaveLength(2 + 160 + 40);
  expect(await polled).toEqual(all.map(({ seq }) => seq));
});

it("two that revoke the same rows in opposite orders both get through", async () => {
  const pair = [
    await insertIssued(admin, issuer, "good"),
    await insertIssued(admin, issuer, "good"),
  ];
  const both = (serials: readonly Buffer[]): Promise<void> =>
    app.transaction(async (sql) => {
      for (const serial of serials) {
        await sql.query("select from ca.issued where serial = $1 for update", [serial]);
        await sleep(50);
        await sql.query(`${REVOKE} and state = 'good'`, [serial]);
      }
    });
  await Promise.all([both(pair), both(pair.toReversed())]);
  const rows = await app.query("select serial from ca.change where serial = any($1)", [pair]);
  expect(rows).toHaveLength(2);
});

it("a deny is numbered, journaled and announced", async () => {
  const at = new Date("2026-11-21T01:02:03.004Z");
  const [row] = await app.query<{ seq: string }>("select ca.record_deny('account:x', $1) as seq", [
    at,
  ]);
  expect(
    await va.query("select kind, serial, reason, at, subject from ca.change where seq = $1", [
      row?.seq,
    ]),
  ).toEqual([{ kind: "deny", serial: null, reason: null, at, subject: "account:x" }]);
});
