import { afterAll, describe, expect, it } from "vitest";
import { MailRefusedError } from "../../../src/delivery/errors.ts";
import type { Mailer } from "../../../src/delivery/mail-message.ts";
import type { Person, PersonOptions } from "./pharmacies.ts";
import {
  about,
  collector,
  endOf,
  never,
  nineOn,
  openReminderWorld,
  OPERATOR,
} from "./reminder-world.ts";

const { world, reminders, deliveryTo, plannedFor, factsAbout, openTasks } =
  await openReminderWorld();

afterAll(() => world.close());

type Asked = PersonOptions & { readonly elsewhere?: boolean };

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
      name: "the head office of another pharmacy where this one has nobody",
      people: [{ role: "headOffice", elsewhere: true }, { role: "pharmacist" }],
      told: [0],
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
    const elsewhere = await world.place("ほか薬局", place.corporationId);
    for (const { elsewhere: isElsewhere = false, ...options } of people as readonly Asked[])
      persons.push(await world.person(isElsewhere ? elsewhere : place, options));
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

  it("is the manager when the responsible person has left, and the mailbox that returns mails is passed over", async () => {
    world.time.now = at;
    const place = await world.place("たいしょく薬局");
    const returning = await world.person(place);
    const office = await world.person(place, { role: "headOffice" });
    const owner = await world.person(place, { role: "pharmacist", until: new Date("2027-09-01Z") });
    const own = { notAfter: soon, use: "personal", responsible: owner } as const;
    const held = await world.certificate(place, own);
    await reminders.plan();
    expect(await plannedFor(held)).toEqual([`6 ${returning.address}`]);
    const mailer = collector();
    const refusing: Mailer = {
      ...mailer,
      send: (mail) =>
        mail.to === returning.address
          ? Promise.reject(new MailRefusedError("550 5.1.1 no such user"))
          : mailer.send(mail),
    };
    await deliveryTo(refusing).deliver(never);
    // Within the hour, and also on the days after.
    await reminders.plan();
    expect(await plannedFor(held)).toEqual([`6 ${office.address}`]);
    await deliveryTo(refusing).deliver(never);
    const [told] = about(mailer, held);
    // The certificate's person is out, and so is the device: no code helps.
    expect(told?.text).toContain("担当の方が変わっているため");
    world.time.now = nineOn("2027-09-05");
    await reminders.plan();
    expect(await plannedFor(held)).toEqual([`6 ${office.address}`, `5 ${office.address}`]);
    // A new address ends the task, and the manager is told again.
    await world.admin.query("update app.account set email = 'new@example.jp' where id = $1", [
      returning.accountId,
    ]);
    world.time.now = nineOn("2027-09-06");
    await reminders.plan();
    expect((await plannedFor(held)).at(-1)).toBe("4 new@example.jp");
    expect((await openTasks("returned")).map(({ address }) => address)).not.toContain(
      returning.address,
    );
    const [task] = await world.admin.query<{ subject: string }>(
      "select subject from app.task where address = $1",
      [returning.address],
    );
    expect(await factsAbout(task?.subject ?? "")).toEqual([
      "worker task.opened returned",
      "worker task.closed returned",
    ]);
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

  it("is nobody: a task says so, the operators hear of it once, and a new manager is told after all", async () => {
    world.time.now = at;
    const place = await world.place("るす薬局");
    const held = await world.certificate(place, { notAfter: soon });
    expect(await reminders.plan()).toEqual({ planned: 0, untold: 1 });
    expect(await reminders.plan()).toEqual({ planned: 0, untold: 0 });
    expect(await plannedFor(held)).toEqual([]);
    const task = { subject: `certificate/${held.hex}`, address: null };
    expect(await openTasks("untold")).toContainEqual(task);
    expect(await factsAbout(task.subject)).toEqual(["worker task.opened untold"]);
    const mailer = collector();
    await deliveryTo(mailer).deliver(never);
    const toOperators = mailer.sent.filter(({ to }) => to === OPERATOR.address);
    expect(toOperators).toHaveLength(1);
    expect(toOperators[0]?.text).toContain("るす薬局: 受付");
    const manager = await world.person(place);
    expect(await reminders.plan()).toEqual({ planned: 1, untold: 0 });
    expect(await plannedFor(held)).toEqual([`6 ${manager.address}`]);
    expect(await openTasks("untold")).not.toContainEqual(task);
    expect(await factsAbout(task.subject)).toEqual([
      "worker task.opened untold",
      "worker task.closed untold",
    ]);
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
    expect(textTo(shop.address)).toContain("ことば薬局 ご担当の方へ");
    expect(textTo(shop.address)).not.toContain("鈴木");
  });
});

describe("what ends the reminders", () => {
  const soon = endOf("2027-10-10");
  const at = new Date("2027-10-04T00:00:05Z");
  const later = endOf("2028-10-10");

  it.for([
    { name: "a proven successor", chain: [{ state: "good", proven: true }] },
    {
      name: "a proven successor's successor",
      chain: [{ state: "revoked" }, { state: "good", proven: true }],
    },
  ] as const)("is $name", async ({ chain }) => {
    world.time.now = at;
    const place = await world.place("つづき薬局");
    await world.person(place);
    const held = await world.certificate(place, { notAfter: soon });
    let before = held;
    for (const own of chain) {
      const { deviceId, serial } = before;
      before = await world.certificate(place, {
        notAfter: later,
        deviceId,
        replaces: serial,
        ...own,
      });
    }
    await reminders.plan();
    expect(await plannedFor(held)).toEqual([]);
  });

  it("is not a revoked successor, nor one that no device has shown, nor another certificate of the device", async () => {
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
    await world.certificate(place, { notAfter: later, deviceId, replaces: serial });
    await world.certificate(place, { notAfter: later, deviceId, proven: true });
    await reminders.plan();
    expect(await plannedFor(held)).toHaveLength(1);
  });

  it("is the certificate of a new machine, which ends those of all places of the old one", async () => {
    world.time.now = at;
    const place = await world.place("いれかえ薬局");
    await world.person(place);
    const held = await world.certificate(place, { notAfter: soon });
    const { deviceId, serial } = held;
    const machine = await world.certificate(place, { notAfter: later, deviceId, proven: true });
    await world.admin.query(
      "insert into ca.supersession (serial, successor, proven_at) values ($1, $2, $3)",
      [serial, machine.serial, at],
    );
    await reminders.plan();
    expect(await plannedFor(held)).toEqual([]);
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
        successor: () =>
          world.certificate(place, { notAfter: later, deviceId, replaces: serial, proven: true }),
        revocation: () => world.revoke(held),
        expiry: async () => (world.time.now = new Date("2027-10-11T00:00:00Z")),
      };
      await events[event]();
      const mailer = collector();
      await deliveryTo(mailer).deliver(never);
      expect(about(mailer, held)).toEqual([]);
      const [mail] = await world.admin.query(
        "select m.state from app.mail m join app.mail_item i on i.mail_id = m.id where i.serial = $1",
        [serial],
      );
      expect(mail).toEqual({ state: "dropped" });
    },
  );
});
