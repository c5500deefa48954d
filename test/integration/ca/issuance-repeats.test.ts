import { randomUUID } from "node:crypto";
import { afterAll, beforeEach, describe, expect, it } from "vitest";
import type { IssueRequest } from "../../../src/ca/issuance.ts";
import { insertTenant, type Tenant } from "../../support/rows.ts";
import { addStaff, newCsr, NOW, openAppSide } from "./app-side.ts";

const app = await openAppSide();
const { issuance, revocation, admin, signer, time } = app;
const staff = await addStaff(app);

let count = 0;
let here: Tenant;

beforeEach(async () => {
  time.now = NOW;
  signer.isAway = false;
  signer.asked.length = 0;
  here = await insertTenant(admin, `corporation ${++count}`);
});

afterAll(() => app.close());

const requestFor = (tenant: Tenant, csr = newCsr()): IssueRequest => ({
  deviceId: tenant.deviceId,
  accountId: tenant.accountId,
  csr,
});

/** A reserved row and everything that came with it, counted. */
async function traces(
  deviceId: string,
): Promise<{ issued: number; bound: number; audited: number }> {
  const [row] = await admin.query<{ issued: number; bound: number; audited: number }>(
    `select (select count(*)::int from ca.issued where device_uri like '%' || $1) as issued,
       (select count(*)::int from app.binding where device_id = $1::uuid) as bound,
       (select count(*)::int from app.audit where action = 'certificate.requested' and detail->>'deviceId' = $1) as audited`,
    [deviceId],
  );
  return row ?? { issued: -1, bound: -1, audited: -1 };
}

describe("a key that was seen before", () => {
  it("gives the certificate that it has, for the same binding", async () => {
    const csr = newCsr();
    let repeated = 0;
    const request = { ...requestFor(here, csr), onRepeated: () => (repeated += 1) };
    const first = await issuance.issue(staff, request);
    expect(repeated).toBe(0);
    expect(await issuance.issue(staff, request)).toEqual(first);
    expect(repeated).toBe(1);
    expect(await traces(here.deviceId)).toEqual({ issued: 1, bound: 1, audited: 1 });
  });

  it("gives one certificate to ten who ask at once", async () => {
    const csr = newCsr();
    const all = await Promise.all(
      Array.from({ length: 10 }, () => issuance.issue(staff, requestFor(here, csr))),
    );
    expect(new Set(all.map(({ serialNumber }) => serialNumber)).size).toBe(1);
    expect(await traces(here.deviceId)).toEqual({ issued: 1, bound: 1, audited: 1 });
  });

  it("is refused for another device, another person and another corporation", async () => {
    const csr = newCsr();
    await issuance.issue(staff, requestFor(here, csr));
    const other = await insertTenant(admin, `other ${count}`);
    const inUse: unknown = expect.objectContaining({ code: "key-in-use", field: "csr" });
    await expect(issuance.issue(staff, requestFor(other, csr))).rejects.toThrow(inUse);
    const colleague = randomUUID();
    await admin.query(
      "insert into app.account (id, corporation_id, name, created_at, updated_at) values ($1, $2, 'colleague', $3, $3)",
      [colleague, here.corporationId, NOW],
    );
    await admin.query(
      `insert into app.membership (id, corporation_id, account_id, pharmacy_id, role, valid_from, created_at, updated_at)
       values ($1, $2, $3, $4, 'pharmacist', $5, $5, $5)`,
      [randomUUID(), here.corporationId, colleague, here.pharmacyId, NOW],
    );
    await expect(
      issuance.issue(staff, { ...requestFor(here, csr), accountId: colleague }),
    ).rejects.toThrow(inUse);
  });

  it("is refused for ever once it was compromised, and while it is on hold", async () => {
    const csr = newCsr();
    const { serialNumber } = await issuance.issue(staff, requestFor(here, csr));
    await revocation.revoke(staff, serialNumber, "certificateHold");
    await expect(issuance.issue(staff, requestFor(here, csr))).rejects.toThrow(
      expect.objectContaining({ code: "invalid-state" }),
    );
    await revocation.revoke(staff, serialNumber, "keyCompromise");
    await expect(issuance.issue(staff, requestFor(here, csr))).rejects.toThrow(
      expect.objectContaining({ code: "key-compromised", field: "csr" }),
    );
  });

  it("may be used again by the same binding after another reason", async () => {
    const csr = newCsr();
    const { serialNumber } = await issuance.issue(staff, requestFor(here, csr));
    await revocation.revoke(staff, serialNumber, "superseded");
    expect((await issuance.issue(staff, requestFor(here, csr))).serialNumber).not.toBe(
      serialNumber,
    );
  });
});

const keyed = (hash = 4): NonNullable<IssueRequest["idempotency"]> => ({
  apiKeyId: staff.id,
  key: randomUUID(),
  requestHash: Buffer.alloc(32, hash),
});

describe("an Idempotency-Key", () => {
  it("gives the same certificate again, also after its device was retired", async () => {
    const request = { ...requestFor(here), idempotency: keyed() };
    const first = await issuance.issue(staff, request);
    await admin.query("update app.device set retired_at = now() where id = $1", [here.deviceId]);
    expect(await issuance.issue(staff, request)).toEqual(first);
  });

  it("finishes what was reserved while the signer was away", async () => {
    const request = { ...requestFor(here), idempotency: keyed() };
    signer.isAway = true;
    await expect(issuance.issue(staff, request)).rejects.toThrow(
      expect.objectContaining({ code: "signer-unavailable" }),
    );
    await expect(issuance.issue(staff, request)).rejects.toThrow(
      expect.objectContaining({ code: "signer-unavailable" }),
    );
    signer.isAway = false;
    const made = await issuance.issue(staff, request);
    expect(signer.asked).toEqual([made.serialNumber, made.serialNumber, made.serialNumber]);
    expect(await traces(here.deviceId)).toEqual({ issued: 1, bound: 1, audited: 1 });
  });

  it("begins anew when the reservation was given up", async () => {
    const request = { ...requestFor(here), idempotency: keyed() };
    signer.isAway = true;
    await expect(issuance.issue(staff, request)).rejects.toThrow(
      expect.objectContaining({ code: "signer-unavailable" }),
    );
    await admin.query("update ca.issued set state = 'abandoned' where serial = $1", [
      Buffer.from(signer.asked[0] ?? "", "hex"),
    ]);
    signer.isAway = false;
    const made = await issuance.issue(staff, request);
    expect(made.serialNumber).not.toBe(signer.asked[0]);
    expect(await issuance.issue(staff, request)).toEqual(made);
  });

  it("is refused for another request", async () => {
    const idempotency = keyed(5);
    await issuance.issue(staff, { ...requestFor(here), idempotency });
    await expect(
      issuance.issue(staff, {
        ...requestFor(here),
        idempotency: { ...idempotency, requestHash: Buffer.alloc(32, 6) },
      }),
    ).rejects.toThrow(expect.objectContaining({ code: "idempotency-key-reused" }));
  });

  it("makes one certificate of ten requests with ten keys that come at once", async () => {
    const idempotency = keyed();
    const requests = Array.from({ length: 10 }, () => ({ ...requestFor(here), idempotency }));
    const all = await Promise.all(requests.map((request) => issuance.issue(staff, request)));
    expect(new Set(all.map(({ serialNumber }) => serialNumber)).size).toBe(1);
    expect(await traces(here.deviceId)).toEqual({ issued: 1, bound: 1, audited: 1 });
  });
});
