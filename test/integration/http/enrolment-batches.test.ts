import { randomUUID } from "node:crypto";

import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";

import { NOW } from "../ca/app-side.ts";
import { type EnrolmentWorld, openEnrolmentWorld } from "./enrolment-world.ts";
import type { Answer, Call, Tenant } from "./world.ts";

let world: EnrolmentWorld;
let tenant: Tenant;
let other: Tenant;
let count = 0;

beforeAll(async () => {
  world = await openEnrolmentWorld();
  other = await world.tenant("乙薬局");
});
beforeEach(async () => {
  world.side.time.now = NOW;
  tenant = await world.tenant(`薬局${(count += 1)}`);
});
afterAll(() => world.close());

interface Fault {
  readonly line: number;
  readonly column?: string;
  readonly code: string;
}

interface Preview {
  readonly enrolments: number;
  readonly faultCount: number;
  readonly faults: readonly Fault[];
}

/** Sends a file of the tenant's, as admin unless told otherwise. */
function post(
  text: string,
  { query = "", ...call }: { query?: string } & Call = {},
): Promise<Answer> {
  return world.call("POST", `/v1/enrolment-batches?corporationId=${tenant.corporationId}${query}`, {
    ...call,
    headers: { "content-type": "text/csv", ...call.headers },
    body: text,
  });
}

async function preview(
  text: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<Preview> {
  const { status, body } = await post(text, { query: "&dryRun=true", headers });
  expect(status).toBe(200);
  return body as unknown as Preview;
}

async function look(id: string): Promise<object> {
  return (await world.call("GET", `/v1/enrolment-batches/${id}`)).body;
}

/** One more person and machine of the tenant's pharmacy. */
async function colleague(name: string, fields: object = {}) {
  const { corporationId, pharmacyId } = tenant;
  const account = await world.call("POST", "/v1/accounts", {
    body: { corporationId, name, ...fields },
  });
  const accountId = account.body.id;
  await world.call("POST", "/v1/memberships", {
    body: { accountId, pharmacyId, role: "pharmacist" },
  });
  const device = await world.call("POST", "/v1/devices", {
    body: { pharmacyId, name: `${name}の端末`, platform: "windows" },
  });
  return { accountId, deviceId: device.body.id, deviceName: `${name}の端末` };
}

const csv = (...rows: readonly (readonly string[])[]): string =>
  [["account", "pharmacy", "device"], ...rows].map((row) => `${row.join(",")}\r\n`).join("");

describe("a file without a fault", () => {
  it("invites each, by whatever names its accounts, pharmacies and devices have", async () => {
    const email = `${randomUUID()}@example.jp`;
    const value = randomUUID();
    const [a, b, c] = [
      await colleague("甲", { email }),
      await colleague("乙", { externalIds: [{ system: "musubi", value: `x:${value}` }] }),
      await colleague("丙"),
    ];
    const file = csv(
      [email.toUpperCase(), "001", a.deviceName],
      [`musubi:x:${value}`, tenant.pharmacyId.toUpperCase(), b.deviceId],
      [c.accountId, "", c.deviceId],
    );
    const before = await world.counts();
    expect(await preview(file)).toEqual({
      dryRun: true,
      lines: 3,
      enrolments: 3,
      accounts: 3,
      mails: 1,
      withoutAddress: 2,
      replacedCount: 0,
      replaces: [],
      faultCount: 0,
      faults: [],
    });
    expect(await world.counts()).toEqual(before);
    const made = await post(file, { query: `&requestedBy=${encodeURIComponent("本部")}` });
    expect(made).toMatchObject({
      status: 201,
      headers: { location: `/v1/enrolment-batches/${made.body.id}` },
      body: { lines: 3, enrolments: 3, replaced: 0, requestedBy: "本部" },
    });
    expect(await look(made.body.id)).toMatchObject({
      progress: {
        states: { invited: 3, started: 0, proven: 0 },
        mails: { none: 2, waiting: 1, accepted: 0 },
      },
    });
    const [mail, ...others] = await world.sent();
    expect(others).toEqual([]);
    expect(mail).toMatchObject({ to: email });
    expect(mail?.text).toContain(a.deviceName);
    expect(mail?.text).toContain("本部");
    expect(await look(made.body.id)).toMatchObject({
      progress: { mails: { accepted: 1, waiting: 0 } },
    });
    const listed = await world.call("GET", `/v1/enrolments?deviceId=${c.deviceId}`);
    const id = listed.body.items[0]?.id ?? "";
    expect(await world.actionsOf(id)).toEqual(["enrolment.created"]);
    expect(await world.look(id)).toMatchObject({
      state: "invited",
      mailed: false,
      reason: "first",
      requestedBy: "本部",
      expiresAt: new Date(NOW.getTime() + 14 * 86_400_000).toISOString(),
    });
  });

  it("asks one person for several machines in one mail, and for some that nobody has registered", async () => {
    const { corporationId, accountId, pharmacyId, deviceId } = tenant;
    const branch = await world.call("POST", "/v1/pharmacies", {
      body: { corporationId, name: "駅前店", code: "002" },
    });
    const branchId = branch.body.id;
    await world.call("POST", "/v1/memberships", {
      body: { accountId, pharmacyId: branchId, role: "manager" },
    });
    const file = `account,pharmacy,device,count,reason
${accountId},${pharmacyId},${deviceId},,
${accountId},002,,2,
${accountId},,${(await colleague("戊")).deviceId},1,replacement
`;
    expect(await preview(file)).toMatchObject({ enrolments: 4, accounts: 1, mails: 2 });
    const { body } = await post(file);
    expect(body).toMatchObject({ lines: 3, enrolments: 4 });
    const mails = await world.sent();
    const [several = "", ...others] = mails
      .map(({ subject, text }) => `${subject}\n${text}`)
      .toSorted((a, b) => b.length - a.length);
    expect(others).toHaveLength(1);
    expect(others[0]).toContain("戊の端末");
    expect(several).toContain(`薬局${count}ほか1薬局の端末3台に`);
    for (const name of [`薬局${count} 受付1号機`, "駅前店 1台目", "駅前店 2台目"])
      expect(several).toMatch(new RegExp(`${name}: [A-Z2-9]{4}-[A-Z2-9]{4}`));
    const { key } = tenant;
    const headers = { authorization: `Bearer ${key}` };
    const url = `/v1/enrolment-batches/${body.id}/report`;
    const report = await world.app.inject({ url, headers });
    const lines = report.body
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as object);
    expect(lines).toMatchObject([
      { line: 2, device: "受付1号機", mail: "accepted" },
      { line: 3, pharmacy: "駅前店", mail: "accepted" },
      { line: 3, pharmacy: "駅前店", mail: "accepted" },
      { line: 4, device: "戊の端末", mail: "accepted" },
    ]);
    expect(lines[1]).not.toHaveProperty("device");
    expect(await look(body.id)).toMatchObject({ progress: { mails: { accepted: 4 } } });
  });

  it("takes the place of what is open for its devices", async () => {
    const open = await world.make(tenant);
    const gone = await colleague("甲");
    const over = await world.make({ ...tenant, ...gone }, { duringCall: true });
    world.side.time.now = new Date(NOW.getTime() + 73 * 3_600_000);
    const file = csv([tenant.accountId, "", tenant.deviceId], [gone.accountId, "", gone.deviceId]);
    expect(await preview(file)).toMatchObject({
      replacedCount: 1,
      replaces: [{ line: 2, enrolmentId: open.id }],
    });
    const { body } = await post(file);
    expect(body).toMatchObject({ replaced: 1 });
    expect(await world.look(open.id)).toMatchObject({ state: "withdrawn" });
    expect(await world.look(over.id)).toMatchObject({ state: "expired" });
    expect(await world.actionsOf(over.id)).toContain("enrolment.expired");
    // Their own mails open nothing any more.
    await world.sent();
    expect(await look(body.id)).toMatchObject({ progress: { mails: { accepted: 1, none: 1 } } });
  });

  it("leaves one open for each device where several are made at the same time", async () => {
    const people = [await colleague("甲"), await colleague("乙"), await colleague("丙")];
    const rows = people.map(({ accountId, deviceId }) => [accountId, "", deviceId]);
    const single = { ...tenant, ...people[1] };
    const [a, b] = await Promise.all([
      post(csv(...rows)),
      post(csv(...rows.toReversed())),
      world.make(single),
      world.make(single),
    ]);
    expect([a.status, b.status]).toEqual([201, 201]);
    const open = await world.side.admin.query<{ device_id: string }>(
      "select device_id from app.enrolment where device_id = any($1) and state = 'invited'",
      [people.map(({ deviceId }) => deviceId)],
    );
    expect(new Set(open.map((row) => row.device_id)).size).toBe(3);
    expect(open).toHaveLength(3);
  });

  it("is made once for its Idempotency-Key, and not for another file or another asker", async () => {
    const file = csv([tenant.accountId, "", tenant.deviceId]);
    const idempotencyKey = randomUUID();
    const first = await post(file, { idempotencyKey });
    const again = await post(file, { idempotencyKey });
    expect(again).toMatchObject({
      status: 201,
      headers: { "idempotency-replayed": "true" },
      body: first.body,
    });
    for (const [text, query] of [
      [`${file}\r\n`, ""],
      [file, "&requestedBy=x"],
    ] as const)
      expect(await post(text, { idempotencyKey, query })).toMatchObject({
        status: 422,
        body: { type: "/problems/idempotency-key-reused" },
      });
  });

  it("tells people in a table what became of each, and programs in lines", async () => {
    const { accountId, deviceId, deviceName } = await colleague("=1+1");
    const { body } = await post(csv([accountId, "", deviceId]));
    const ask = (accept: string, language: string) =>
      world.app.inject({
        url: `/v1/enrolment-batches/${body.id}/report`,
        headers: {
          authorization: `Bearer ${world.keys.auditor}`,
          accept,
          "accept-language": language,
        },
      });
    const table = await ask("text/csv", "ja");
    expect(table.headers["content-type"]).toBe("text/csv; charset=utf-8");
    const [heading, row] = table.body.split("\r\n");
    expect(heading).toBe(
      "\ufeff行,薬局,端末,アカウント,メールアドレス,状態,メール,お問い合わせ番号,招待の期限,はじめた日時,本人を確認した日時,終わった日時,証明書番号",
    );
    expect(row).toMatch(
      new RegExp(
        `^2,薬局${count},'=1\\+1の端末,'=1\\+1,,招待中,アドレスなし,\\d{6},2026-12-05 12:00,,,,$`,
      ),
    );
    expect((await ask("text/csv", "en")).body).toContain("\r\n2,");
    const lines = (await ask("application/x-ndjson", "ja")).body.trimEnd().split("\n");
    expect(lines.map((line) => JSON.parse(line) as unknown)).toMatchObject([
      { line: 2, device: deviceName, deviceId, accountId, state: "invited", mail: "none" },
    ]);
  });
});

describe("a file with faults", () => {
  it("tells each by line and column, with what would be right, and makes nothing", async () => {
    const { corporationId, pharmacyId, accountId, deviceId } = tenant;
    const email = `${randomUUID()}@example.jp`;
    for (const name of ["甲", "乙"])
      await world.call("POST", "/v1/accounts", {
        body: { corporationId, name, email, emailShared: true },
      });
    const off = await colleague("丙");
    await world.call("PATCH", `/v1/accounts/${off.accountId}`, { body: { disabled: true } });
    const stranger = await world.call("POST", "/v1/accounts", {
      body: { corporationId, name: "丁" },
    });
    const branch = await world.call("POST", "/v1/pharmacies", {
      body: { corporationId, name: "支店", code: "002" },
    });
    const old = await colleague("戊");
    await world.call("DELETE", `/v1/devices/${old.deviceId}`);
    const file = csv(
      [accountId, pharmacyId, deviceId],
      ["taro", "001", deviceId],
      ["nobody@example.jp", "001", deviceId],
      [email, "001", off.deviceId],
      [off.accountId, "001", off.deviceId],
      [stranger.body.id, "", off.deviceId],
      [accountId, "1", "受付1号機"],
      [accountId, "", "受付1号機"],
      [accountId, branch.body.id, "受付1号機"],
      [accountId, "002", off.deviceId],
      [accountId, "", old.deviceId],
      ["", "001", deviceId],
      [accountId, "001", "受付1号機"],
    );
    const before = await world.counts();
    const { faults, ...rest } = await preview(file);
    expect(faults.map(({ line, column, code }) => `${line} ${column} ${code}`)).toEqual([
      "3 account account-form",
      "4 account account-unknown",
      "5 account account-ambiguous",
      "6 account account-disabled",
      "7 account not-a-member",
      "8 pharmacy pharmacy-unknown",
      "9 pharmacy device-needs-pharmacy",
      "10 device device-unknown",
      "11 device device-elsewhere",
      "12 device device-unknown",
      "13 account missing",
      "14 device device-twice",
    ]);
    expect(rest).toMatchObject({ enrolments: 1, faultCount: 12 });
    expect(faults.at(-1)).toMatchObject({ detail: "line 2 names the same device" });
    const inJapanese = await preview(file, { "accept-language": "ja" });
    expect(inJapanese.faults.at(-1)).toMatchObject({ detail: "2行目と同じ端末です。" });
    expect(await post(file, { idempotencyKey: randomUUID() })).toMatchObject({
      status: 422,
      body: {
        type: "/problems/batch-refused",
        detail: "nothing was made: 12 faults in the file",
        errors: expect.arrayContaining([
          {
            field: "line 14: device",
            detail: "line 2 names the same device (expected: one line a device)",
          },
        ]) as unknown,
      },
    });
    const onlyRooms = csv([accountId, "001", "受付1号機"], [accountId, "001", "ない端末"]);
    expect(await post(onlyRooms)).toMatchObject({
      status: 422,
      body: { errors: [{ field: "line 3: device" }] },
    });
    expect(await world.counts()).toEqual(before);
  });

  it("names the first thousand of them, and how many there are", async () => {
    const file = csv(...Array.from({ length: 1_200 }, () => ["nobody@example.jp", "001", "x"]));
    const { faults, faultCount } = await preview(file);
    expect([faults.length, faultCount]).toEqual([1_000, 1_200]);
    expect(await post("account,device\n".repeat(5_002))).toMatchObject({
      status: 413,
      body: { type: "/problems/content-too-large", errors: [{ field: "body" }] },
    });
  });
});

describe("who may", () => {
  it("send one: whoever may invite", async () => {
    const file = csv([tenant.accountId, "", tenant.deviceId]);
    for (const role of ["admin", "operator", "support"] as const)
      expect(await post(file, { key: world.keys[role] })).toMatchObject({ status: 201 });
    const auditor = { key: world.keys.auditor };
    expect(await post(file, auditor)).toMatchObject({ status: 403 });
  });

  it("send one without naming its corporation: a key that is bound to one", async () => {
    const call = {
      headers: { "content-type": "text/csv" },
      body: csv([tenant.accountId, "", tenant.deviceId]),
    };
    const bound = await world.call("POST", "/v1/enrolment-batches", { ...call, key: tenant.key });
    expect(bound).toMatchObject({ status: 201, body: { corporationId: tenant.corporationId } });
    expect(await world.call("POST", "/v1/enrolment-batches", call)).toMatchObject({
      status: 422,
      body: { errors: [{ field: "corporationId" }] },
    });
  });

  it("name what is another corporation's: nobody, and it is just not there", async () => {
    const { accountId, deviceId } = tenant;
    const file = csv(
      [other.accountId, "", deviceId],
      [accountId, other.pharmacyId, deviceId],
      [accountId, "", other.deviceId],
    );
    const { faults } = await preview(file);
    expect(faults.map(({ code }) => code)).toEqual([
      "account-unknown",
      "pharmacy-unknown",
      "device-unknown",
    ]);
    expect(await post(file, { key: other.key })).toMatchObject({ status: 404 });
  });
});
