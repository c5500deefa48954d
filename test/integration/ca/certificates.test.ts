import { randomBytes, randomUUID } from "node:crypto";
import { afterAll, beforeEach, describe, expect, it } from "vitest";
import type { CertificateFilter } from "../../../src/ca/certificates.ts";
import type { IssuedCertificate } from "../../../src/ca/issuance.ts";
import { parseSerial, type Serial, serialBytes } from "../../../src/pki/serial.ts";
import type { Principal } from "../../../src/registry/principal.ts";
import { insertTenant, type Tenant } from "../../support/rows.ts";
import { addColleague, addStaff, boundTo, newCsr, NOW, openAppSide } from "./app-side.ts";

const app = await openAppSide();
const { issuance, revocation, certificates, admin, time } = app;
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

const serials = async (principal: Principal, filter: CertificateFilter): Promise<Serial[]> =>
  (await certificates.search(principal, filter, {})).items.map(({ serialNumber }) => serialNumber);

const notFound: unknown = expect.objectContaining({ code: "not-found" });

describe("one certificate", () => {
  it("is good to the last second of its life, and then expired", async () => {
    const { serialNumber } = await issue(here);
    time.now = END;
    expect((await certificates.one(staff, serialNumber)).status).toBe("good");
    time.now = AFTER_END;
    expect((await certificates.one(staff, serialNumber)).status).toBe("expired");
  });

  it("that is revoked is never expired, one on hold is", async () => {
    const { serialNumber } = await issue(here);
    await revocation.revoke(staff, serialNumber, "certificateHold");
    time.now = AFTER_END;
    expect((await certificates.one(staff, serialNumber)).status).toBe("expired");
    time.now = NOW;
    await revocation.revoke(staff, serialNumber, "superseded");
    time.now = AFTER_END;
    expect((await certificates.one(staff, serialNumber)).status).toBe("revoked");
  });

  it("names the newest good one of those after it", async () => {
    const first = await issue(here);
    const second = await issuance.renew(staff, first.serialNumber, { csr: newCsr() });
    time.now = time.signer = new Date(NOW.getTime() + 1000);
    const third = await issuance.renew(staff, second.serialNumber, { csr: newCsr() });
    const replacedBy = async (): Promise<(Serial | undefined)[]> =>
      Promise.all(
        [first, second, third].map(
          async ({ serialNumber }) => (await certificates.one(staff, serialNumber)).replacedBy,
        ),
      );
    expect(await replacedBy()).toEqual([third.serialNumber, third.serialNumber, undefined]);
    await revocation.revoke(staff, third.serialNumber, "keyCompromise");
    expect(await replacedBy()).toEqual([second.serialNumber, undefined, undefined]);
  });

  it("is not there for others, nor while it is reserved, nor if it is no device's", async () => {
    const { serialNumber } = await issue(here);
    const stranger = boundTo((await insertTenant(admin, `stranger ${count}`)).corporationId);
    await expect(certificates.one(stranger, serialNumber)).rejects.toThrow(notFound);
    app.signer.isAway = true;
    app.signer.asked.length = 0;
    await expect(issue(here)).rejects.toThrow("the signer is away");
    app.signer.isAway = false;
    await expect(certificates.one(staff, parseSerial(app.signer.asked[0] ?? ""))).rejects.toThrow(
      notFound,
    );
    const unbound = await copyWithoutBinding(serialNumber);
    await expect(certificates.one(staff, unbound)).rejects.toThrow(notFound);
  });

  it("belongs to its new corporation alone after its binding was closed and opened there", async () => {
    const { serialNumber } = await issue(here);
    const next = await insertTenant(admin, `next ${count}`);
    await admin.query("update app.binding set bound_to = $2 where serial = $1", [
      serialBytes(serialNumber),
      NOW,
    ]);
    await bind(serialNumber, next);
    await expect(certificates.one(boundTo(here.corporationId), serialNumber)).rejects.toThrow(
      notFound,
    );
    expect(await serials(boundTo(here.corporationId), {})).toEqual([]);
    expect((await certificates.one(boundTo(next.corporationId), serialNumber)).deviceId).toBe(
      next.deviceId,
    );
    expect(await serials(boundTo(next.corporationId), {})).toEqual([serialNumber]);
  });
});

/** A certificate of nobody's, as an OCSP delegate's is. */
async function copyWithoutBinding(of: Serial): Promise<Serial> {
  const serial = Buffer.concat([Buffer.of(0x41), randomBytes(15)]);
  await admin.query(
    `insert into ca.issued (serial, issuer_id, profile, profile_hash, shard, state, common_name, spki, spki_sha256, not_before, not_after, key_origin,
       reserved_at, der, der_sha256, issued_at)
     select $2, issuer_id, 'ocsp', profile_hash, shard, state, common_name, spki, $3, not_before, not_after, key_origin, reserved_at, der, $3, issued_at
     from ca.issued where serial = $1`,
    [serialBytes(of), serial, randomBytes(32)],
  );
  return parseSerial(serial.toString("hex"));
}

async function bind(serial: Serial, to: Tenant): Promise<void> {
  await admin.query(
    "insert into app.binding (id, serial, corporation_id, pharmacy_id, device_id, account_id, bound_from) values ($1, $2, $3, $4, $5, $6, $7)",
    [
      randomUUID(),
      serialBytes(serial),
      to.corporationId,
      to.pharmacyId,
      to.deviceId,
      to.accountId,
      NOW,
    ],
  );
}

describe("search", () => {
  it("by fingerprint, in any spelling, and only if the rest fits", async () => {
    const { fingerprint, serialNumber, deviceId, accountId } = await issue(here);
    const spelt = fingerprint.toUpperCase().replaceAll(/(?<=^(?:..)+)(?=.)/g, ":");
    expect(await serials(staff, { fingerprint })).toEqual([serialNumber]);
    expect(
      await serials(staff, {
        fingerprint: spelt,
        deviceId: deviceId.toUpperCase(),
        accountId,
        status: "good",
      }),
    ).toEqual([serialNumber]);
    expect(await serials(staff, { fingerprint, status: "revoked" })).toEqual([]);
    expect(await serials(staff, { fingerprint: "00".repeat(32) })).toEqual([]);
    await expect(serials(staff, { fingerprint: "00" })).rejects.toThrow(
      expect.objectContaining({ code: "invalid-value", field: "fingerprint" }),
    );
  });

  it("by device, account, corporation and status, each alone and together", async () => {
    const colleague = await addColleague(app, here);
    const first = await issue(here);
    const second = await issue({ ...here, accountId: colleague });
    await revocation.revoke(staff, second.serialNumber, "superseded");
    const { deviceId, accountId, corporationId } = here;
    const both = [first.serialNumber, second.serialNumber].toSorted();
    expect(await serials(staff, { deviceId })).toEqual(both);
    expect(await serials(staff, { corporationId })).toEqual(both);
    expect(await serials(staff, { accountId })).toEqual([first.serialNumber]);
    expect(await serials(staff, { deviceId, accountId: colleague })).toEqual([second.serialNumber]);
    expect(await serials(staff, { deviceId, status: "good" })).toEqual([first.serialNumber]);
    expect(await serials(staff, { accountId: colleague, status: "revoked" })).toEqual([
      second.serialNumber,
    ]);
    expect(await serials(boundTo(corporationId), { status: "revoked" })).toEqual([
      second.serialNumber,
    ]);
    time.now = AFTER_END;
    expect(await serials(staff, { deviceId, status: "expired" })).toEqual([first.serialNumber]);
    expect(await serials(staff, { deviceId, status: "good" })).toEqual([]);
  });

  it("finds nothing of others, by whatever name", async () => {
    const { fingerprint, deviceId, accountId, corporationId } = await issue(here);
    const stranger = boundTo((await insertTenant(admin, `stranger ${count}`)).corporationId);
    for (const filter of [{ fingerprint }, { deviceId }, { accountId }, { corporationId }, {}]) {
      expect(await serials(stranger, filter)).toEqual([]);
    }
    const missing = randomUUID();
    for (const filter of [
      { deviceId: missing },
      { accountId: missing },
      { corporationId: missing },
      { deviceId: "none" },
    ]) {
      expect(await serials(staff, filter)).toEqual([]);
    }
  });

  it("across corporations finds two tenants' certificates, for staff only", async () => {
    const mine = await issue(here);
    const theirs = await issue(await insertTenant(admin, `other ${count}`));
    const all = (await collect(staff, { status: "good" }, 200)).toSorted();
    expect(all).toEqual(expect.arrayContaining([mine.serialNumber, theirs.serialNumber]));
    expect(await collect(boundTo(here.corporationId), {}, 200)).toEqual([mine.serialNumber]);
  });

  it("gives pages that together are everything once", async () => {
    const made = await Promise.all(Array.from({ length: 5 }, () => issue(here)));
    const expected = made.map(({ serialNumber }) => serialNumber).toSorted();
    for (const limit of [1, 2, 5, 6]) {
      expect(await collect(boundTo(here.corporationId), {}, limit)).toEqual(expected);
    }
    const everything = await collect(staff, {}, 3);
    expect(new Set(everything).size).toBe(everything.length);
    expect(everything).toEqual(expect.arrayContaining(expected));
  });

  it.for([
    { limit: 0 },
    { limit: 201 },
    { limit: 1.5 },
    { after: "" },
    { after: "%%" },
    { after: "A" },
  ])("refuses the page %o", async (page) => {
    await expect(certificates.search(staff, {}, page)).rejects.toThrow(
      expect.objectContaining({ code: "invalid-value" }),
    );
  });
});

async function collect(
  principal: Principal,
  filter: CertificateFilter,
  limit: number,
): Promise<Serial[]> {
  const found: Serial[] = [];
  let after: string | undefined;
  do {
    const page = await certificates.search(principal, filter, {
      limit,
      ...(after !== undefined && { after }),
    });
    found.push(...page.items.map(({ serialNumber }) => serialNumber));
    after = page.nextCursor;
  } while (after !== undefined);
  return found;
}
