import { randomBytes, randomUUID } from "node:crypto";

import { Registry } from "prom-client";
import { afterAll, beforeEach, describe, expect, it } from "vitest";

import type { MailContent } from "../../../src/delivery/mail-message.ts";
import { operatorMails } from "../../../src/lifecycle/operator-mail.ts";
import {
  createPartyWatch,
  forgetAcknowledgements,
  type PartyWatch,
} from "../../../src/lifecycle/party-watch.ts";
import { REASON_CODES, type RevocationReason } from "../../../src/pki/revocation-reason.ts";
import { insertIssued } from "../../support/rows.ts";
import { openPharmacies } from "./pharmacies.ts";

const BEGINNING = "2027-01-01T00:00:00Z";
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const world = await openPharmacies(BEGINNING);
const OPERATOR = { address: "ops@example.jp", language: "en" } as const;
let logged: string[] = [];
let metrics: Registry;
let watch: PartyWatch;
let number = 0;
let proxy: string;

beforeEach(async () => {
  world.time.now = new Date(BEGINNING);
  logged = [];
  await world.admin.query(
    "truncate app.mail, app.mail_item, app.enrolment_link, party.acknowledged_list, party.refusal",
  );
  await world.admin.query("delete from party.relying_party");
  await world.admin.query("delete from ca.list");
  metrics = new Registry();
  watch = watching(metrics);
  proxy = await register("proxy-1", ["authorize", "file"]);
  await publish();
  await acknowledge(proxy);
});
afterAll(() => world.close());

const log = {
  info: (_: unknown, message?: string) => void logged.push(message ?? ""),
  warn: (_: unknown, message?: string) => void logged.push(message ?? ""),
};

function watching(registry: Registry, operator: typeof OPERATOR | undefined = OPERATOR) {
  const { clock, worker: database } = world;
  return createPartyWatch({ database, operator, metrics: registry, clock, log });
}

function pass(ms: number): void {
  world.time.now = new Date(world.time.now.getTime() + ms);
}

async function register(name: string, uses: readonly string[]): Promise<string> {
  const id = randomUUID();
  await world.admin.query(
    `insert into party.relying_party (id, name, product, uses, created_at, updated_at) values ($1, $2, 'records', $3, $4, $4)`,
    [id, name, uses, world.time.now],
  );
  return id;
}

/** A list with the next number, which knows of all changes. */
async function publish(): Promise<void> {
  number += 1;
  await world.admin.query("update ca.list set current = false");
  await world.admin.query(
    `insert into ca.list (issuer_id, scope, number, watermark, this_update, next_update, entries, sha256, der, current, signed_at)
     values ('issuing-g1', 'full', $1, (select coalesce(max(seq), 0) from ca.change), $2, $3, 0, $4, '', true, $2)`,
    [number, world.time.now, new Date(world.time.now.getTime() + 7 * DAY), randomBytes(32)],
  );
}

async function acknowledge(party: string, list = number, rising = true): Promise<void> {
  await world.admin.query(
    "update party.acknowledged_list set current = false where relying_party_id = $1",
    [party],
  );
  await world.admin.query(
    `insert into party.acknowledged_list (relying_party_id, issuer_id, number, watermark, at, rising, current)
     select $1, issuer_id, number, watermark, $3, $4, true from ca.list where number = $2`,
    [party, list, world.time.now, rising],
  );
  await world.admin.query("update party.relying_party set last_seen_at = $2 where id = $1", [
    party,
    world.time.now,
  ]);
}

async function revoke(reason: RevocationReason): Promise<void> {
  const serial = await insertIssued(world.admin, "issuing-g1", "good");
  await world.admin.query(
    "update ca.issued set state = 'revoked', reason = $2, revoked_at = $3 where serial = $1",
    [serial, REASON_CODES[reason], world.time.now],
  );
}

const lagging = async (): Promise<unknown[]> =>
  (await watch.look()).map(({ name, why }) => `${name} ${why}`);

describe("a relying party with files lags", () => {
  it("not while it has the newest list, however long that is ago", async () => {
    pass(4 * DAY);
    expect(await lagging()).toEqual([]);
    expect(await world.mails()).toEqual([]);
  });

  it("five minutes after a list with an urgent revocation was published", async () => {
    await revoke("keyCompromise");
    pass(10 * MINUTE);
    expect(await lagging()).toEqual([]);
    await publish();
    pass(5 * MINUTE - 1);
    expect(await lagging()).toEqual([]);
    pass(1);
    expect(await lagging()).toEqual(["proxy-1 urgent"]);
  });

  it("three hours after any other list was published", async () => {
    await revoke("superseded");
    await publish();
    pass(HOUR);
    await publish();
    pass(2 * HOUR - 1);
    expect(await lagging()).toEqual([]);
    pass(1);
    expect(await lagging()).toEqual(["proxy-1 old"]);
  });

  it("when it never acknowledged a list, three hours after it was registered", async () => {
    await revoke("keyCompromise");
    await publish();
    pass(DAY);
    await register("proxy-2", ["file"]);
    await acknowledge(proxy);
    pass(3 * HOUR - 1);
    expect(await lagging()).toEqual([]);
    pass(1);
    expect(await lagging()).toEqual(["proxy-2 old"]);
  });

  it("at once when it goes back to an older list", async () => {
    await publish();
    await acknowledge(proxy);
    pass(MINUTE);
    await acknowledge(proxy, number - 1, false);
    expect(await lagging()).toEqual(["proxy-1 went-back"]);
    pass(MINUTE);
    await acknowledge(proxy);
    expect(await lagging()).toEqual([]);
  });

  it("not once it is retired, and never without files", async () => {
    await register("asks-only", ["authorize", "ocsp"]);
    await publish();
    pass(DAY);
    expect(await lagging()).toEqual(["proxy-1 old"]);
    await world.admin.query("update party.relying_party set retired_at = now() where id = $1", [
      proxy,
    ]);
    expect(await lagging()).toEqual([]);
  });
});

describe("operators", () => {
  it("get one mail each time that it falls behind, however often and by whom it is seen", async () => {
    await publish();
    pass(4 * HOUR);
    const other = watching(new Registry());
    for (const each of [watch, other, watch]) await each.look();
    await publish();
    await acknowledge(proxy, number - 1);
    pass(4 * HOUR);
    await watch.look();
    expect(await world.mails()).toHaveLength(1);
    expect(logged.filter((line) => line === "a relying party lags behind")).toHaveLength(2);
    await acknowledge(proxy);
    await watch.look();
    expect(logged.at(-1)).toBe("a relying party has caught up");
    await publish();
    pass(4 * HOUR);
    await watch.look();
    expect(await world.mails()).toHaveLength(2);
  });

  it("are told which party, since when and what to do, in either language", async () => {
    await revoke("certificateHold");
    await publish();
    pass(6 * MINUTE);
    await watch.look();
    const [row] = await world.mails();
    expect(row).toMatchObject({
      kind: "operator",
      recipient: "ops@example.jp",
      facts: { topic: "lagging", party: "proxy-1", why: "urgent" },
    });
    const sent: MailContent[] = [];
    const kind = operatorMails({ appUrl: "http://localhost:8000", timeZone: "Asia/Tokyo" });
    for (const language of ["en", "ja"] as const) {
      sent.push(await kind.write({ facts: row?.facts, language, now: world.time.now } as never));
    }
    expect(sent.map(({ subject }) => subject)).toEqual([
      "proxy-1 lags behind: it may let revoked certificates in",
      "proxy-1が遅れています: 失効した証明書を通すおそれがあります",
    ]);
    expect(sent[0]?.text).toContain("since Friday, 1 January 2027 09:00");
  });

  it("are not written to where there is no address; the log says it all the same", async () => {
    const alone = createPartyWatch({
      database: world.worker,
      operator: undefined,
      metrics: new Registry(),
      clock: world.clock,
      log,
    });
    await publish();
    pass(4 * HOUR);
    await alone.look();
    expect(await world.mails()).toEqual([]);
    expect(logged).toEqual(["a relying party lags behind"]);
  });
});

it("shows how far behind each party is, when it was heard of, and how many lag", async () => {
  await register("proxy-2", ["ocsp"]);
  await publish();
  pass(90 * MINUTE);
  await watch.look();
  const seen = new Date(BEGINNING).getTime() / 1000;
  const text = await metrics.metrics();
  expect(text).toContain('suido_party_lag_seconds{party="proxy-1"} 5400');
  expect(text).toContain('suido_party_lag_seconds{party="proxy-2"} 0');
  expect(text).toContain(`suido_party_last_seen_seconds{party="proxy-1"} ${seen}`);
  expect(text).not.toContain('suido_party_last_seen_seconds{party="proxy-2"}');
  expect(text).toContain("suido_parties_lagging 0");
  pass(2 * HOUR);
  await watch.look();
  expect(await metrics.metrics()).toContain("suido_parties_lagging 1");
});

it("forgets what was in force 400 days ago, but never what is in force", async () => {
  await publish();
  await acknowledge(proxy);
  await world.admin.query(
    "insert into party.refusal (relying_party_id, reason, first_at, last_at, count) values ($1, 'expired', $2, $2, 1)",
    [proxy, world.time.now],
  );
  pass(400 * DAY);
  await forgetAcknowledgements(world.worker, world.time.now);
  const rows = "select current from party.acknowledged_list";
  expect(await world.admin.query(rows)).toHaveLength(2);
  pass(1);
  await forgetAcknowledgements(world.worker, world.time.now);
  expect(await world.admin.query(rows)).toEqual([{ current: true }]);
  expect(await world.admin.query("select from party.refusal")).toEqual([]);
});
