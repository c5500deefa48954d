import { afterAll, describe, expect, it } from "vitest";
import { plainSite } from "../../../src/config/site.ts";
import { createMailDelivery } from "../../../src/delivery/mail-delivery.ts";
import type { Mailer, MailMessage } from "../../../src/delivery/mail-message.ts";
import { operatorMails } from "../../../src/lifecycle/operator-mail.ts";
import {
  createReminders,
  expiryMails,
  REMINDER_STAGES,
  type Reminders,
} from "../../../src/lifecycle/reminders.ts";
import { type Held, openPharmacies, type Person } from "./pharmacies.ts";

const world = await openPharmacies("2027-01-01T00:00:00Z");
const TOKYO = "Asia/Tokyo";
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const OPERATOR = { address: "ops@example.jp", language: "ja" } as const;

const reminders: Reminders = createReminders({
  database: world.worker,
  clock: world.clock,
  timeZone: TOKYO,
  operator: OPERATOR,
});

/** The last second of a day in Tokyo. */
const endOf = (day: string): Date => new Date(`${day}T14:59:59Z`);

function collector(): Mailer & { readonly sent: MailMessage[] } {
  const sent: MailMessage[] = [];
  return {
    sent,
    send: async (message) => {
      sent.push(message);
      return { accepted: message.to, response: "250" };
    },
    close: async () => undefined,
  };
}

function deliveryTo(mailer: Mailer) {
  const settings = { appUrl: "http://localhost:8000", timeZone: TOKYO, site: plainSite() };
  return createMailDelivery({
    database: world.worker,
    mailer,
    kinds: { expiry: expiryMails(reminders, settings), operator: operatorMails(settings) },
    clock: world.clock,
    log: { info: () => undefined, warn: () => undefined },
  });
}

const never = new AbortController().signal;

/** What is planned about a certificate: the stages and whom they tell. */
async function plannedFor({ hex }: Held): Promise<string[]> {
  return (await world.mails())
    .filter(({ key }) => key.startsWith(`expiry:${hex}:`))
    .map(({ stage, recipient }) => `${stage} ${recipient ?? "nobody"}`);
}

afterAll(() => world.close());

it("sends each stage once over a year of hourly rounds, at nine in the morning", async () => {
  const place = await world.place("あおぞら薬局");
  const manager = await world.person(place);
  world.time.now = new Date("2027-01-01T00:00:30Z");
  const held = await world.certificate(place, {
    notAfter: endOf("2028-01-31"),
    issuedAt: new Date("2026-12-20T03:00:00Z"),
  });
  const mailer = collector();
  const delivery = deliveryTo(mailer);
  const times: string[] = [];
  // The hours in which something can happen, and a few around them; every hour of 13 months would only take longer.
  for (let day = 0; day < 400; day += 1) {
    for (const hour of [0, 8, 9, 10, 23]) {
      world.time.now = new Date(Date.parse("2026-12-31T15:00:05Z") + day * DAY_MS + hour * HOUR_MS);
      await reminders.plan();
      const { sent } = await delivery.deliver(never);
      times.push(...Array.from({ length: sent }, () => world.time.now.toISOString()));
    }
  }
  expect(await plannedFor(held)).toEqual(
    REMINDER_STAGES.map((stage) => `${stage} ${manager.address}`),
  );
  expect(mailer.sent).toHaveLength(REMINDER_STAGES.length);
  expect(times).toEqual(
    REMINDER_STAGES.map((stage) =>
      new Date(Date.parse("2028-01-31T00:00:05Z") - stage * DAY_MS).toISOString(),
    ),
  );
  const rows = await world.mails();
  expect(new Set(rows.map(({ state }) => state))).toEqual(new Set(["sent"]));
});

it("sends only the newest stage after a late start, with the days that are really left", async () => {
  const place = await world.place("おそい薬局");
  await world.person(place);
  world.time.now = new Date("2027-06-10T03:00:00Z");
  const held = await world.certificate(place, { notAfter: endOf("2027-06-14") });
  await reminders.plan();
  const mailer = collector();
  await deliveryTo(mailer).deliver(never);
  expect(await plannedFor(held)).toEqual([expect.stringMatching(/^4 /)]);
  expect(mailer.sent.map(({ subject }) => subject)).toEqual([
    expect.stringContaining("【6月14日まで・あと4日】おそい薬局"),
  ]);
});

it("was never due for a stage that had passed when the certificate was issued", async () => {
  const place = await world.place("みじかい薬局");
  await world.person(place);
  world.time.now = new Date("2027-06-10T03:00:00Z");
  const held = await world.certificate(place, {
    notAfter: endOf("2027-07-01"),
    issuedAt: new Date("2027-06-09T03:00:00Z"),
  });
  await reminders.plan();
  expect(await plannedFor(held)).toEqual([]);
  world.time.now = new Date("2027-06-16T00:00:05Z");
  await reminders.plan();
  expect(await plannedFor(held)).toEqual([expect.stringMatching(/^15 /)]);
});

it("does not send what piled up during an outage: the newest one alone", async () => {
  const place = await world.place("こしょう薬局");
  await world.person(place);
  const held = await world.certificate(place, { notAfter: endOf("2027-08-10") });
  for (const day of ["03", "04", "05", "06"]) {
    world.time.now = new Date(`2027-08-${day}T00:00:05Z`);
    await reminders.plan();
  }
  const mailer = collector();
  await deliveryTo(mailer).deliver(never);
  const mine = mailer.sent.filter(({ key }) => key.includes(held.hex));
  expect(mine.map(({ key }) => key.split(":")[2])).toEqual(["4"]);
  expect(await plannedFor(held)).toHaveLength(4);
});

describe("who is told", () => {
  const soon = endOf("2027-09-10");
  const at = new Date("2027-09-04T00:00:05Z");

  it.for([
    {
      name: "the managers of a shared device's pharmacy, not its pharmacists or head office",
      people: [{}, {}, { role: "pharmacist" }, { role: "headOffice" }],
      told: [0, 1],
    },
    {
      name: "the head office where no manager can be reached",
      people: [
        { address: null },
        { disabled: true },
        { until: new Date("2027-09-01T00:00:00Z") },
        { role: "headOffice" },
      ],
      told: [3],
    },
    {
      name: "a mailbox that two managers share, once",
      people: [
        { address: "Shop@example.jp", shared: true },
        { address: "shop@example.jp", shared: true },
      ],
      told: [0],
    },
  ] as const)("is $name", async ({ people, told }) => {
    world.time.now = at;
    const place = await world.place("だれ薬局");
    const persons: Person[] = [];
    for (const options of people) persons.push(await world.person(place, options));
    const held = await world.certificate(place, { notAfter: soon });
    await reminders.plan();
    const addresses = (await plannedFor(held)).map((line) => line.slice(2).toLowerCase());
    const expected = told.map((index) => `${persons[index]?.address}`.toLowerCase());
    expect(addresses.toSorted()).toEqual(expected.toSorted());
  });

  it("is the responsible person of a personal device", async () => {
    world.time.now = at;
    const place = await world.place("こじん薬局");
    await world.person(place);
    const owner = await world.person(place, { role: "pharmacist" });
    const held = await world.certificate(place, {
      notAfter: soon,
      use: "personal",
      responsible: owner,
    });
    await reminders.plan();
    expect(await plannedFor(held)).toEqual([`6 ${owner.address}`]);
  });

  it("is the manager when the responsible person has no address", async () => {
    world.time.now = at;
    const place = await world.place("むめい薬局");
    const manager = await world.person(place);
    const owner = await world.person(place, { role: "pharmacist", address: null });
    const held = await world.certificate(place, {
      notAfter: soon,
      use: "personal",
      responsible: owner,
    });
    await reminders.plan();
    expect(await plannedFor(held)).toEqual([`6 ${manager.address}`]);
  });

  it("is nobody: a row says so, the operators hear of it once, and a new manager is told after all", async () => {
    world.time.now = at;
    const place = await world.place("るす薬局");
    const held = await world.certificate(place, { notAfter: soon });
    expect(await reminders.plan()).toEqual({ planned: 0, untold: 1 });
    expect(await reminders.plan()).toEqual({ planned: 0, untold: 0 });
    expect(await plannedFor(held)).toEqual(["6 nobody"]);
    const mailer = collector();
    await deliveryTo(mailer).deliver(never);
    const toOperators = mailer.sent.filter(({ to }) => to === OPERATOR.address);
    expect(toOperators).toHaveLength(1);
    expect(toOperators[0]?.text).toContain("るす薬局: 受付");
    const manager = await world.person(place);
    expect(await reminders.plan()).toEqual({ planned: 1, untold: 0 });
    expect(await plannedFor(held)).toContain(`6 ${manager.address}`);
  });

  it("reads in the language of the account, by name unless the mailbox is shared", async () => {
    world.time.now = at;
    const place = await world.place("ことば薬局");
    const english = await world.person(place, { locale: "en", name: "Emma Sato" });
    const shop = await world.person(place, { shared: true, name: "鈴木 一郎" });
    await world.certificate(place, { notAfter: soon });
    await reminders.plan();
    const mailer = collector();
    await deliveryTo(mailer).deliver(never);
    const textTo = (address: string | null): string =>
      mailer.sent.find(({ to }) => to === address)?.text ?? "";
    expect(textTo(english.address)).toContain("Dear Emma Sato,");
    expect(textTo(english.address)).toContain("in 6 days");
    expect(textTo(shop.address)).toContain("ことば薬局 管理者の方へ");
    expect(textTo(shop.address)).not.toContain("鈴木");
  });
});

describe("what ends the reminders", () => {
  const soon = endOf("2027-10-10");
  const at = new Date("2027-10-04T00:00:05Z");
  const later = endOf("2028-10-10");

  it.for([
    { name: "a good successor", chain: [{ state: "good" }] },
    { name: "a good successor's successor", chain: [{ state: "revoked" }, { state: "good" }] },
  ] as const)("is $name", async ({ chain }) => {
    world.time.now = at;
    const place = await world.place("つづき薬局");
    await world.person(place);
    const held = await world.certificate(place, { notAfter: soon });
    let before = held;
    for (const { state } of chain) {
      const { deviceId, serial } = before;
      before = await world.certificate(place, {
        notAfter: later,
        deviceId,
        replaces: serial,
        state,
      });
    }
    await reminders.plan();
    expect(await plannedFor(held)).toEqual([]);
  });

  it("is not a revoked successor, nor another certificate of the device", async () => {
    world.time.now = at;
    const place = await world.place("まだ薬局");
    await world.person(place);
    const held = await world.certificate(place, { notAfter: soon });
    const { deviceId, serial } = held;
    await world.certificate(place, {
      notAfter: later,
      deviceId,
      replaces: serial,
      state: "revoked",
    });
    await world.certificate(place, { notAfter: later, deviceId });
    await reminders.plan();
    expect(await plannedFor(held)).toHaveLength(1);
  });

  it.for(["successor", "revocation", "expiry"] as const)(
    "is a %s, also for a mail that waits already",
    async (event) => {
      world.time.now = at;
      const place = await world.place("まち薬局");
      await world.person(place);
      const held = await world.certificate(place, { notAfter: soon });
      await reminders.plan();
      const { deviceId, serial } = held;
      const events = {
        successor: () => world.certificate(place, { notAfter: later, deviceId, replaces: serial }),
        revocation: () => world.revoke(held),
        expiry: async () => (world.time.now = new Date("2027-10-11T00:00:00Z")),
      };
      await events[event]();
      const mailer = collector();
      await deliveryTo(mailer).deliver(never);
      expect(mailer.sent.filter(({ key }) => key.includes(held.hex))).toEqual([]);
      const states = (await world.mails()).filter(({ key }) => key.includes(held.hex));
      expect(states.map(({ state }) => state)).toEqual(["dropped"]);
    },
  );
});

it("plans and sends each mail once when two workers do both at once", async () => {
  world.time.now = new Date("2027-11-04T00:00:05Z");
  const place = await world.place("ふたり薬局");
  await world.person(place);
  const helds: Held[] = [];
  for (let i = 0; i < 60; i += 1) {
    helds.push(await world.certificate(place, { notAfter: endOf("2027-11-10") }));
  }
  const plans = await Promise.all([reminders.plan(), reminders.plan(), reminders.plan()]);
  expect(plans.map(({ planned }) => planned).toSorted((a, b) => b - a)).toEqual([60, 0, 0]);
  const mailer = collector();
  await Promise.all(Array.from({ length: 3 }, () => deliveryTo(mailer).deliver(never)));
  const keys = mailer.sent.map(({ key }) => key);
  expect(keys).toHaveLength(60);
  expect(new Set(keys).size).toBe(60);
});

it("shows the worker no table of mails", async () => {
  await expect(world.worker.query("select from app.mail")).rejects.toThrow(
    expect.objectContaining({ code: "42501" }),
  );
});
