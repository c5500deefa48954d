import { randomUUID } from "node:crypto";
import { pino } from "pino";
import { Registry } from "prom-client";
import { afterAll, afterEach, describe, expect, it } from "vitest";
import { createMailDelivery, type MailDelivery } from "../../../src/delivery/mail-delivery.ts";
import { claimMails, finishMail, forgetMails } from "../../../src/delivery/mail-rows.ts";
import { createMailer } from "../../../src/delivery/mailer.ts";
import { registerMailMetrics } from "../../../src/delivery/metrics.ts";
import type { Database } from "../../../src/storage/database.ts";
import { startSmtp, startTarpit, type TestSmtp } from "../../support/smtp.ts";
import { type MailRow, openPharmacies } from "../lifecycle/pharmacies.ts";

const world = await openPharmacies("2027-05-01T00:00:00Z");
const never = new AbortController().signal;
const MINUTE_MS = 60_000;
const closers: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const close of closers.splice(0)) await close();
  await world.admin.query("delete from app.task");
  await world.admin.query("delete from app.mail");
});
afterAll(() => world.close());

const logged: string[] = [];
const log = pino({ level: "info" }, { write: (line: string) => void logged.push(line) });

function deliveryTo(url: string, database: Database = world.worker): MailDelivery {
  const mailer = createMailer({
    url,
    from: "no-reply@suido.example.jp",
    outbox: "",
    onError: () => undefined,
    timeouts: { connect: 300, greeting: 300, silence: 300 },
  });
  closers.unshift(() => mailer.close());
  return createMailDelivery({
    database,
    mailer,
    kinds: {
      operator: {
        write: ({ facts }) => ({
          subject: JSON.stringify(facts["subject"]),
          text: "t",
          html: "<p>h</p>",
        }),
      },
    },
    clock: world.clock,
    newId: randomUUID,
    log,
  });
}

async function smtp(...refusal: Parameters<typeof startSmtp>): Promise<TestSmtp> {
  const server = await startSmtp(...refusal);
  closers.push(() => server.close());
  return server;
}

async function plan(count: number): Promise<void> {
  for (let i = 0; i < count; i += 1) {
    await world.worker.query(
      "select app.plan_operator_mail($1, 'x', 'ops@example.jp', 'ja', $2, $3)",
      [randomUUID(), { subject: `mail ${i}` }, world.time.now],
    );
  }
}

const only = async (): Promise<MailRow> => {
  const [row, ...more] = await world.mails();
  expect(more).toEqual([]);
  return row as MailRow;
};

const pass = (ms: number): void => {
  world.time.now = new Date(world.time.now.getTime() + ms);
};

it("sends everything that is due, over a few connections, and writes so", async () => {
  const server = await smtp();
  await plan(60);
  const round = await deliveryTo(server.url).deliver(never);
  expect(round).toEqual({ sent: 60, failed: 0, returned: 0, postponed: 0 });
  expect(new Set(server.mails().map(({ headers }) => headers.get("subject"))).size).toBe(60);
  const rows = await world.mails();
  expect(rows.every(({ state, sent_at: at }) => state === "sent" && at !== null)).toBe(true);
});

it("tries again with growing waits up to an hour, and sends once the server takes it", async () => {
  const server = await smtp({ at: "rcpt", code: 450, times: 10 });
  const delivery = deliveryTo(server.url);
  await plan(1);
  const waits: number[] = [];
  for (let attempt = 0; attempt < 10; attempt += 1) {
    await delivery.deliver(never);
    const wait = (await only()).next_attempt_at.getTime() - world.time.now.getTime();
    waits.push(wait / MINUTE_MS);
    pass(wait - 1);
    expect(await delivery.deliver(never)).toEqual({
      sent: 0,
      failed: 0,
      returned: 0,
      postponed: 0,
    });
    pass(1);
  }
  expect(waits).toEqual([0.5, 1, 2, 4, 8, 16, 32, 60, 60, 60]);
  expect(await delivery.deliver(never)).toMatchObject({ sent: 1 });
  expect(await only()).toMatchObject({ state: "sent", attempts: 11, last_error: null });
  expect(server.raw).toHaveLength(1);
});

it("gives up what the server will never take, with its reason in the row and no address in the log", async () => {
  const server = await smtp({ at: "rcpt", code: 550 });
  await plan(1);
  logged.length = 0;
  expect(await deliveryTo(server.url).deliver(never)).toEqual({
    sent: 0,
    failed: 0,
    returned: 1,
    postponed: 0,
  });
  expect(await only()).toMatchObject({
    state: "returned",
    last_error: expect.stringContaining("no such user") as string,
  });
  const tasks = await world.admin.query(
    "select kind, address, facts ->> 'diagnostic' as why from app.task",
  );
  expect(tasks).toEqual([
    {
      kind: "returned",
      address: "ops@example.jp",
      why: expect.stringContaining("no such user") as string,
    },
  ]);
  expect(logged.join("")).toContain("mail-refused");
  expect(logged.join("")).not.toContain("ops@example.jp");
});

it("gives up after a fortnight", async () => {
  await plan(1);
  pass(15 * 24 * 60 * MINUTE_MS);
  const server = await smtp({ at: "rcpt", code: 450 });
  expect(await deliveryTo(server.url).deliver(never)).toMatchObject({ failed: 1 });
});

describe("a server that", () => {
  it("is away costs one batch, not a round through all mails", async () => {
    const server = await startSmtp();
    await server.close();
    await plan(60);
    const round = await deliveryTo(server.url).deliver(never);
    expect(round).toEqual({ sent: 0, failed: 0, returned: 0, postponed: 24 });
    expect((await world.mails()).every(({ state }) => state === "due")).toBe(true);
  });

  it("says nothing holds up only the mails", async () => {
    const tarpit = await startTarpit();
    closers.push(() => tarpit.close());
    await plan(3);
    expect(await deliveryTo(tarpit.url).deliver(never)).toMatchObject({ postponed: 3 });
  });
});

it("stops between two mails when told, and gives the rest back", async () => {
  const server = await smtp();
  await plan(10);
  const stopping = new AbortController();
  const delivery = deliveryTo(server.url);
  const done = delivery.deliver(stopping.signal);
  stopping.abort();
  await done;
  const { sent } = await delivery.deliver(never);
  expect(server.raw).toHaveLength(10);
  expect(sent).toBeGreaterThan(0);
});

const claim = (size = 10) =>
  claimMails(world.worker, {
    now: world.time.now,
    until: new Date(world.time.now.getTime() + 10 * MINUTE_MS),
    size,
  });

it("sends a second copy with the same Message-ID when it went down before it could write so", async () => {
  const server = await smtp();
  await plan(1);
  const crashing: Database = {
    ...world.worker,
    query: async (text, values, name) => {
      if (name === "finish-mail") throw new Error("killed");
      return world.worker.query(text, values, name);
    },
  };
  await expect(deliveryTo(server.url, crashing).deliver(never)).rejects.toThrow("killed");
  expect(await deliveryTo(server.url).deliver(never)).toMatchObject({ sent: 0 });
  pass(15 * MINUTE_MS);
  expect(await deliveryTo(server.url).deliver(never)).toMatchObject({ sent: 1 });
  const ids = server.mails().map(({ headers }) => headers.get("message-id"));
  expect(ids).toHaveLength(2);
  expect(ids[1]).toBe(ids[0]);
});

describe("a lease", () => {
  it("keeps a mail from everybody else", async () => {
    await plan(30);
    const claims = await Promise.all([claim(), claim(), claim(), claim()]);
    const ids = claims.flat().map(({ id }) => id);
    expect(ids).toHaveLength(30);
    expect(new Set(ids).size).toBe(30);
  });

  it("ends, so that the mails of a worker that was killed are sent by another", async () => {
    await plan(1);
    const [taken] = await claim();
    expect(await claim()).toEqual([]);
    pass(10 * MINUTE_MS);
    const [again] = await claim();
    expect(again).toMatchObject({ id: taken?.id, attempt: 2 });
  });

  it("that has ended writes nothing any more", async () => {
    await plan(1);
    const [late] = await claim();
    pass(10 * MINUTE_MS);
    const [current] = await claim();
    const sent = { outcome: { kind: "sent" }, now: world.time.now, newId: randomUUID } as const;
    expect(await finishMail(world.worker, late as NonNullable<typeof late>, sent)).toBe(false);
    expect(await finishMail(world.worker, current as NonNullable<typeof current>, sent)).toBe(true);
  });
});

it("keeps a mail of a kind that it does not know for a program that does", async () => {
  await plan(1);
  await world.admin.query("update app.mail set kind = 'tomorrow'");
  const server = await smtp();
  expect(await deliveryTo(server.url).deliver(never)).toMatchObject({ postponed: 1 });
});

it("takes what somebody waits for before all that was due earlier", async () => {
  await plan(5);
  await world.admin.query(
    `update app.mail set next_attempt_at = next_attempt_at - interval '1 hour' where facts ->> 'subject' <> 'mail 4'`,
  );
  await world.admin.query(
    "update app.mail set kind = 'emergency-code' where facts ->> 'subject' = 'mail 4'",
  );
  const { now } = world.time;
  const take = async (size: number): Promise<readonly string[]> => {
    const until = new Date(now.getTime() + MINUTE_MS);
    return (await claimMails(world.worker, { now, until, size })).map(({ kind }) => kind);
  };
  expect((await take(2)).toSorted((a, b) => a.localeCompare(b))).toEqual([
    "emergency-code",
    "operator",
  ]);
  expect(await take(10)).toEqual(["operator", "operator", "operator"]);
});

it("forgets what was finished with 400 days ago, and nothing that is due", async () => {
  const server = await smtp();
  await plan(1);
  await deliveryTo(server.url).deliver(never);
  await plan(1);
  expect(await forgetMails(world.worker, world.time.now)).toBe(0);
  pass(401 * 24 * 60 * MINUTE_MS);
  expect(await forgetMails(world.worker, world.time.now)).toBe(1);
  expect(await only()).toMatchObject({ state: "due" });
});

it("shows how many wait and for how long", async () => {
  const registry = new Registry();
  registerMailMetrics(registry, { database: world.worker, clock: world.clock });
  expect(await registry.metrics()).toContain('suido_mails{state="due"} 0');
  await plan(2);
  pass(90_000);
  const text = await registry.metrics();
  expect(text).toContain('suido_mails{state="due"} 2');
  expect(text).toContain("suido_mail_oldest_due_seconds 90");
});
