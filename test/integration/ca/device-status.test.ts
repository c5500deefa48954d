import { randomUUID } from "node:crypto";
import { afterAll, beforeEach, describe, expect, it } from "vitest";
import type { IssuedCertificate } from "../../../src/ca/issuance.ts";
import { type Serial, serialBytes } from "../../../src/pki/serial.ts";
import { insertTenant, type Tenant } from "../../support/rows.ts";
import { addColleague, addStaff, boundTo, newCsr, NOW, openAppSide } from "./app-side.ts";

const app = await openAppSide();
const { issuance, revocation, deviceStatus, admin, time } = app;
const staff = await addStaff(app);

let count = 0;
let here: Tenant;

beforeEach(async () => {
  time.now = time.signer = NOW;
  here = await insertTenant(admin, `corporation ${++count}`);
});

afterAll(() => app.close());

const issue = ({
  deviceId,
  accountId,
}: Pick<Tenant, "deviceId" | "accountId">): Promise<IssuedCertificate> =>
  issuance.issue(staff, { deviceId, accountId, csr: newCsr() });

const END = new Date("2027-12-21T14:59:59Z");
const AFTER_END = new Date("2027-12-21T15:00:00Z");

const notFound: unknown = expect.objectContaining({ code: "not-found" });

describe("status, a product's question", () => {
  it("of a good one: everything that stands behind it", async () => {
    const { serialNumber, notAfter } = await issue(here);
    time.now = new Date(notAfter.getTime() - 30 * 86_400_000);
    expect(await deviceStatus.status(staff, serialNumber, {})).toEqual({
      serialNumber,
      status: "good",
      since: NOW,
      notAfter,
      daysLeft: 30,
      device: {
        id: here.deviceId,
        name: `corporation ${count} device`,
        platform: "windows",
        use: "shared",
      },
      account: { id: here.accountId, name: `corporation ${count} account` },
      pharmacy: { id: here.pharmacyId, name: `corporation ${count} pharmacy` },
      corporation: { id: here.corporationId, name: `corporation ${count}` },
    });
  });

  it("tells since when", async () => {
    const { serialNumber } = await issue(here);
    const at = (seconds: number): Date => (time.now = new Date(NOW.getTime() + seconds * 1000));
    const held = at(60);
    await revocation.revoke(staff, serialNumber, "certificateHold");
    expect(await deviceStatus.status(staff, serialNumber, {})).toMatchObject({
      status: "hold",
      since: held,
      reason: "certificateHold",
    });
    await revocation.unhold(staff, serialNumber);
    const [released] = await admin.query<{ at: Date }>(
      "select at from ca.change where serial = $1 and kind = 'unhold'",
      [serialBytes(serialNumber)],
    );
    expect(await deviceStatus.status(staff, serialNumber, {})).toMatchObject({
      status: "good",
      since: released?.at,
    });
    const revoked = at(180);
    await revocation.revoke(staff, serialNumber, "superseded");
    time.now = AFTER_END;
    expect(await deviceStatus.status(staff, serialNumber, {})).toMatchObject({
      status: "revoked",
      since: revoked,
      reason: "superseded",
      daysLeft: 0,
    });
  });

  it("of an expired one: since its end, replaced by its successor", async () => {
    const { serialNumber } = await issue(here);
    const next = await issuance.renew(staff, serialNumber, { csr: newCsr() });
    // As if the renewal had come a month later.
    await admin.query("update ca.issued set not_after = not_after + '1 month' where serial = $1", [
      serialBytes(next.serialNumber),
    ]);
    time.now = AFTER_END;
    expect(await deviceStatus.status(staff, serialNumber, {})).toMatchObject({
      status: "expired",
      since: END,
      daysLeft: 0,
      replacedBy: next.serialNumber,
    });
  });

  const mayUse = [
    {
      name: "the responsible person",
      use: "shared",
      who: "responsible",
      sql: undefined,
      may: true,
    },
    { name: "a colleague", use: "shared", who: "colleague", sql: undefined, may: true },
    {
      name: "a colleague who was disabled",
      use: "shared",
      who: "colleague",
      sql: "update app.account set disabled_at = now() where id = $1",
      may: false,
    },
    {
      name: "a colleague who left",
      use: "shared",
      who: "colleague",
      sql: "update app.membership set valid_to = '2026-11-21T03:00:00Z', valid_from = '2026-01-01Z' where account_id = $1",
      may: false,
    },
    {
      name: "nobody of a retired device",
      use: "shared",
      who: "colleague",
      sql: "update app.device set retired_at = now() where corporation_id = (select corporation_id from app.account where id = $1)",
      may: false,
    },
    {
      name: "the responsible person of a personal device",
      use: "personal",
      who: "responsible",
      sql: undefined,
      may: true,
    },
    {
      name: "a colleague, of a personal device",
      use: "personal",
      who: "colleague",
      sql: undefined,
      may: false,
    },
    { name: "a stranger", use: "shared", who: "stranger", sql: undefined, may: false },
    {
      name: "an account that is not there",
      use: "shared",
      who: "missing",
      sql: undefined,
      may: false,
    },
    { name: "no account id", use: "shared", who: "nonsense", sql: undefined, may: false },
  ] as const;

  it.for(mayUse)("mayUse of $name: $may", async ({ use, who, sql, may }) => {
    await admin.query("update app.device set use = $2 where id = $1", [here.deviceId, use]);
    const ids = {
      responsible: here.accountId,
      colleague: await addColleague(app, here),
      stranger: (await insertTenant(admin, `stranger ${count}`)).accountId,
      missing: randomUUID(),
      nonsense: "'; select",
    };
    const { serialNumber } = await issue(here);
    await Promise.all(
      [sql].filter((text) => text !== undefined).map((text) => admin.query(text, [ids[who]])),
    );
    expect((await deviceStatus.status(staff, serialNumber, { accountId: ids[who] })).mayUse).toBe(
      may,
    );
  });

  it("is not there for others", async () => {
    const { serialNumber } = await issue(here);
    const stranger = boundTo((await insertTenant(admin, `stranger ${count}`)).corporationId);
    await expect(deviceStatus.status(stranger, serialNumber, {})).rejects.toThrow(notFound);
    await expect(deviceStatus.lineage(stranger, here.deviceId)).rejects.toThrow(notFound);
    await expect(deviceStatus.lineage(staff, randomUUID())).rejects.toThrow(notFound);
  });
});

const lineage = async (): Promise<[Serial, boolean][]> =>
  (await deviceStatus.lineage(boundTo(here.corporationId), here.deviceId)).items.map(
    ({ serialNumber, current }) => [serialNumber, current],
  );

describe("lineage of a device", () => {
  it("begins with the newest and marks the current one", async () => {
    expect(await lineage()).toEqual([]);
    const first = await issue(here);
    expect(await lineage()).toEqual([[first.serialNumber, true]]);
    time.now = time.signer = new Date(NOW.getTime() + 1000);
    const second = await issuance.renew(staff, first.serialNumber, { csr: newCsr() });
    expect(await lineage()).toEqual([
      [second.serialNumber, true],
      [first.serialNumber, false],
    ]);
    await revocation.revoke(staff, second.serialNumber, "keyCompromise");
    expect(await lineage()).toEqual([
      [second.serialNumber, false],
      [first.serialNumber, true],
    ]);
  });

  it("has a current one for each place of the device", async () => {
    const first = await issue(here);
    time.now = time.signer = new Date(NOW.getTime() + 1000);
    const second = await issue(here);
    expect(await lineage()).toEqual([
      [second.serialNumber, true],
      [first.serialNumber, true],
    ]);
  });
});
