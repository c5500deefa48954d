import { randomBytes } from "node:crypto";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeEach, describe, expect, it } from "vitest";
import type { IssuedCertificate } from "../../../src/ca/issuance.ts";
import type { Refused } from "../../../src/ca/identification.ts";
import { serialBytes } from "../../../src/pki/serial.ts";
import { insertTenant, type Tenant } from "../../support/rows.ts";
import { addStaff, newCsr, NOW, openAppSide } from "./app-side.ts";

const app = await openAppSide();
const { issuance, identify, admin, time } = app;
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

const AFTER_END = new Date("2027-12-21T15:00:00Z");

const der = (pem: string): Buffer =>
  Buffer.from(pem.replaceAll(/-----[^-]+-----|\s/g, ""), "base64");

const refused = (reason: Refused["reason"]): Refused => ({ kind: "refused", reason });

describe("identify, by what a TLS handshake showed", () => {
  it("knows device, person, pharmacy and corporation", async () => {
    const { certificate, serialNumber, notAfter } = await issue(here);
    expect(await identify(der(certificate))).toEqual({
      kind: "identified",
      isEmergency: false,
      serialNumber,
      notAfter,
      daysLeft: 395,
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

  it("refuses what is no certificate, and another CA's", async () => {
    expect(await identify(Buffer.from("nonsense"))).toEqual(refused("malformed"));
    const folder = mkdtempSync(path.join(tmpdir(), "suido-foreign-"));
    const file = path.join(folder, "foreign.der");
    execFileSync(
      "openssl",
      [
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:P-256",
        "-nodes",
        "-keyout",
        path.join(folder, "key"),
        "-subj",
        "/CN=x",
        "-outform",
        "DER",
        "-out",
        file,
      ],
      { stdio: "ignore" },
    );
    const foreign = readFileSync(file);
    rmSync(folder, { recursive: true });
    expect(await identify(foreign)).toEqual(refused("foreign-issuer"));
  });

  it("refuses a certificate of ours with any octet changed", async () => {
    const bytes = der((await issue(here)).certificate);
    for (const at of [40, 120, bytes.length - 1]) {
      const forged = Buffer.from(bytes);
      forged[at] = (forged[at] ?? 0) ^ 1;
      expect([refused("malformed"), refused("foreign-issuer")]).toContainEqual(
        await identify(forged),
      );
    }
  });

  it("refuses one that is signed by us and not in the books", async () => {
    const { certificate, serialNumber } = await issue(here);
    // A triggerless session: what a restored database would look like.
    await admin.query("begin");
    await admin.query("set local session_replication_role = replica");
    await admin.query("update ca.issued set der_sha256 = $2 where serial = $1", [
      serialBytes(serialNumber),
      randomBytes(32),
    ]);
    await admin.query("commit");
    expect(await identify(der(certificate))).toEqual({ kind: "refused", reason: "unknown" });
  });

  const states = [
    {
      name: "revoked",
      sql: "update ca.issued set state = 'revoked', reason = 4, revoked_at = now() where serial = $1",
      of: "serial",
      reason: "revoked",
    },
    {
      name: "on hold",
      sql: "update ca.issued set state = 'hold', reason = 6, revoked_at = now() where serial = $1",
      of: "serial",
      reason: "hold",
    },
    {
      name: "unbound",
      sql: "update app.binding set bound_to = now() where serial = $1",
      of: "serial",
      reason: "unbound",
    },
    {
      name: "of a retired device",
      sql: "update app.device set retired_at = now() where id = $1",
      of: "device",
      reason: "device-retired",
    },
    {
      name: "of a personal device whose person is disabled",
      sql: "with d as (update app.device set use = 'personal' where id = $1) update app.account set disabled_at = now() where id in (select account_id from app.binding where device_id = $1)",
      of: "device",
      reason: "account-disabled",
    },
    {
      name: "of a personal device whose person has left the pharmacy",
      sql: "with d as (update app.device set use = 'personal' where id = $1) update app.membership set valid_to = '2026-11-21T03:00:00Z' where account_id in (select account_id from app.binding where device_id = $1)",
      of: "device",
      reason: "membership-ended",
    },
  ] as const;

  it.for(states)("refuses one that is $name", async ({ sql, of, reason }) => {
    const { certificate, notAfter, serialNumber } = await issue(here);
    await admin.query(sql, [of === "serial" ? serialBytes(serialNumber) : here.deviceId]);
    const known = { notAfter: new Date(notAfter), serialNumber };
    expect(await identify(der(certificate))).toEqual({ kind: "refused", reason, ...known });
  });

  it("refuses one before its time and after it", async () => {
    const { certificate, notAfter, serialNumber, notBefore } = await issue(here);
    const known = { notAfter: new Date(notAfter), serialNumber };
    time.now = new Date(notBefore.getTime() - 1000);
    expect(await identify(der(certificate))).toEqual({
      kind: "refused",
      reason: "not-yet-valid",
      ...known,
    });
    time.now = notBefore;
    expect((await identify(der(certificate))).kind).toBe("identified");
    time.now = AFTER_END;
    expect(await identify(der(certificate))).toEqual({
      kind: "refused",
      reason: "expired",
      ...known,
    });
  });

  it("takes a personal device whose person works there", async () => {
    const { certificate } = await issue(here);
    await admin.query("update app.device set use = 'personal' where id = $1", [here.deviceId]);
    expect((await identify(der(certificate))).kind).toBe("identified");
  });

  it("takes a shared device whose responsible person has left and is disabled", async () => {
    const { certificate } = await issue(here);
    await admin.query("delete from app.membership where account_id = $1", [here.accountId]);
    await admin.query("update app.account set disabled_at = now() where id = $1", [here.accountId]);
    expect((await identify(der(certificate))).kind).toBe("identified");
  });
});
