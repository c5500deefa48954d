import { randomUUID } from "node:crypto";
import { afterAll, beforeEach, describe, expect, it } from "vitest";
import type { IssueRequest } from "../../../src/ca/issuance.ts";
import { parseSerial } from "../../../src/pki/serial.ts";
import { insertTenant, type Tenant } from "../../support/rows.ts";
import { addStaff, boundTo, newCsr, NOW, openAppSide } from "./app-side.ts";

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

describe("renew and reissue", () => {
  it("renew makes a successor for the same binding, and leaves the old one good", async () => {
    const old = await issuance.issue(staff, requestFor(here));
    const made = await issuance.renew(staff, old.serialNumber, { csr: newCsr() });
    expect(made).toMatchObject({
      replaces: old.serialNumber,
      deviceId: old.deviceId,
      accountId: old.accountId,
      status: "good",
    });
    expect(await app.certificates.one(staff, old.serialNumber)).toMatchObject({
      status: "good",
      replacedBy: made.serialNumber,
    });
  });

  it("a repeated renewal with the same request gives the certificate that it made", async () => {
    const old = await issuance.issue(staff, requestFor(here));
    const csr = newCsr();
    const made = await issuance.renew(staff, old.serialNumber, { csr });
    expect(await issuance.renew(staff, old.serialNumber, { csr })).toEqual(made);
  });

  it("neither takes the key of the old one, nor that of another certificate of the device", async () => {
    const csr = newCsr();
    const old = await issuance.issue(staff, requestFor(here, csr));
    const inUse: unknown = expect.objectContaining({ code: "key-in-use", field: "csr" });
    await expect(issuance.renew(staff, old.serialNumber, { csr })).rejects.toThrow(inUse);
    await expect(issuance.reissue(staff, old.serialNumber, { csr })).rejects.toThrow(inUse);
    const next = await issuance.renew(staff, old.serialNumber, { csr: newCsr() });
    await expect(issuance.renew(staff, next.serialNumber, { csr })).rejects.toThrow(inUse);
    await revocation.revoke(staff, old.serialNumber, "superseded");
    await expect(issuance.reissue(staff, old.serialNumber, { csr })).rejects.toThrow(inUse);
  });

  it("renew makes a bundle where there is no request", async () => {
    const old = await issuance.issue(staff, requestFor(here));
    expect((await issuance.renew(staff, old.serialNumber, {})).pkcs12?.password).toMatch(
      /^(?:[A-Z2-9]{4}-){4}[A-Z2-9]{4}$/,
    );
  });

  it.for(["superseded", "certificateHold"] as const)(
    "after %s there is no renewal, but a reissue",
    async (reason) => {
      const old = await issuance.issue(staff, requestFor(here));
      await revocation.revoke(staff, old.serialNumber, reason);
      await expect(issuance.renew(staff, old.serialNumber, { csr: newCsr() })).rejects.toThrow(
        expect.objectContaining({ code: "invalid-state" }),
      );
      expect((await issuance.reissue(staff, old.serialNumber, { csr: newCsr() })).replaces).toBe(
        old.serialNumber,
      );
    },
  );

  it("a repeated renewal is answered even after the old one was superseded", async () => {
    const idempotency = { apiKeyId: staff.id, key: randomUUID(), requestHash: Buffer.alloc(32, 7) };
    const old = await issuance.issue(staff, requestFor(here));
    const request = { csr: newCsr(), idempotency };
    const made = await issuance.renew(staff, old.serialNumber, request);
    await revocation.revoke(staff, old.serialNumber, "superseded");
    expect(await issuance.renew(staff, old.serialNumber, request)).toEqual(made);
  });

  it("neither without device and membership", async () => {
    const old = await issuance.issue(staff, requestFor(here));
    await admin.query("delete from app.membership where account_id = $1", [here.accountId]);
    await expect(issuance.reissue(staff, old.serialNumber, { csr: newCsr() })).rejects.toThrow(
      expect.objectContaining({ code: "not-a-member" }),
    );
    await admin.query("update app.binding set bound_to = now() where device_id = $1", [
      here.deviceId,
    ]);
    await expect(issuance.reissue(staff, old.serialNumber, { csr: newCsr() })).rejects.toThrow(
      expect.objectContaining({ code: "invalid-state" }),
    );
  });

  it("neither of what is not there, or another corporation's", async () => {
    const old = await issuance.issue(staff, requestFor(here));
    const other = await insertTenant(admin, `other ${count}`);
    const notFound: unknown = expect.objectContaining({ code: "not-found" });
    await expect(
      issuance.renew(boundTo(other.corporationId), old.serialNumber, { csr: newCsr() }),
    ).rejects.toThrow(notFound);
    await expect(
      issuance.reissue(staff, parseSerial("40".repeat(16)), { csr: newCsr() }),
    ).rejects.toThrow(notFound);
  });
});

/** At the end of the file: the signer does not work with a clock that was set back. */
describe("as time goes by", () => {
  it("renew is possible for 14 days after the end, and not a second longer", async () => {
    time.now = time.signer = new Date("2026-12-01T00:00:00Z");
    const old = await issuance.issue(staff, requestFor(here));
    time.now = new Date(old.notAfter.getTime() + 14 * 86_400_000 + 1000);
    await expect(issuance.renew(staff, old.serialNumber, { csr: newCsr() })).rejects.toThrow(
      expect.objectContaining({ code: "invalid-state" }),
    );
    time.now = time.signer = new Date(old.notAfter.getTime() + 14 * 86_400_000);
    expect((await issuance.renew(staff, old.serialNumber, { csr: newCsr() })).replaces).toBe(
      old.serialNumber,
    );
  });
});
