import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";

import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { ask, type Said } from "../support/outside-judge.ts";
import { pemOf } from "../support/va-hierarchy.ts";
import { nowSeconds, VaServer } from "../support/va-server.ts";

const va = new VaServer();
const folder = mkdtempSync(path.join(tmpdir(), "suido-ocsp-http-"));

function file(name: string, content: Uint8Array | string): string {
  const full = path.join(folder, name);
  writeFileSync(full, content);
  return full;
}

beforeAll(async () => {
  await va.open();
  file("root.pem", pemOf(va.ca.root.certificate));
  file("issuing.pem", pemOf(va.ca.issuing.certificate));
});
afterAll(async () => {
  await va.close();
  rmSync(folder, { recursive: true });
});

describe("outside judges over HTTP", () => {
  const device = va.ca.device();

  it("O01 O15 openssl ocsp believes good, by POST with a nonce", async () => {
    va.set(device.serial);
    const { code, text } = await openssl(file("good.pem", pemOf(device.der)));
    expect(text).toContain("Response verify OK");
    expect(text).toMatch(/good\.pem: good/);
    expect(text).not.toContain("WARNING");
    expect(code).toBe(0);
  });

  it("O02 openssl ocsp believes what came by GET, for its own request", async () => {
    va.set(device.serial);
    const [request, answer] = [path.join(folder, "request.der"), path.join(folder, "answer.der")];
    const names = ["-issuer", path.join(folder, "issuing.pem")];
    const question = [...names, "-cert", file("good.pem", pemOf(device.der)), "-no_nonce"];
    await ask("openssl", ["ocsp", ...question, "-reqout", request]);
    const text = readFileSync(request).toString("base64");
    await ask("curl", ["-sS", "-o", answer, `${va.url}/ocsp/${encodeURIComponent(text)}`]);
    const trust = [
      "-CAfile",
      path.join(folder, "root.pem"),
      "-verify_other",
      path.join(folder, "issuing.pem"),
    ];
    const said = await ask("openssl", ["ocsp", ...question, ...trust, "-respin", answer]);
    expect(said.text).toContain("Response verify OK");
    expect(said.text).toMatch(/good\.pem: good/);
  });

  it("O18 openssl ocsp hears of a revocation with its reason", async () => {
    const { der, serial } = va.ca.device();
    va.set(serial, { state: "revoked", reason: 1, revokedAt: nowSeconds() });
    const { text } = await openssl(file("revoked.pem", pemOf(der)), "-sha256");
    expect(text).toContain("Response verify OK");
    expect(text).toMatch(/revoked\.pem: revoked/);
    expect(text).toContain("keyCompromise");
  });

  it("O07 openssl ocsp hears of a certificate that we do not know", async () => {
    const { text } = await openssl(file("unknown.pem", pemOf(va.ca.device().der)), "-no_nonce");
    expect(text).toContain("Response verify OK");
    expect(text).toMatch(/unknown\.pem: unknown/);
  });

  it("O23 openssl ocsp believes the root's delegate about the issuing CA", async () => {
    va.index.set(va.ca.issuingIssuer.serial, {
      issuer: va.rootNumber,
      state: "good",
      reason: 0,
      revokedAt: 0,
    });
    const { text } = await ask("openssl", [
      "ocsp",
      "-url",
      `${va.url}/ocsp`,
      "-issuer",
      path.join(folder, "root.pem"),
      "-CAfile",
      path.join(folder, "root.pem"),
      "-cert",
      path.join(folder, "issuing.pem"),
    ]);
    expect(text).toContain("Response verify OK");
    expect(text).toMatch(/issuing\.pem: good/);
  });

  it("O12 GnuTLS ocsptool believes it", async () => {
    va.set(device.serial);
    const { code, text } = await ask("ocsptool", [
      `--ask=${va.url}/ocsp`,
      "--nonce",
      "--load-cert",
      file("device.pem", pemOf(device.der)),
      "--load-issuer",
      path.join(folder, "issuing.pem"),
    ]);
    expect(text).toContain("Verifying OCSP Response: Success");
    expect(text).toMatch(/Certificate Status: good/);
    expect(code).toBe(0);
  });
});

function openssl(certificate: string, ...more: string[]): Promise<Said> {
  const args = ["ocsp", "-url", `${va.url}/ocsp`, ...more];
  args.push("-issuer", path.join(folder, "issuing.pem"), "-CAfile", path.join(folder, "root.pem"));
  args.push("-verify_other", path.join(folder, "issuing.pem"), "-cert", certificate);
  return ask("openssl", args);
}
