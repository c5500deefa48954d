import { randomBytes, randomUUID } from "node:crypto";
import { Registry } from "prom-client";
import { afterAll, beforeEach, describe, expect, it } from "vitest";
import { createMailDelivery } from "../../../src/delivery/mail-delivery.ts";
import {
  createExpiryWatch,
  type Ending,
  type ExpiryWatch,
} from "../../../src/lifecycle/expiry-watch.ts";
import { operatorMails } from "../../../src/lifecycle/operator-mail.ts";
import { probedCertificate } from "../../../src/lifecycle/probed-certificate.ts";
import { insertIssued } from "../../support/rows.ts";
import { openPharmacies } from "./pharmacies.ts";

const world = await openPharmacies("2027-01-01T00:00:00Z");
const DAY_MS = 86_400_000;
const OPERATOR = { address: "ops@example.jp", language: "en" } as const;
let others: Ending[] = [];

beforeEach(async () => {
  others = [];
  await world.admin.query("delete from app.mail");
  await world.admin.query("delete from ca.list");
  await world.admin.query(
    "update ca.issuer set not_after = '2040-01-01Z', created_at = '2027-01-01Z'",
  );
});
afterAll(() => world.close());

function watch(metrics = new Registry(), operator?: typeof OPERATOR): ExpiryWatch {
  return createExpiryWatch({
    database: world.worker,
    others: async () => others,
    operator,
    metrics,
    clock: world.clock,
  });
}

/** The days before `end` on which a mail was planned, looking twice each time. */
async function toldBefore(end: Date, days: number, stepHours = 12): Promise<number[]> {
  const watcher = watch(new Registry(), OPERATOR);
  const told: number[] = [];
  for (let hours = days * 24; hours >= -24; hours -= stepHours) {
    world.time.now = new Date(end.getTime() - hours * 3_600_000);
    const count = await watcher.look();
    expect(await watcher.look()).toBe(0);
    told.push(...Array.from({ length: count }, () => hours / 24));
  }
  return told;
}

/** From when on a root session is due, in milliseconds. */
async function sessionDue(root: string): Promise<number> {
  const metrics = new Registry();
  await watch(metrics).look();
  const text = await metrics.metrics();
  const line = text
    .split("\n")
    .find((each) => each.startsWith(`suido_root_session_due_seconds{issuer="${root}"}`));
  return Number(line?.split(" ")[1]) * 1000;
}

async function insertSealedRoot(id: string): Promise<void> {
  await world.admin.query(
    `insert into ca.issuer (id, kind, generation, state, parent_id, serial, certificate, subject, key_identifier, va_url, not_after, created_at, is_key_away)
     values ($1, 'root', $2, 'active', $1, $3, $3, $3, $3, 'http://va.example', '2046-01-01Z', '2027-01-01Z', true)`,
    [id, Number(id.slice(-1)), randomBytes(16)],
  );
}

const END = new Date("2035-01-01T00:00:00Z");
const lived = (days: number): Ending => ({
  what: "thing",
  from: new Date(END.getTime() - days * DAY_MS),
  until: END,
});

describe("operators are told once a threshold", () => {
  it.for([
    ["a certificate of years", 3650, 100, [90, 30, 14, 7, 2, 0]],
    ["a server certificate, renewed at 30 days", 90, 89, [14, 7, 2, 0]],
    ["an OCSP delegate, renewed at 4.7 days", 14, 14, [2, 0]],
  ] as const)("of %s", async ([, life, days, expected]) => {
    others = [lived(life)];
    expect(await toldBefore(END, days)).toEqual(expected);
  });

  it("of an issuing CA, early enough for its successor to be announced, and to take over", async () => {
    await world.admin.query("update ca.issuer set not_after = $1", [END]);
    expect(await toldBefore(END, 500, 24)).toEqual([486, 426, 90, 30, 14, 7, 2, 0]);
  });

  it("of a list, from the half of its life on", async () => {
    await world.admin.query(
      `insert into ca.list (issuer_id, scope, number, watermark, this_update, next_update, entries, sha256, der, current, signed_at)
       values ('issuing-g1', 'full', 1, 0, $1, $2, 0, $3, '', true, $1)`,
      [lived(7).from, END, randomBytes(32)],
    );
    expect(await toldBefore(END, 7)).toEqual([3.5, 2, 0]);
  });

  it("of a root's list and delegate by half of their lives, where only a root session renews them", async () => {
    await insertSealedRoot("root-g1");
    const metrics = new Registry();
    others = [{ ...lived(396), what: "delegate root-g1" }];
    expect(await toldBefore(END, 200, 24)).toEqual([198, 90, 30, 14, 7, 2, 0]);
    await watch(metrics).look();
    const due = END.getTime() / 1000 - 198 * 86_400;
    expect(await metrics.metrics()).toContain(
      `suido_root_session_due_seconds{issuer="root-g1"} ${due}`,
    );
    const topics = new Set((await world.mails()).map(({ facts }) => facts["topic"]));
    expect(topics).toEqual(new Set(["root-session"]));
    await world.admin.query("delete from ca.issuer where id = 'root-g1'");
  });

  it("by a mail that names it", async () => {
    others = [lived(90)];
    world.time.now = new Date(END.getTime() - 10 * DAY_MS);
    await watch(new Registry(), OPERATOR).look();
    const subjects: string[] = [];
    const settings = { appUrl: "http://localhost:8000", timeZone: "Asia/Tokyo" };
    await createMailDelivery({
      database: world.worker,
      mailer: {
        send: async ({ subject, to }) => {
          subjects.push(subject);
          return { accepted: to, response: "" };
        },
        close: async () => undefined,
      },
      kinds: { operator: operatorMails(settings) },
      clock: world.clock,
      newId: randomUUID,
      log: { info: () => undefined, warn: () => undefined },
    }).deliver(new AbortController().signal);
    expect(subjects).toEqual(["Suido itself: thing ends Monday, 1 January 2035"]);
  });
});

it("shows a root session as due since an issuing CA was revoked that is not on the root's list", async () => {
  await insertSealedRoot("root-g2");
  const own = await insertIssued(world.admin, "root-g2", "good");
  await world.admin.query(
    `insert into ca.list (issuer_id, scope, number, watermark, this_update, next_update, entries, sha256, der, current, signed_at)
     values ('root-g2', 'full', 1, 0, $1, $2, 0, $3, '', true, $1)`,
    [lived(396).from, END, randomBytes(32)],
  );
  world.time.now = new Date(END.getTime() - 300 * DAY_MS);
  expect(await sessionDue("root-g2")).toBe(END.getTime() - 198 * DAY_MS);
  await world.admin.query(
    "update ca.issued set state = 'revoked', reason = 1, revoked_at = $2 where serial = $1",
    [own, world.time.now],
  );
  expect(await sessionDue("root-g2")).toBe(world.time.now.getTime());
});

it("shows every end as a metric, and plans nothing where there is no operator's address", async () => {
  const metrics = new Registry();
  others = [lived(90)];
  world.time.now = new Date(END.getTime() - DAY_MS);
  expect(await watch(metrics).look()).toBe(0);
  const text = await metrics.metrics();
  expect(text).toContain(`suido_not_after_seconds{what="thing"} ${END.getTime() / 1000}`);
  expect(text).toContain('suido_not_after_seconds{what="issuing-g1"} ');
  expect(await world.mails()).toEqual([]);
});

it("finds the longest-living good certificate for the probe", async () => {
  world.time.now = new Date("2027-01-01T00:00:00Z");
  expect(await probedCertificate(world.worker, world.time.now)).toBeUndefined();
  const place = await world.place("薬局");
  await world.certificate(place, { notAfter: new Date("2027-05-01T00:00:00Z") });
  const { serial } = await world.certificate(place, { notAfter: new Date("2028-01-01T00:00:00Z") });
  const [row] = await world.admin.query<{ der: Buffer }>(
    "select der from ca.issued where serial = $1",
    [serial],
  );
  expect((await probedCertificate(world.worker, world.time.now))?.certificate).toEqual(row?.der);
});
