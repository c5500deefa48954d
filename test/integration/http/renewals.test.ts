import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";

import { newCsr, NOW } from "../ca/app-side.ts";
import { type HttpWorld, openHttpWorld, type Tenant } from "./world.ts";

let world: HttpWorld;
let tenant: Tenant;
let count = 0;

beforeAll(async () => {
  world = await openHttpWorld();
});
beforeEach(async () => {
  world.side.time.now = NOW;
  tenant = await world.tenant(`薬局${(count += 1)}`);
});
afterAll(() => world.close());

interface Told {
  readonly renewFrom?: string;
  readonly renewReason?: string;
}

async function issue(deviceId = tenant.deviceId): Promise<string> {
  const { accountId } = tenant;
  const { status, body } = await world.call("POST", "/v1/certificates", {
    body: { accountId, deviceId, csr: newCsr() },
  });
  expect(status).toBe(201);
  return body.serialNumber;
}

async function look(path: string): Promise<Told> {
  const { status, body } = await world.call("GET", `/v1/${path}`);
  expect(status).toBe(200);
  return body as unknown as Told;
}

const renewNow = (serial: string, reason = "incident", key?: string) =>
  world.call("POST", `/v1/certificates/${serial}/renew-now`, {
    body: { reason },
    ...(key !== undefined && { key }),
  });

const ordersOf = (serial: string): Promise<object[]> =>
  world.side.admin.query(
    `select a.at, a.detail, e.data = a.detail as same, e.corporation_id = a.corporation_id as tenant
     from app.audit a join app.event e on e.xid = a.xid and e.subject = a.subject and e.type = 'jp.suido.' || a.action
     where a.subject = $1 and a.action = 'certificate.renewal-ordered'`,
    [`certificate/${serial}`],
  );

describe("renewFrom", () => {
  it("is told of a certificate: midnight of a day in Tokyo, weeks before the end", async () => {
    const serial = await issue();
    const { renewFrom = "" } = await look(`certificates/${serial}`);
    expect(renewFrom).toMatch(/T15:00:00\.000Z$/);
    expect(renewFrom >= "2027-10-21" && renewFrom < "2027-11-22").toBe(true);
    expect(await look(`certificates/${serial}`)).not.toHaveProperty("renewReason");
  });

  it("is another day for each of a pharmacy's devices, and is not moved by those that come later", async () => {
    const { pharmacyId } = tenant;
    const serials = [await issue()];
    const first = await look(`certificates/${serials[0]}`);
    for (let index = 2; index <= 8; index++) {
      // In the order of issue, which the signer's clock does not tell while it stands still.
      world.side.time.signer = new Date(NOW.getTime() + index * 1000);
      const { body } = await world.call("POST", "/v1/devices", {
        body: { pharmacyId, name: `受付${index}号機`, platform: "windows" },
      });
      serials.push(await issue(body.id));
    }
    const all = await Promise.all(serials.map((serial) => look(`certificates/${serial}`)));
    expect(new Set(all.map(({ renewFrom }) => renewFrom)).size).toBe(8);
    expect(all[0]).toMatchObject({ renewFrom: first.renewFrom });
  });

  it("is not told of one that was revoked", async () => {
    const serial = await issue();
    await world.call("POST", `/v1/certificates/${serial}/revoke`, {
      body: { reason: "keyCompromise" },
    });
    expect(await look(`certificates/${serial}`)).not.toHaveProperty("renewFrom");
  });
});

describe("renew now", () => {
  it("moves the time to now, with its reason, once: audit row and event", async () => {
    const serial = await issue();
    const { status, body } = await renewNow(serial, "key-at-risk", world.keys.support);
    const time = { renewFrom: NOW.toISOString(), renewReason: "key-at-risk" };
    expect(status).toBe(200);
    expect(body).toEqual({ serialNumber: serial, ...time });
    expect(await look(`certificates/${serial}`)).toMatchObject({ ...time, status: "good" });
    const detail = { reason: "key-at-risk" };
    const facts = [{ at: NOW, detail, same: true, tenant: true }];
    expect(await ordersOf(serial)).toEqual(facts);

    world.side.time.now = new Date(NOW.getTime() + 60_000);
    const again = await renewNow(serial);
    expect(again.body).toEqual(body);
    expect(await ordersOf(serial)).toEqual(facts);
    const both = await issue();
    await Promise.all([renewNow(both), renewNow(both)]);
    expect(await ordersOf(both)).toHaveLength(1);
  });

  it("mails whoever can act within a minute, once for all devices of an incident", async () => {
    const { corporationId, pharmacyId } = tenant;
    const second = await world.call("POST", "/v1/devices", {
      body: { pharmacyId, name: "投薬台iPad", platform: "ipados" },
    });
    const serials = [await issue(), await issue(second.body.id)];
    for (const serial of serials) await renewNow(serial, "ca-change");
    for (const serial of serials) await renewNow(serial);
    const mails = await world.side.admin.query(
      `select m.state, m.due_at, m.next_attempt_at, array_agg(distinct encode(i.serial, 'hex')) as about, array_agg(distinct i.audience) as audiences
       from app.mail m join app.mail_item i on i.mail_id = m.id where m.corporation_id = $1 and m.kind = 'renew-now' group by m.id`,
      [corporationId],
    );
    expect(mails).toEqual([
      {
        state: "due",
        due_at: NOW,
        next_attempt_at: new Date(NOW.getTime() + 60_000),
        about: serials.toSorted(),
        audiences: ["decides", "device"],
      },
    ]);
  });

  it("is a task where there is nobody to mail", async () => {
    await world.call("PATCH", `/v1/accounts/${tenant.accountId}`, { body: { email: null } });
    const serial = await issue();
    await renewNow(serial);
    const [task] = await world.side.admin.query(
      "select kind, facts from app.task where subject = $1",
      [`certificate/${serial}`],
    );
    expect(task).toMatchObject({ kind: "untold", facts: { device: "受付1号機" } });
  });

  it("is no earlier time for one whose own day has come", async () => {
    const serial = await issue();
    const { renewFrom = "" } = await look(`certificates/${serial}`);
    world.side.time.now = new Date(Date.parse(renewFrom) + 1);
    expect((await renewNow(serial)).body).toEqual({ serialNumber: serial, renewFrom });
  });

  it("is of good certificates only, and leaves nothing otherwise", async () => {
    const serial = await issue();
    await world.call("POST", `/v1/certificates/${serial}/revoke`, {
      body: { reason: "certificateHold" },
    });
    const before = await world.counts();
    expect(await renewNow(serial)).toMatchObject({
      status: 409,
      body: { type: "/problems/invalid-state" },
    });
    expect(await renewNow("41c39e07b25d4f6a8c10e7725f3d8d12")).toMatchObject({ status: 404 });
    expect(await renewNow(serial, "because")).toMatchObject({ status: 400 });
    expect(await world.counts()).toEqual(before);
  });

  it.for(["auditor", "product", "proxy"] as const)("is not for the role %s", async (role) => {
    const serial = await issue();
    expect(await renewNow(serial, "incident", world.keys[role])).toMatchObject({ status: 403 });
  });
});

const html = (serial: string, query = "?format=html", headers = {}) =>
  world.app.inject({
    url: `/v1/banner/${serial}${query}`,
    headers: { authorization: `Bearer ${world.keys.proxy}`, ...headers },
  });
const banner = async (serial: string): Promise<object> =>
  (await world.call("GET", `/v1/banner/${serial}`, { key: world.keys.product })).body;

async function follow(serial: string): Promise<{ readonly serialNumber: string }> {
  const body = { csr: newCsr() };
  const made = await world.call("POST", `/v1/certificates/${serial}/renew`, { body });
  expect(made.status).toBe(201);
  return made.body;
}
const prove = (serial: string): Promise<unknown> =>
  world.side.admin.query(
    "update ca.issued set proven_at = issued_at where serial = decode($1, 'hex')",
    [serial],
  );
const stop = (serial: string, reason: string) =>
  world.call("POST", `/v1/certificates/${serial}/revoke`, { body: { reason } });

describe("the banner of products", () => {
  it("is a fragment without script or style, in both languages", async () => {
    const serial = await issue();
    await renewNow(serial);
    const ja = await html(serial);
    expect(ja.headers["content-type"]).toBe("text/html; charset=utf-8");
    expect(ja.body).toContain('class="suido-banner suido-banner-renew"');
    expect(ja.body).toContain('lang="ja"');
    expect(ja.body).toContain('href="https://localhost:8443/renew"');
    expect(ja.body).not.toMatch(/<script|<style|style=|\son\w+=/i);
    const en = await html(serial, "?lang=en", { accept: "text/html" });
    expect(en.body).toMatch(/ends in \d+ days\. Please renew it/);
    expect((await html(serial, "", { accept: "application/json" })).json()).toMatchObject({
      due: true,
    });
  });

  it("is none of a stopped or unknown certificate", async () => {
    const serial = await issue();
    await renewNow(serial);
    await world.call("POST", `/v1/certificates/${serial}/revoke`, {
      body: { reason: "certificateHold" },
    });
    expect(await banner(serial)).toMatchObject({ due: false });
    const missing = "41c39e07b25d4f6a8c10e7725f3d8d12";
    expect(await world.call("GET", `/v1/banner/${missing}`)).toMatchObject({ status: 404 });
  });

  it("tells a device that shows an old certificate of the one that it has instead, for as long as that is good", async () => {
    const serial = await issue();
    const first = await follow(serial);
    await prove(first.serialNumber);
    // Asked for, and never put on the device.
    await follow(first.serialNumber);
    const told = {
      due: true,
      state: "replaced",
      text: { ja: expect.stringContaining("新しいほうを選んで") as unknown },
      link: "https://localhost:8443/renew",
      successor: {
        serialNumber: first.serialNumber,
        notAfter: expect.stringMatching(/^2027-12-/) as unknown,
        daysLeft: expect.any(Number) as unknown,
      },
    };
    expect(await banner(serial)).toMatchObject(told);
    const fragment = (await html(serial, "?format=html&lang=en")).body;
    expect(fragment).toContain('class="suido-banner suido-banner-replaced" lang="en"');
    expect(fragment).toContain('href="https://localhost:8443/renew?lang=en"');
    await stop(serial, "superseded");
    expect(await banner(serial)).toMatchObject({
      ...told,
      daysLeft: expect.any(Number) as unknown,
    });
    // Who was stopped for another reason is not sent on, and nor is anybody to one that is stopped.
    const lost = await issue();
    await prove((await follow(lost)).serialNumber);
    await stop(lost, "keyCompromise");
    expect(await banner(lost)).toMatchObject({ due: false });
    await stop(first.serialNumber, "keyCompromise");
    expect(await banner(serial)).toMatchObject({ due: false });
  });

  // Last, because the signer does not work with a clock that was set back.
  it("is due from renewFrom on, and another once a successor is proven", async () => {
    const serial = await issue();
    const { renewFrom = "" } = await look(`certificates/${serial}`);
    world.side.time.now = new Date(Date.parse(renewFrom) - 1);
    expect(await banner(serial)).toMatchObject({ due: false });
    expect(await banner(serial)).not.toHaveProperty("link");
    expect((await html(serial)).body).toBe("");
    world.side.time.now = new Date(renewFrom);
    const due = {
      due: true,
      state: "renew",
      text: { ja: expect.stringContaining("更新してください") as unknown },
      link: "https://localhost:8443/renew",
    };
    expect(await banner(serial)).toMatchObject(due);
    world.side.time.signer = world.side.time.now;
    const { serialNumber } = await follow(serial);
    expect(await banner(serial)).toMatchObject(due);
    await prove(serialNumber);
    expect(await banner(serial)).toMatchObject({ state: "replaced", successor: { serialNumber } });
    expect(await banner(serialNumber)).toMatchObject({ due: false });
  });
});
