import { execFileSync } from "node:child_process";
import { createPublicKey, randomUUID, X509Certificate } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeEach, describe, expect, it } from "vitest";
import type { IssueRequest } from "../../../src/ca/issuance.ts";
import { insertTenant, type Tenant } from "../../support/rows.ts";
import { addStaff, newCsr, NOW, openAppSide } from "./app-side.ts";

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

/** What OpenSSL says of the protection, which goes to stderr. */
function execInfo(files: Readonly<Record<string, Buffer>>, password: string): string {
  const folder = mkdtempSync(path.join(tmpdir(), "suido-issuance-"));
  try {
    for (const [name, bytes] of Object.entries(files))
      writeFileSync(path.join(folder, name), bytes);
    return execFileSync(
      "sh",
      [
        "-c",
        `openssl pkcs12 -in bundle.p12 -passin "pass:$1" -info -noout -legacy 2>&1`,
        "sh",
        password,
      ],
      { cwd: folder, encoding: "utf8" },
    );
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

describe("without a request", () => {
  const { csr: _, ...bare } = requestFor(
    { deviceId: "", accountId: "", pharmacyId: "", corporationId: "" },
    "",
  );
  const bundleFor = (tenant: Tenant): IssueRequest => ({
    ...bare,
    deviceId: tenant.deviceId,
    accountId: tenant.accountId,
  });

  const styles = [
    {
      platform: "windows",
      style: undefined,
      mac: /MAC: sha256/,
      cipher: /PBES2, PBKDF2, AES-256-CBC/,
    },
    {
      platform: "ios",
      style: undefined,
      mac: /MAC: sha1/,
      cipher: /pbeWithSHA1And3-KeyTripleDES-CBC/,
    },
    { platform: "ios", style: "modern", mac: /MAC: sha256/, cipher: /PBES2, PBKDF2, AES-256-CBC/ },
    {
      platform: "windows",
      style: "compatible",
      mac: /MAC: sha1/,
      cipher: /pbeWithSHA1And3-KeyTripleDES-CBC/,
    },
  ] as const;

  it.for(styles)(
    "$platform gets a bundle (asked: $style) that OpenSSL opens",
    async ({ platform, style, mac, cipher }) => {
      await admin.query("update app.device set platform = $2 where id = $1", [
        here.deviceId,
        platform,
      ]);
      const made = await issuance.issue(staff, {
        ...bundleFor(here),
        ...(style !== undefined && { bundle: style }),
      });
      expect(made.keyOrigin).toBe("server");
      expect(made).not.toHaveProperty("bundleDelivered");
      const { data = "", password = "" } = made.pkcs12 ?? {};
      const files = { "bundle.p12": Buffer.from(data, "base64") };
      const text = openssl(
        ["pkcs12", "-in", "bundle.p12", "-passin", `pass:${password}`, "-nodes", "-legacy"],
        files,
      );
      const certificates =
        text.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----\n/g) ?? [];
      // The leaf and the issuing CA, never the root.
      expect(certificates).toEqual([made.certificate, made.chain[0]]);
      const key =
        /-----BEGIN PRIVATE KEY-----[^-]+-----END PRIVATE KEY-----\n/.exec(text)?.[0] ?? "";
      expect(createPublicKey(key).equals(new X509Certificate(made.certificate).publicKey)).toBe(
        true,
      );
      expect(text).toContain(`friendlyName: corporation ${count} device 2027-12`);
      const info = execInfo(files, password);
      expect(info).toMatch(mac);
      expect(info).toMatch(cipher);
    },
  );

  it("marks the certificate as delivered, and one with a request of its own never", async () => {
    const ours = await issuance.issue(staff, bundleFor(here));
    const theirs = await issuance.issue(staff, requestFor(here));
    const delivered = await admin.query(
      "select delivered_at is not null as is_delivered from ca.issued where serial = any($1) order by key_origin",
      [[Buffer.from(ours.serialNumber, "hex"), Buffer.from(theirs.serialNumber, "hex")]],
    );
    expect(delivered).toEqual([{ is_delivered: true }, { is_delivered: false }]);
  });

  it("gives the bundle once, however often the request is repeated", async () => {
    const idempotency = { apiKeyId: staff.id, key: randomUUID(), requestHash: Buffer.alloc(32, 2) };
    const request = { ...bundleFor(here), idempotency };
    const all = await Promise.all(Array.from({ length: 10 }, () => issuance.issue(staff, request)));
    expect(new Set(all.map(({ serialNumber }) => serialNumber)).size).toBe(1);
    expect(all.filter(({ pkcs12 }) => pkcs12 !== undefined)).toHaveLength(1);
    const again = await issuance.issue(staff, request);
    expect(again).toMatchObject({ serialNumber: all[0]?.serialNumber, bundleDelivered: true });
    expect(again).not.toHaveProperty("pkcs12");
  });

  it("begins anew when the signer was away, because the private key is gone", async () => {
    const idempotency = { apiKeyId: staff.id, key: randomUUID(), requestHash: Buffer.alloc(32, 3) };
    const request = { ...bundleFor(here), idempotency };
    signer.isAway = true;
    await expect(issuance.issue(staff, request)).rejects.toThrow(
      expect.objectContaining({ code: "signer-unavailable" }),
    );
    signer.isAway = false;
    const made = await issuance.issue(staff, request);
    expect(made.pkcs12).toBeDefined();
    expect(signer.asked).toHaveLength(2);
    expect(signer.asked[0]).not.toBe(made.serialNumber);
  });
});
