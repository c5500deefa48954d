import { execFileSync } from "node:child_process";
import { createPublicKey, randomUUID, X509Certificate } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeEach, describe, expect, it } from "vitest";
import type { IssueRequest } from "../../../src/ca/issuance.ts";
import { shardOf } from "../../../src/pki/serial.ts";
import { insertTenant, type Tenant } from "../../support/rows.ts";
import { addStaff, boundTo, newCsr, newKey, NOW, openAppSide } from "./app-side.ts";

const app = await openAppSide();
const { issuance, admin, signer, time } = app;
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

/** Runs openssl on PEM texts by name. */
function openssl(
  args: readonly string[],
  files: Readonly<Record<string, string | Buffer>>,
): string {
  const folder = mkdtempSync(path.join(tmpdir(), "suido-issuance-"));
  try {
    for (const [name, text] of Object.entries(files)) writeFileSync(path.join(folder, name), text);
    return execFileSync("openssl", args, { cwd: folder, encoding: "utf8" });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

describe("issue", () => {
  it("makes a certificate that OpenSSL verifies up to the root", async () => {
    const key = newKey();
    const made = await issuance.issue(staff, requestFor(here, newCsr(key)));
    expect(made).toMatchObject({
      status: "good",
      keyOrigin: "subject",
      profile: "device-client",
      deviceId: here.deviceId,
      accountId: here.accountId,
      pharmacyId: here.pharmacyId,
      corporationId: here.corporationId,
      notBefore: new Date("2026-11-21T02:55:00Z"),
      // 13 months on, the last second of that day in Tokyo.
      notAfter: new Date("2027-12-21T14:59:59Z"),
    });
    expect(made).not.toHaveProperty("pkcs12");
    const [issuing = "", root = ""] = made.chain;
    const verified = openssl(
      [
        "verify",
        "-x509_strict",
        "-attime",
        String(NOW.getTime() / 1000),
        "-CAfile",
        "root",
        "-untrusted",
        "issuing",
        "leaf",
      ],
      { root, issuing, leaf: made.certificate },
    );
    expect(verified).toBe("leaf: OK\n");
    const read = new X509Certificate(made.certificate);
    expect(read.subject).toBe(`CN=corporation ${count} device 2027-12`);
    expect(read.subjectAltName).toBe(`URI:spiffe://suido.example.jp/device/${here.deviceId}`);
    expect(read.serialNumber.toLowerCase()).toBe(made.serialNumber);
    expect(read.fingerprint256.replaceAll(":", "").toLowerCase()).toBe(made.fingerprint);
    expect(read.publicKey.equals(createPublicKey(key))).toBe(true);
    expect(await app.certificates.one(staff, made.serialNumber)).toEqual(made);
  });

  it("names who asked in the audit row, and shards by the serial", async () => {
    const { serialNumber } = await issuance.issue(staff, requestFor(here));
    const rows = await admin.query(
      `select action, actor, corporation_id, detail->>'accountId' as account, detail->>'identifiedHow' as how from app.audit where subject = $1 order by at, action desc`,
      [`certificate/${serialNumber}`],
    );
    expect(rows).toEqual([
      {
        action: "certificate.requested",
        actor: staff.actor,
        corporation_id: here.corporationId,
        account: here.accountId,
        how: null,
      },
      {
        action: "certificate.issued",
        actor: "signer",
        corporation_id: here.corporationId,
        account: here.accountId,
        how: "api",
      },
    ]);
    const [row] = await admin.query<{ shard: number }>(
      "select shard from ca.issued where serial = $1",
      [Buffer.from(serialNumber, "hex")],
    );
    expect(row?.shard).toBe(shardOf(serialNumber));
  });

  const fixes = {
    "a device that is not there": {
      code: "not-found",
      field: "deviceId",
      request: { deviceId: randomUUID() },
    },
    "a device id that is none": {
      code: "not-found",
      field: "deviceId",
      request: { deviceId: "none" },
    },
    "an account that is not there": {
      code: "not-found",
      field: "accountId",
      request: { accountId: randomUUID() },
    },
    "a profile that is not there": {
      code: "profile-unknown",
      field: "profile",
      request: { profile: "nope" },
    },
    "a profile that is not for devices": {
      code: "profile-unknown",
      field: "profile",
      request: { profile: "server" },
    },
    "no request at all": { code: "malformed-csr", field: undefined, request: { csr: "nonsense" } },
    "a key of a kind that the profile has not": {
      code: "unsupported-key",
      field: undefined,
      request: {
        csr: newCsr(newKey(["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:secp256k1"])),
      },
    },
    "a weak key": {
      code: "weak-key",
      field: undefined,
      request: { csr: newCsr(newKey(["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:1024"])) },
    },
  };

  it.for(Object.entries(fixes))(
    "refuses %s and leaves nothing",
    async ([, { code, field, request }]) => {
      const refusal: unknown = expect.objectContaining(
        field === undefined ? { code } : { code, field },
      );
      await expect(issuance.issue(staff, { ...requestFor(here), ...request })).rejects.toThrow(
        refusal,
      );
      expect(await traces(here.deviceId)).toEqual({ issued: 0, bound: 0, audited: 0 });
      expect(signer.asked).toEqual([]);
    },
  );

  const changes = [
    {
      name: "a retired device",
      sql: "update app.device set retired_at = now() where id = $1",
      of: "deviceId",
      code: "invalid-state",
      field: "deviceId",
    },
    {
      name: "a disabled account",
      sql: "update app.account set disabled_at = now() where id = $1",
      of: "accountId",
      code: "invalid-state",
      field: "accountId",
    },
    {
      name: "an account without membership",
      sql: "delete from app.membership where account_id = $1",
      of: "accountId",
      code: "not-a-member",
      field: "accountId",
    },
    {
      name: "an account whose membership has ended",
      sql: "update app.membership set valid_to = '2026-11-21T03:00:00Z' where account_id = $1",
      of: "accountId",
      code: "not-a-member",
      field: "accountId",
    },
    {
      name: "an account whose membership has not begun",
      sql: "update app.membership set valid_from = '2026-11-21T03:00:01Z' where account_id = $1",
      of: "accountId",
      code: "not-a-member",
      field: "accountId",
    },
  ] as const;

  it.for(changes)("refuses $name", async ({ sql, of, code, field }) => {
    await admin.query(sql, [here[of]]);
    await expect(issuance.issue(staff, requestFor(here))).rejects.toThrow(
      expect.objectContaining({ code, field }),
    );
    expect(await traces(here.deviceId)).toEqual({ issued: 0, bound: 0, audited: 0 });
  });

  it("stops while journal and database are apart", async () => {
    await admin.query("update ca.journal_mark set quarantined_at = now()");
    await expect(issuance.issue(staff, requestFor(here))).rejects.toThrow(
      expect.objectContaining({ code: "quarantine" }),
    );
    await admin.query("update ca.journal_mark set quarantined_at = null");
    expect((await issuance.issue(staff, requestFor(here))).status).toBe("good");
  });

  it("stops rather than outliving the issuing CA, and without one", async () => {
    time.now = new Date("2030-12-01T00:00:00Z");
    await expect(issuance.issue(staff, requestFor(here))).rejects.toThrow(
      expect.objectContaining({ code: "issuing-stopped" }),
    );
    time.now = NOW;
    await admin.query("update ca.issuer set state = 'retiring' where id = 'issuing-g1'");
    await expect(issuance.issue(staff, requestFor(here))).rejects.toThrow(
      expect.objectContaining({ code: "issuing-stopped" }),
    );
    // There is no way back, but for a test.
    await admin.query("set session_replication_role = replica");
    await admin.query("update ca.issuer set state = 'active' where id = 'issuing-g1'");
    await admin.query("set session_replication_role = origin");
  });

  it("answers a bound principal about another corporation's device as about a missing one", async () => {
    const other = await insertTenant(admin, `other ${count}`);
    const bound = boundTo(other.corporationId);
    await expect(issuance.issue(bound, requestFor(here))).rejects.toThrow(
      expect.objectContaining({ code: "not-found", field: "deviceId" }),
    );
    await expect(
      issuance.issue(bound, { ...requestFor(other), accountId: here.accountId }),
    ).rejects.toThrow(expect.objectContaining({ code: "not-found", field: "accountId" }));
    expect((await issuance.issue(bound, requestFor(other))).corporationId).toBe(
      other.corporationId,
    );
  });

  it("says what the signer found, and says it again", async () => {
    const idempotency = { apiKeyId: staff.id, key: randomUUID(), requestHash: Buffer.alloc(32, 1) };
    const request = { ...requestFor(here), profile: "device-other", idempotency };
    const refusal: unknown = expect.objectContaining({
      code: "lint-failed",
      findings: ["the profile has changed since the serial was reserved"],
    });
    await expect(issuance.issue(staff, request)).rejects.toThrow(refusal);
    await expect(issuance.issue(staff, request)).rejects.toThrow(refusal);
    expect(await traces(here.deviceId)).toEqual({ issued: 1, bound: 1, audited: 1 });
  });
});

/** At the end of the file: the signer does not work with a clock that was set back. */
describe("as time goes by", () => {
  it("takes the month of expiry from the calendar of the zone", async () => {
    // In Tokyo it is already December.
    time.now = time.signer = new Date("2026-11-30T15:00:00Z");
    const { certificate, notAfter } = await issuance.issue(staff, requestFor(here));
    expect(notAfter).toEqual(new Date("2028-01-01T14:59:59Z"));
    expect(new X509Certificate(certificate).subject).toMatch(/ 2028-01$/);
  });
});
