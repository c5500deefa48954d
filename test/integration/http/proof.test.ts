import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";

import { NOW } from "../ca/app-side.ts";
import { type CheckWorld, openCheckWorld, selfSigned } from "./check-world.ts";
import type { Tenant } from "./world.ts";

let world: CheckWorld;
let tenant: Tenant;
let count = 0;

beforeAll(async () => {
  world = await openCheckWorld();
});
beforeEach(async () => {
  world.side.time.now = NOW;
  tenant = await world.tenant(`薬局${(count += 1)}`);
});
afterAll(() => world.close());

const matching = (pattern: RegExp): unknown => expect.stringMatching(pattern);

it("proves that very certificate once: record, device, audit row and event", async () => {
  const device = await world.issue(tenant);
  expect(await world.provenAt(device.serialNumber)).toBeUndefined();
  const { url, id } = await world.check(device.serialNumber);
  expect(await world.outcome(url, device)).toEqual({
    outcome: "proven",
    commonName: "受付1号機 2027-12",
    deviceName: "受付1号機",
    pharmacyName: `薬局${count}`,
    serialNumber: device.serialNumber,
    notAfter: matching(/^2027-12/),
    provenAt: NOW.toISOString(),
  });
  const once = [
    {
      at: NOW,
      actor: `certificate:${device.serialNumber}`,
      corporation_id: tenant.corporationId,
      detail: { checkId: id },
      type: "jp.suido.certificate.proven",
      same: true,
    },
  ];
  expect(await world.told(device.serialNumber)).toEqual(once);
  expect(await world.provenAt(device.serialNumber)).toBe(NOW.toISOString());
  const lineage = await world.call("GET", `/v1/devices/${tenant.deviceId}/certificates`);
  expect(lineage.body.items).toMatchObject([{ provenAt: NOW.toISOString(), current: true }]);

  // A second visit, and another check a minute later, change nothing.
  world.side.time.now = new Date(NOW.getTime() + 60_000);
  const another = (await world.check(device.serialNumber)).url;
  for (const place of [url, another])
    expect(await world.outcome(place, device)).toMatchObject({
      outcome: "proven",
      provenAt: NOW.toISOString(),
    });
  expect(await world.told(device.serialNumber)).toEqual(once);
});

/** Whom the mails about a certificate go to, by name and address. */
const mailsOf = (serialNumber: string): Promise<{ to: string; name?: string; facts: object }[]> =>
  world.side.admin.query(
    `select recipient as to, facts ->> 'name' as name, facts from app.mail
     where subject = $1 and kind = 'proven' and state = 'due' and corporation_id = $2 order by recipient`,
    [`certificate/${serialNumber}`, tenant.corporationId],
  );

async function addManager(fields: object, role = "manager"): Promise<string> {
  const { corporationId, pharmacyId } = tenant;
  const { body } = await world.call("POST", "/v1/accounts", { body: { corporationId, ...fields } });
  const membership = { accountId: body.id, pharmacyId, role };
  expect((await world.call("POST", "/v1/memberships", { body: membership })).status).toBe(201);
  return body.id;
}

it("mails the person and the managers, each mailbox once, in the proof's own commit", async () => {
  const shop = { email: "shop@example.jp", emailShared: true };
  await addManager({ name: "店長", ...shop });
  await addManager({ name: "副店長", ...shop, email: "Shop@example.jp" });
  await addManager({ name: "本部", email: "office@example.jp" }, "headOffice");
  await addManager({ name: "宛先なし" });
  const left = await addManager({ name: "退職", email: "left@example.jp" });
  await world.call("PATCH", `/v1/accounts/${left}`, { body: { disabled: true } });
  const device = await world.issue(tenant);
  const { url } = await world.check(device.serialNumber);
  expect(await mailsOf(device.serialNumber)).toEqual([]);
  await world.outcome(url, device);
  await world.outcome(url, device);
  const { email } = (await world.call("GET", `/v1/accounts/${tenant.accountId}`))
    .body as unknown as { email: string };
  const facts = expect.objectContaining({
    device: "受付1号機",
    serialNumber: device.serialNumber,
    provenAt: matching(/T/),
  }) as object;
  const mails = await mailsOf(device.serialNumber);
  expect(mails.map(({ to }) => to.toLowerCase()).toSorted()).toEqual(
    [email, "shop@example.jp"].toSorted(),
  );
  expect(mails).toContainEqual({ to: email, name: `薬局${count}`, facts });
  expect(mails.filter(({ name }) => name === null)).toHaveLength(1);
});

it("proves it once for two who come at the same time", async () => {
  const device = await world.issue(tenant);
  const { url } = await world.check(device.serialNumber);
  const all = await Promise.all(Array.from({ length: 12 }, () => world.outcome(url, device)));
  expect(all.map((each) => each["outcome"])).toEqual(Array(12).fill("proven"));
  expect(await world.told(device.serialNumber)).toHaveLength(1);
  expect(await mailsOf(device.serialNumber)).toHaveLength(1);
});

it("is not moved by a scanner that opens the link a hundred times without the key", async () => {
  const device = await world.issue(tenant);
  const { url } = await world.check(device.serialNumber);
  const before = await world.counts();
  const header = `:${Buffer.from(device.cert.replaceAll(/-----[A-Z ]+-----|\s/g, ""), "base64").toString("base64")}:`;
  for (let i = 0; i < 100; i += 1) {
    const method = i % 2 === 0 ? "GET" : "HEAD";
    const forged = { "client-cert": header, "x-ssl-client-der": header.slice(1, -1) };
    expect(await world.visit(url, { method, headers: forged })).toMatchObject({ status: 200 });
  }
  expect(await world.outcome(url)).toEqual({ outcome: "none", commonName: "受付1号機 2027-12" });
  expect(await world.counts()).toEqual(before);
  expect(await world.provenAt(device.serialNumber)).toBeUndefined();
  // And what the scanners did is in nobody's way.
  expect(await world.outcome(url, device)).toMatchObject({ outcome: "proven" });
});

it("tells another device, of the same pharmacy or of another corporation, and names neither", async () => {
  const device = await world.issue(tenant);
  const made = await world.call("POST", "/v1/devices", {
    body: { pharmacyId: tenant.pharmacyId, name: "投薬台iPad", platform: "ipados" },
  });
  const neighbour = await world.issue({ ...tenant, deviceId: made.body.id });
  const stranger = await world.issue(await world.tenant("よその薬局"));
  const { url } = await world.check(device.serialNumber);
  for (const client of [neighbour, stranger]) {
    expect(await world.outcome(url, client)).toEqual({
      outcome: "other-device",
      commonName: "受付1号機 2027-12",
    });
    expect(await world.provenAt(client.serialNumber)).toBeUndefined();
  }
  expect(await world.provenAt(device.serialNumber)).toBeUndefined();
});

it("tells the one before from the one after, also where their dates are equal", async () => {
  const first = await world.issue(tenant);
  const second = await world.renew(first);
  const third = await world.renew(second);
  const { url } = await world.check(second.serialNumber);
  expect(await world.outcome(url, first)).toMatchObject({
    outcome: "older",
    deviceName: "受付1号機",
  });
  expect(await world.outcome(url, third)).toMatchObject({ outcome: "newer" });
  // The old one is put aside, whatever became of it; a new one that is stopped is of no use.
  for (const { serialNumber } of [first, third])
    await world.call("POST", `/v1/certificates/${serialNumber}/revoke`, {
      body: { reason: "superseded" },
    });
  expect(await world.outcome(url, first)).toMatchObject({ outcome: "older" });
  expect(await world.outcome(url, third)).toMatchObject({ outcome: "revoked" });
  for (const { serialNumber } of [first, second, third])
    expect(await world.provenAt(serialNumber)).toBeUndefined();
});

it("tells another place of the device, whichever was first, and all that came after each in its own", async () => {
  const one = await world.issue(tenant);
  const two = await world.issue(tenant);
  const next = await world.renew(two);
  const ways = [
    [one, two],
    [two, one],
    [one, next],
    [next, one],
  ] as const;
  for (const [asked, shown] of ways) {
    const { url } = await world.check(asked.serialNumber);
    expect(await world.outcome(url, shown)).toEqual({
      outcome: "other-place",
      commonName: "受付1号機 2027-12",
      deviceName: "受付1号機",
      pharmacyName: `薬局${count}`,
    });
    expect(await world.provenAt(shown.serialNumber)).toBeUndefined();
  }
  const { url } = await world.check(next.serialNumber);
  expect(await world.outcome(url, two)).toMatchObject({ outcome: "older" });
  const html = { client: one, headers: { accept: "text/html", "accept-language": "ja" } };
  expect((await world.visit(url, html)).text).toContain("もう1つの証明書が選ばれました");
});

it("goes by the date where the other one is no place: what is stopped, and what came to nothing", async () => {
  const one = await world.issue(tenant);
  world.side.time.now = new Date(NOW.getTime() + 60_000);
  world.side.time.signer = new Date(world.side.time.signer.getTime() + 60_000);
  const two = await world.issue(tenant);
  const [older, newer] = [await world.check(two.serialNumber), await world.check(one.serialNumber)];
  const left = (serialNumber: string, enrolment: string | null) =>
    world.side.admin.query("update app.binding set enrolment_id = $2 where serial = $1", [
      Buffer.from(serialNumber, "hex"),
      enrolment,
    ]);
  const { accountId, deviceId } = tenant;
  const { body } = await world.call("POST", "/v1/enrolments", { body: { accountId, deviceId } });
  await left(one.serialNumber, body.id);
  expect(await world.outcome(older.url, one)).toMatchObject({ outcome: "older" });
  await left(one.serialNumber, null);
  for (const { serialNumber } of [one, two])
    await world.call("POST", `/v1/certificates/${serialNumber}/revoke`, {
      body: { reason: "certificateHold" },
    });
  expect(await world.outcome(older.url, one)).toMatchObject({ outcome: "older" });
  expect(await world.outcome(newer.url, two)).toMatchObject({ outcome: "revoked" });
});

it.for(["keyCompromise", "certificateHold"])(
  "does not prove what is stopped: %s",
  async (reason) => {
    const device = await world.issue(tenant);
    const { url } = await world.check(device.serialNumber);
    await world.call("POST", `/v1/certificates/${device.serialNumber}/revoke`, {
      body: { reason },
    });
    expect(await world.outcome(url, device)).toEqual({
      outcome: "revoked",
      commonName: "受付1号機 2027-12",
      deviceName: "受付1号機",
      pharmacyName: `薬局${count}`,
    });
    expect(await world.told(device.serialNumber)).toEqual([]);
  },
);

it("does not prove what has expired", async () => {
  const device = await world.issue(tenant);
  world.side.time.now = new Date("2028-01-02T00:00:00Z");
  const { url } = await world.check(device.serialNumber);
  expect(await world.outcome(url, device)).toMatchObject({ outcome: "expired" });
  expect(await world.told(device.serialNumber)).toEqual([]);
});

it("knows nothing of a certificate that is none of ours", async () => {
  const device = await world.issue(tenant);
  const { url } = await world.check(device.serialNumber);
  expect(await world.outcome(url, selfSigned())).toEqual({
    outcome: "unknown",
    commonName: "受付1号機 2027-12",
  });
});

it("is over after ten minutes, to the second, and never was where nobody made it", async () => {
  const device = await world.issue(tenant);
  const { url } = await world.check(device.serialNumber);
  world.side.time.now = new Date(NOW.getTime() + 10 * 60_000 - 1);
  expect(await world.outcome(url)).toMatchObject({ outcome: "none" });
  world.side.time.now = new Date(NOW.getTime() + 10 * 60_000);
  const guessed = url.replace(/\/\/[0-9a-f]{4}/, "//0123");
  for (const place of [url, guessed]) {
    const reply = await world.visit(place, { client: device });
    expect({ ...reply, headers: {} }).toEqual({
      status: 404,
      headers: {},
      text: '{"outcome":"ended"}',
    });
  }
  expect(await world.told(device.serialNumber)).toEqual([]);
});

it("keeps the time of a proof, whoever writes", async () => {
  const device = await world.issue(tenant);
  await world.outcome((await world.check(device.serialNumber)).url, device);
  const change = world.side.admin.query(
    "update ca.issued set proven_at = now() where serial = $1",
    [Buffer.from(device.serialNumber, "hex")],
  );
  await expect(change).rejects.toThrow("a proof keeps its time");
});
