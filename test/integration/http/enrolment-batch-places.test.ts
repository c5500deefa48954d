import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";

import { newCsr, NOW } from "../ca/app-side.ts";
import { type EnrolmentWorld, openEnrolmentWorld } from "./enrolment-world.ts";
import type { Answer, Tenant } from "./world.ts";

let world: EnrolmentWorld;
let tenant: Tenant;
let count = 0;

beforeAll(async () => {
  world = await openEnrolmentWorld();
});
beforeEach(async () => {
  world.side.time.now = NOW;
  tenant = await world.tenant(`薬局${(count += 1)}`);
});
afterAll(() => world.close());

const post = (body: string, query = ""): Promise<Answer> =>
  world.call("POST", `/v1/enrolment-batches?corporationId=${tenant.corporationId}${query}`, {
    headers: { "content-type": "text/csv" },
    body,
  });

async function preview(text: string) {
  const { status, body } = await post(text, "&dryRun=true");
  expect(status).toBe(200);
  return body as unknown as {
    readonly faults: readonly { line: number; column?: string; code: string }[];
  };
}

/** One more machine of the tenant's person. */
async function another(name: string) {
  const { accountId, pharmacyId } = tenant;
  const body = { pharmacyId, name, platform: "windows" };
  return { accountId, deviceId: (await world.call("POST", "/v1/devices", { body })).body.id };
}

async function issue({ accountId, deviceId }: Pick<Tenant, "accountId" | "deviceId">) {
  const body = { accountId, deviceId, csr: newCsr() };
  return (await world.call("POST", "/v1/certificates", { body })).body.serialNumber;
}

const placesCsv = (...rows: readonly (readonly string[])[]): string =>
  [["account", "device", "reason", "place"], ...rows].map((row) => `${row.join(",")}\r\n`).join("");

const openOf = async (deviceId: string) =>
  (await world.call("GET", `/v1/enrolments?deviceId=${deviceId}&state=invited`)).body.items;

describe("a line for a device that has a certificate in use", () => {
  it("renews the person's newest certificate there, ends all, leaves them, or asks the person", async () => {
    const people = [
      await another("甲"),
      await another("乙"),
      await another("丙"),
      await another("丁"),
    ] as const;
    const serials: string[] = [];
    for (const each of people) serials.push(await issue(each));
    const [a, b, c, d] = people;
    const none = await another("戊");
    const file = placesCsv(
      [a.accountId, a.deviceId, "更新", ""],
      [b.accountId, b.deviceId, "入れ替え", "入れ替える"],
      [c.accountId, c.deviceId, "", "further"],
      [d.accountId, d.deviceId, "support", ""],
      [none.accountId, none.deviceId, "renewal", ""],
    );
    expect(await preview(file)).toMatchObject({ enrolments: 5, faults: [] });
    expect(await post(file)).toMatchObject({ status: 201 });
    const made = await Promise.all([...people, none].map(({ deviceId }) => openOf(deviceId)));
    expect(made).toMatchObject([
      [{ reason: "renewal", replaces: serials[0] }],
      [{ reason: "replacement", place: "instead", replaces: serials[1] }],
      [{ reason: "first", place: "further" }],
      [{ reason: "support" }],
      [{ reason: "renewal" }],
    ]);
    for (const of of [made[0], made[3], made[4]]) expect(of?.[0]).not.toHaveProperty("place");
    for (const of of made.slice(2)) expect(of[0]).not.toHaveProperty("replaces");
    const again = placesCsv(
      [c.accountId, c.deviceId, "renewal", ""],
      [a.accountId, a.deviceId, "", "further"],
    );
    // What goes on in another place is none of theirs.
    expect(await preview(again)).toMatchObject({ replacedCount: 0 });
    expect(await post(again)).toMatchObject({ status: 201, body: { replaced: 0 } });
    expect(await openOf(a.deviceId)).toHaveLength(2);
  });

  it("is a fault where it is no renewal, where there is no room, and where it makes no sense", async () => {
    const people = [await another("甲"), await another("乙"), await another("丙")] as const;
    const [a, b, c] = people;
    const [gone, held] = [await issue(a), await issue(b)];
    for (const [serial, reason] of [
      [gone, "keyCompromise"],
      [held, "certificateHold"],
    ])
      expect(
        await world.call("POST", `/v1/certificates/${serial}/revoke`, { body: { reason } }),
      ).toMatchObject({ status: 200 });
    for (let place = 0; place < 3; place += 1) await issue(c);
    const rows = [
      [a.accountId, a.deviceId, "renewal", ""],
      [b.accountId, b.deviceId, "renewal", ""],
      [c.accountId, c.deviceId, "", "further"],
      [tenant.accountId, tenant.deviceId, "renewal", "残す"],
      [tenant.accountId, tenant.deviceId, "", "somewhere"],
    ];
    const late = await another("丁");
    await issue(late);
    const { faults } = await preview(placesCsv(...rows));
    expect(faults.map(({ line, column, code }) => `${line} ${column} ${code}`)).toEqual([
      "2 reason renewal-revoked",
      "3 reason renewal-on-hold",
      "4 place no-room",
      "5 place place-of-renewal",
      "6 place bad-place",
    ]);
    const without = await preview(`account,pharmacy,place\r\n${tenant.accountId},001,instead\r\n`);
    expect(without.faults).toMatchObject([{ line: 2, code: "place-without-device" }]);
    const { time } = world.side;
    time.now = new Date(NOW.getTime() + 500 * 86_400_000);
    const over = await preview(placesCsv([late.accountId, late.deviceId, "renewal", ""]));
    expect(over.faults).toMatchObject([{ line: 2, column: "reason", code: "renewal-too-late" }]);
    time.now = NOW;
    expect(await post(placesCsv(...rows.slice(0, 1)))).toMatchObject({
      status: 422,
      body: { type: "/problems/batch-refused", errors: [{ field: "line 2: reason" }] },
    });
  });
});
