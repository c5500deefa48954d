import { afterAll, afterEach, expect, it } from "vitest";
import { createMailer } from "../../../src/delivery/mailer.ts";
import { linkHash, spellingOf } from "../../../src/lifecycle/enrolment-links.ts";
import { REMINDER_STAGES } from "../../../src/lifecycle/reminders.ts";
import { renewalWindows } from "../../../src/lifecycle/renewal-windows.ts";
import { parseSerial } from "../../../src/pki/serial.ts";
import type { Database } from "../../../src/storage/database.ts";
import { startSmtp } from "../../support/smtp.ts";
import type { Held } from "./pharmacies.ts";
import {
  about,
  collector,
  DAY_MS,
  endOf,
  HOUR_MS,
  never,
  nineOn,
  openReminderWorld,
  OPERATOR,
  TOKYO,
} from "./reminder-world.ts";

const { world, reminders, system, deliveryTo, plannedFor, openTasks } = await openReminderWorld();
const closers: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});
afterAll(() => world.close());

/** The day in Tokyo. */
const dayOf = (at: Date): string => new Date(at.getTime() + 9 * HOUR_MS).toISOString().slice(0, 10);

/** From when a certificate is asked to renew, when its pharmacy has no others before it. */
function windowsOf(
  helds: readonly (Held & { readonly notAfter: Date })[],
  notBefore: Date,
): Date[] {
  const line = helds.map(({ hex, deviceId, notAfter }) => ({
    serialNumber: parseSerial(hex),
    deviceId,
    notBefore,
    notAfter,
  }));
  const windows = renewalWindows(line, TOKYO);
  return line.map(({ serialNumber }) => windows.get(serialNumber) ?? notBefore);
}

it("sends a year's reminders of three devices: each once, one mail a day and mailbox, whoever else works", async () => {
  const place = await world.place("あおぞら薬局");
  const manager = await world.person(place, { name: "店長" });
  const gone = await world.person(place, { address: "gone@example.jp" });
  await world.person(place, { disabled: true });
  await world.person(place, { role: "headOffice" });
  const shop = await world.person(place, { role: "pharmacist", shared: true });
  const issuedAt = new Date("2026-12-20T03:00:00Z");
  const ends = ["2028-01-31", "2028-01-31", "2028-02-03"].map(endOf);
  const helds: (Held & { notAfter: Date })[] = [];
  for (const [index, notAfter] of ends.entries()) {
    const own = { notAfter, issuedAt: new Date(issuedAt.getTime() + index), responsible: shop };
    helds.push({ ...(await world.certificate(place, own)), notAfter });
  }
  const server = await startSmtp({ at: "rcpt", code: 550, only: "gone@example.jp" });
  const mailer = createMailer({
    url: server.url,
    from: "no-reply@suido.example.jp",
    outbox: "",
    onError: () => undefined,
  });
  closers.push(
    () => mailer.close(),
    () => server.close(),
  );
  const delivery = deliveryTo(mailer);
  const days: string[] = [];
  // Each day on which something can happen, and some of those on which nothing may.
  const calendar = Array.from({ length: 405 }, (_, day) => day).filter(
    (day) => day % 20 === 0 || day > 300,
  );
  for (const day of calendar) {
    for (const hour of day % 5 === 0 ? [8, 9, 10] : [9]) {
      world.time.now = new Date(Date.parse("2026-12-31T15:00:05Z") + day * DAY_MS + hour * HOUR_MS);
      await Promise.all([reminders.plan(), reminders.plan()]);
      const before = server.recipients.length;
      await Promise.all([delivery.deliver(never), delivery.deliver(never)]);
      const told = server.recipients.slice(before).filter((to) => to !== OPERATOR.address);
      if (told.length === 0) continue;
      // At nine in the morning: one to the manager who can be reached, one to the shop, and never two to one.
      expect([hour, told.toSorted()]).toEqual([
        9,
        [`${manager.address}`, `${shop.address}`].toSorted(),
      ]);
      days.push(world.time.now.toISOString().slice(0, 10));
    }
  }
  // Every stage once for each device and audience; the second waits for the day from which it can be renewed.
  const windows = windowsOf(helds, issuedAt);
  const wanted = new Set<string>();
  for (const [index, held] of helds.entries()) {
    const told = await world.toldOf(held);
    expect(told).toEqual(
      REMINDER_STAGES.flatMap((stage) => [
        `${stage} decides ${manager.address}`,
        `${stage} device ${shop.address}`,
      ]),
    );
    for (const stage of REMINDER_STAGES) {
      const due = new Date(held.notAfter.getTime() - stage * DAY_MS);
      const own = windows[index] ?? due;
      wanted.add(dayOf(stage === 60 && own > due ? own : due));
    }
  }
  expect(days).toEqual([...wanted].toSorted());
  // The mailbox that refused was asked once; the operators heard of it on that day, and have it on their list.
  expect(server.asked.filter((to) => to === gone.address)).toHaveLength(1);
  expect(server.recipients.filter((to) => to === OPERATOR.address)).toHaveLength(1);
  expect(await openTasks("returned")).toEqual([
    { subject: expect.stringMatching(/^mail\//) as string, address: gone.address },
  ]);
  expect(await openTasks("untold")).toEqual([]);
  const ids = server.mails().map(({ headers }) => headers.get("message-id"));
  expect(new Set(ids).size).toBe(ids.length);
}, 120_000);

it("leaves three days to what renews itself, before anybody is asked to", async () => {
  const place = await world.place("スクリプト薬局");
  await world.person(place);
  world.time.now = nineOn("2028-06-01");
  const [issuedAt, notAfter] = [new Date("2027-06-20T03:00:00Z"), endOf("2028-07-20")];
  const helds = [{ ...(await world.certificate(place, { notAfter, issuedAt })), notAfter }];
  const serial = helds[0]?.serial;
  await world.admin.query("update ca.issued set key_claim = 'tpm' where serial = $1", [serial]);
  await reminders.plan();
  const kept = await world.admin.query(
    "select renew_from from ca.renewal_window where serial = $1",
    [serial],
  );
  const [own = notAfter] = windowsOf(helds, issuedAt);
  expect(kept).toEqual([{ renew_from: new Date(own.getTime() + 3 * DAY_MS) }]);
});

it("gives each device a code of its own, which the next reminder's replaces, and keeps none", async () => {
  const place = await world.place("コード薬局");
  await world.person(place);
  world.time.now = nineOn("2027-06-24");
  const held = await world.certificate(place, { notAfter: endOf("2027-06-30") });
  const codes: string[] = [];
  const idOf = async (code: string): Promise<string | undefined> => {
    const spelling = spellingOf("code", code) ?? "";
    const hash = Buffer.from(linkHash("code", { spelling, digest: system.digest }));
    const [row] = await world.admin.query<{ id: string }>(
      "select e.id from app.enrolment_link l join app.enrolment e on e.id = l.enrolment_id where l.sha256 = $1 and e.device_id = $2",
      [hash, held.deviceId],
    );
    return row?.id;
  };
  const crashing: Database = {
    ...world.worker,
    query: async (text, values, name) => {
      if (name === "finish-mail") throw new Error("killed");
      return world.worker.query(text, values, name);
    },
  };
  const mailer = collector();
  const killed: unknown[] = [];
  const deliver = async (): Promise<void> => {
    await reminders.plan();
    // Killed between the server's acceptance and our commit: sent again, as the same mail.
    if (codes.length === 0)
      killed.push(await deliveryTo(mailer, crashing).deliver(never).catch(String));
    world.time.now = new Date(world.time.now.getTime() + HOUR_MS);
    await deliveryTo(mailer).deliver(never);
    const mails = about(mailer, held);
    codes.push(
      ...mails.flatMap(({ text }) => /コード: (\S{9})/.exec(text)?.[1] ?? []).slice(codes.length),
    );
  };
  await deliver();
  expect(killed).toEqual(["Error: killed"]);
  expect(codes).toHaveLength(2);
  expect(new Set(about(mailer, held).map(({ key }) => key)).size).toBe(1);
  const first = await Promise.all(codes.map(idOf));
  expect(new Set(first).size).toBe(1);
  expect(first[0]).toBeDefined();
  world.time.now = nineOn("2027-06-25");
  await deliver();
  expect(await Promise.all(codes.map(idOf))).toEqual([undefined, undefined, first[0]]);
  const [enrolment] = await world.admin.query("select * from app.enrolment where id = $1", [
    first[0],
  ]);
  expect(enrolment).toMatchObject({
    state: "invited",
    reason: "renewal",
    asked_by: "worker",
    replaces: held.serial,
    expires_at: new Date(Date.parse("2027-07-09T01:00:05Z")),
  });
  const rows = await world.admin.query(
    "select m.*, i.* from app.mail m join app.mail_item i on i.mail_id = m.id",
  );
  for (const code of codes) expect(JSON.stringify(rows)).not.toContain(code);
});

it("gives each place of a device a code of its own, of an enrolment that goes on from it", async () => {
  const place = await world.place("ふたり薬局");
  await world.person(place);
  world.time.now = nineOn("2027-06-24");
  const notAfter = endOf("2027-06-30");
  const one = await world.certificate(place, { notAfter });
  const two = await world.certificate(place, { notAfter, deviceId: one.deviceId });
  const mailer = collector();
  await reminders.plan();
  await deliveryTo(mailer).deliver(never);
  const [mail] = about(mailer, one);
  expect(new Set(mail?.text.match(/コード: \S{9}/g)).size).toBe(2);
  const open = await world.admin.query<{ replaces: Uint8Array; links: number }>(
    `select e.replaces, (select count(*)::int from app.enrolment_link l where l.enrolment_id = e.id) as links
     from app.enrolment e where e.device_id = $1 and e.state = 'invited' order by e.replaces`,
    [one.deviceId],
  );
  const both = [one.serial, two.serial].toSorted((a, b) => Buffer.compare(a, b));
  expect(open).toEqual(both.map((replaces) => ({ replaces, links: 1 })));
});

it("leaves alone what staff have opened for the device, and gives a code for that", async () => {
  const place = await world.place("サポート薬局");
  await world.person(place);
  world.time.now = nineOn("2027-06-24");
  const held = await world.certificate(place, { notAfter: endOf("2027-06-30") });
  const expiresAt = new Date("2027-06-26T00:00:00Z");
  const [open] = await world.admin.query<{ id: string }>(
    `insert into app.enrolment (id, corporation_id, pharmacy_id, device_id, account_id, state, reason, during_call, support_number, asked_by, mailed, created_at, expires_at)
     select gen_random_uuid(), corporation_id, pharmacy_id, device_id, account_id, 'invited', 'support', true, '777777', 'api-key:x', false, $2, $3
     from app.binding where serial = $1 returning id`,
    [held.serial, world.time.now, expiresAt],
  );
  await reminders.plan();
  await deliveryTo(collector()).deliver(never);
  const enrolments = await world.admin.query(
    "select e.id, e.state, e.expires_at, (select count(*)::int from app.enrolment_link l where l.enrolment_id = e.id) as links from app.enrolment e where device_id = $1",
    [held.deviceId],
  );
  expect(enrolments).toEqual([{ id: open?.id, state: "invited", expires_at: expiresAt, links: 1 }]);
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
  expect(about(mailer, held).map(({ subject }) => subject)).toEqual([
    expect.stringContaining("【6月14日まで・あと4日】おそい薬局"),
  ]);
});

it("was never due for a stage that had passed when the certificate was issued, nor before its own time to renew", async () => {
  const place = await world.place("みじかい薬局");
  await world.person(place);
  world.time.now = new Date("2027-06-10T03:00:00Z");
  const held = await world.certificate(place, {
    notAfter: endOf("2027-08-08"),
    issuedAt: new Date("2027-06-09T03:00:00Z"),
  });
  for (const day of ["2027-06-10", "2027-07-09", "2027-07-18"]) {
    world.time.now = nineOn(day);
    await reminders.plan();
    expect(await plannedFor(held)).toEqual([]);
  }
  // Two thirds of its life are over; its stage of 30 days is still the newest.
  world.time.now = nineOn("2027-07-20");
  await reminders.plan();
  expect(await plannedFor(held)).toEqual([expect.stringMatching(/^30 /)]);
});

it("is not sent of what lives for a day", async () => {
  const place = await world.place("いちにち薬局");
  await world.person(place);
  world.time.now = nineOn("2027-07-21");
  const issuedAt = new Date("2027-07-20T11:30:00Z");
  const held = await world.certificate(place, { notAfter: endOf("2027-07-21"), issuedAt });
  await reminders.plan();
  expect(await plannedFor(held)).toEqual([]);
});

it("does not send what piled up during an outage: the newest one alone", async () => {
  const place = await world.place("こしょう薬局");
  await world.person(place);
  const held = await world.certificate(place, { notAfter: endOf("2027-08-10") });
  const later = await world.certificate(place, { notAfter: endOf("2027-08-18") });
  for (const day of ["03", "04", "05", "06"]) {
    world.time.now = nineOn(`2027-08-${day}`);
    await reminders.plan();
  }
  const mailer = collector();
  await deliveryTo(mailer).deliver(never);
  // One mail, and what was first told of in one of those that never went out is in it too.
  expect(about(mailer, held)).toHaveLength(1);
  expect(about(mailer, later)).toEqual(about(mailer, held));
  expect(await plannedFor(held)).toEqual([expect.stringMatching(/^4 /)]);
  expect(await plannedFor(later)).toEqual([expect.stringMatching(/^15 /)]);
});

it("plans and sends each mail once when two workers do both at once", async () => {
  world.time.now = nineOn("2027-11-04");
  const helds: Held[] = [];
  for (let i = 0; i < 30; i += 1) {
    const place = await world.place(`ふたり薬局${i}`);
    await world.person(place);
    helds.push(await world.certificate(place, { notAfter: endOf("2027-11-10") }));
  }
  const plans = await Promise.all([reminders.plan(), reminders.plan(), reminders.plan()]);
  // In parts, so that each of them may have planned some.
  expect(plans.reduce((sum, { planned }) => sum + planned, 0)).toBe(30);
  const mailer = collector();
  await Promise.all(Array.from({ length: 3 }, () => deliveryTo(mailer).deliver(never)));
  for (const held of helds) expect(about(mailer, held)).toHaveLength(1);
  expect(new Set(mailer.sent.map(({ key }) => key)).size).toBe(mailer.sent.length);
});

it("shows the worker no table of mails", async () => {
  await expect(world.worker.query("select from app.mail")).rejects.toThrow(
    expect.objectContaining({ code: "42501" }),
  );
});
