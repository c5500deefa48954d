import { X509Certificate } from "node:crypto";
import { writeFileSync } from "node:fs";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import type { Signer } from "../../../src/ca/signer.ts";
import { BACKDATE_MS } from "../../../src/pki/clock.ts";
import { pemEncode } from "../../../src/pki/pem.ts";
import { serialBytes } from "../../../src/pki/serial.ts";
import { mustRun } from "../../support/openssl-ca.ts";
import { TestCa } from "../../support/signer.ts";

describe("the signer", () => {
  let ca: TestCa;
  let signer: Signer;

  beforeAll(async () => {
    ca = await TestCa.create();
    signer = await ca.start();
  });
  afterAll(async () => {
    await signer.close();
    await ca.drop();
  });

  it("turns a reserved row into a certificate that OpenSSL trusts", async () => {
    const serial = await ca.reserve();
    expect(await signer.issue([serial])).toEqual([{ serial, outcome: "good" }]);
    const { der } = await ca.row(serial);
    const certificate = new X509Certificate(der);
    expect(certificate.serialNumber.toLowerCase()).toBe(serial);
    expect(certificate.subjectAltName).toBe(`URI:spiffe://suido.test/device/${ca.tenant.deviceId}`);
    const issuers = await ca.superuser.query<{ id: string; certificate: Buffer }>(
      "select id, certificate from ca.issuer order by id",
    );
    const file = (name: string, bytes: Uint8Array): string => {
      const at = path.join(ca.folder, `${name}.pem`);
      writeFileSync(at, pemEncode("CERTIFICATE", bytes));
      return at;
    };
    const [issuing, root] = issuers.map(({ id, certificate: bytes }) => file(id, bytes));
    const verified = mustRun("openssl", [
      "verify",
      "-x509_strict",
      "-purpose",
      "sslclient",
      "-CAfile",
      root ?? "",
      "-untrusted",
      issuing ?? "",
      file("leaf", der),
    ]);
    expect(verified).toContain("OK");
  });
  it("writes audit row and event with the corporation, in the same commit", async () => {
    const serial = await ca.reserve();
    await signer.issue([serial]);
    const facts = await ca.superuser.query(
      `select a.action, a.corporation_id, e.type from app.audit a join app.event e on e.subject = a.subject where a.subject = $1`,
      [`certificate/${serial}`],
    );
    expect(facts).toEqual([
      {
        action: "certificate.issued",
        corporation_id: ca.tenant.corporationId,
        type: "jp.suido.certificate.issued",
      },
    ]);
  });
  it("signs hundreds in batches, each once, whoever asks how often", async () => {
    const serials = await ca.reserveMany(150);
    const outcomes = await Promise.all([signer.issue(serials), signer.issue(serials.slice(0, 50))]);
    expect(outcomes.flat().filter(({ outcome }) => outcome !== "good")).toEqual([]);
    const [count] = await ca.superuser.query<{ n: number }>(
      "select count(*)::int as n from app.audit where action = 'certificate.issued' and subject = any($1)",
      [serials.map((serial) => `certificate/${serial}`)],
    );
    expect(count?.n).toBe(150);
  });
  it("serves who waits for one certificate before bulk work", async () => {
    const many = await ca.reserveMany(700);
    const one = await ca.reserve();
    const bulk = signer.issue(many);
    // Behind it in the queue, and answered long before it: three batches are under way or wait.
    expect(await signer.issue([one])).toEqual([{ serial: one, outcome: "good" }]);
    const [left] = await ca.superuser.query<{ n: number }>(
      "select count(*)::int as n from ca.issued where state = 'reserved'",
    );
    expect(left?.n).toBeGreaterThan(100);
    expect((await bulk).filter(({ outcome }) => outcome !== "good")).toEqual([]);
  });
  it("signs at once what was announced and nobody asks for", async () => {
    const serials = await ca.reserveMany(300);
    signer.reserved();
    await vi.waitFor(async () => {
      const [left] = await ca.superuser.query<{ n: number }>(
        "select count(*)::int as n from ca.issued where state = 'good' and serial = any($1)",
        [serials.map((serial) => Buffer.from(serialBytes(serial)))],
      );
      expect(left?.n).toBe(300);
    }, 4_000);
  });
  it("answers `good` again for a serial that is good", async () => {
    const serial = await ca.reserve();
    await signer.issue([serial]);
    const { der } = await ca.row(serial);
    expect(await signer.issue([serial])).toEqual([{ serial, outcome: "good" }]);
    expect((await ca.row(serial)).der).toEqual(der);
  });
  it.for([
    {
      name: "another profile's hash",
      columns: { profile_hash: Buffer.alloc(32) },
      finding: "the profile has changed",
    },
    {
      name: "another shard",
      columns: { shard: 16 - 1, serial: Buffer.from("40000000000000000000000000000000", "hex") },
      finding: "the shard is not the serial's",
    },
    {
      name: "another key's hash",
      columns: { spki_sha256: Buffer.alloc(32) },
      finding: "the hash is not the key's",
    },
    {
      name: "a longer life",
      columns: { not_after: new Date("2031-01-01T00:00:00Z") },
      finding: "the dates are not the profile's",
    },
    { name: "a CA's profile", columns: { profile: "issuing" }, finding: "is not for devices" },
    {
      name: "another device's URI",
      columns: { device_uri: "spiffe://suido.test/device/0b0d7f0e-43a1-4b5e-9a54-9f6d3f2f6c11" },
      finding: "the URI is not the bound device's",
    },
    { name: "no common name", columns: { common_name: "" }, finding: "CN" },
  ])("refuses $name", async ({ columns, finding }) => {
    const given = await ca.reserve(columns);
    const serial = "serial" in columns ? (columns.serial?.toString("hex") as typeof given) : given;
    const [outcome] = await signer.issue([serial]);
    expect(outcome).toMatchObject({ serial, outcome: "refused" });
    const row = await ca.row(serial);
    expect(row).toMatchObject({ state: "refused", der: null });
    expect(row.findings?.join()).toContain(finding);
  });
  it("makes an OCSP delegate and a server certificate, which the app may not ask for", async () => {
    const spki = new X509Certificate((await ca.row(await issued())).der).publicKey.export({
      format: "der",
      type: "spki",
    });
    const delegate = new X509Certificate(await signer.delegate("issuing-g1", spki));
    const server = new X509Certificate(
      await signer.serverCertificate(spki, ["localhost", "a.check.localhost"]),
    );
    expect(delegate.keyUsage).toEqual(["1.3.6.1.5.5.7.3.9"]);
    expect(Date.parse(delegate.validTo) - Date.parse(delegate.validFrom)).toBe(
      14 * 86_400_000 + BACKDATE_MS,
    );
    expect(server.subjectAltName).toBe("DNS:localhost, DNS:a.check.localhost");
  });
  it("brings a revocation into the journal before it says so", async () => {
    const serial = await issued();
    const seq = await ca.stop(serial, 1);
    await signer.journal(seq);
    expect(await signer.status()).toMatchObject({ state: "ready", journalLag: 0 });
    await expect(signer.journal(seq + 1000n)).rejects.toThrow(RangeError);
  });

  async function issued() {
    const serial = await ca.reserve();
    await signer.issue([serial]);
    return serial;
  }
});
