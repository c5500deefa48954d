import { X509Certificate } from "node:crypto";
import { mkdirSync } from "node:fs";

import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { ask, type Said } from "../support/outside-judge.ts";
import { RelyingParty } from "../support/relying-party.ts";
import { type Certificate, type Issued, Service, type World } from "../support/service.ts";

let service: Service;
let world: World;
let party: RelyingParty;
let good: Issued;
let revoked: Issued;

beforeAll(async () => {
  service = await Service.open();
  world = await service.world();
  party = await RelyingParty.open(service);
  good = await service.issue(world);
  revoked = await service.issue(world);
  await service.revoke(revoked.serialNumber, "keyCompromise");
  await service.command("crl", "publish");
});

afterAll(async () => {
  party.dispose();
  await service.dispose();
});

async function certtool({ certificate, chain }: Certificate): Promise<Said> {
  const lists = party.write("lists.pem", await service.published("crl/bundle.pem"));
  const whole = party.write("chain.pem", certificate + (chain[0] ?? ""));
  const known = ["--load-ca-certificate", party.file("root-g1.pem"), "--load-crl", lists];
  return ask("certtool", ["--verify", ...known, "--infile", whole]);
}

function ocsptool(certificate: Certificate): Promise<Said> {
  const issuer = ["--load-issuer", party.file("issuing-g1.pem")];
  const files = [...issuer, "--load-cert", party.leaf(certificate)];
  const trust = ["--load-trust", party.file("issuing-g1.pem"), "--nonce"];
  return ask("ocsptool", [`--ask=${service.vaUrl}/ocsp`, ...files, ...trust]);
}

describe("what the running service publishes, judged by others", () => {
  it("openssl verify with strict checks and all lists: the good one passes", async () => {
    expect(await party.verify(good)).toMatchObject({ code: 0 });
  });

  it("openssl verify with strict checks and all lists: the revoked one does not", async () => {
    const { code, text } = await party.verify(revoked);
    expect(code).not.toBe(0);
    expect(text).toContain("error 23 at 0 depth lookup: certificate revoked");
  });

  it("openssl ocsp over HTTP", async () => {
    expect(await party.ocsp(good)).toBe("good");
    expect(await party.ocsp(revoked)).toBe("revoked");
  });

  it("openssl ocsp asks for the issuing CA, too", async () => {
    const question = ["-issuer", party.file("root-g1.pem"), "-cert", party.file("issuing-g1.pem")];
    const where = ["-CAfile", party.file("root-g1.pem"), "-url", `${service.vaUrl}/ocsp`];
    const { text } = await ask("openssl", ["ocsp", ...question, ...where]);
    expect(text).toContain("Response verify OK");
    expect(text).toContain("issuing-g1.pem: good");
  });

  it("GnuTLS certtool with the lists: the good one passes", async () => {
    const { code, text } = await certtool(good);
    expect(text).toContain("Chain verification output: Verified.");
    expect(code).toBe(0);
  });

  it("GnuTLS certtool with the lists: the revoked one does not", async () => {
    const { code, text } = await certtool(revoked);
    expect(text).toMatch(/Chain verification output: .*revoked/i);
    expect(code).not.toBe(0);
  });

  it("GnuTLS ocsptool over HTTP, with a nonce", async () => {
    const answers = [await ocsptool(good), await ocsptool(revoked)].map(({ text }) => text);
    for (const text of answers) expect(text).toMatch(/Verifying OCSP Response: Success/);
    expect(answers[0]).toMatch(/Certificate Status: good/);
    expect(answers[1]).toMatch(/Certificate Status: revoked/);
  });
});

describe.for(["modern", "compatible"] as const)("the API's PKCS#12 bundle, %s", (bundle) => {
  let certificate: Certificate;
  let file: string;
  let password: string;

  beforeAll(async () => {
    const { accountId, deviceId } = world;
    const call = { body: { accountId, deviceId, bundle } };
    certificate = await service.must<Certificate>("POST", "/v1/certificates", call);
    password = certificate.pkcs12?.password ?? "";
    const data = Buffer.from(certificate.pkcs12?.data ?? "", "base64");
    file = party.write(`${bundle}.p12`, data);
  });

  /** The SHA-256 fingerprint of the certificate, as programs print it. */
  const fingerprint = (): string => new X509Certificate(certificate.certificate).fingerprint256;

  it("openssl opens it, and it holds the key of this very certificate", async () => {
    const pass = ["-passin", `pass:${password}`];
    const opened = await ask("openssl", ["pkcs12", "-in", file, "-nodes", ...pass]);
    expect(opened.code).toBe(0);
    const pem = party.write(`${bundle}.pem`, opened.text);
    const key = await ask("openssl", ["pkey", "-in", pem, "-pubout"]);
    const own = await ask("openssl", ["x509", "-in", party.leaf(certificate), "-noout", "-pubkey"]);
    expect(key.text).toBe(own.text);
    expect(opened.text.match(/BEGIN CERTIFICATE/g)).toHaveLength(2);
  });

  it("NSS pk12util imports it", async () => {
    const database = party.file(`nss-${bundle}`);
    mkdirSync(database);
    const where = ["-d", `sql:${database}`];
    await ask("certutil", ["-N", ...where, "--empty-password"]);
    const imported = await ask("pk12util", ["-i", file, "-W", password, "-K", "", ...where]);
    expect(imported).toMatchObject({ code: 0 });
    expect((await ask("certutil", ["-K", ...where])).text).toMatch(/< 0> ec\s/);
  });

  it("Java's keytool reads it", async () => {
    const store = ["-storetype", "PKCS12", "-keystore", file, "-storepass", password];
    const { code, text } = await ask("keytool", ["-list", "-v", ...store]);
    expect(text).toContain("PrivateKeyEntry");
    expect(text).toContain(fingerprint());
    expect(code).toBe(0);
  });

  it("GnuTLS certtool reads it", async () => {
    const how = ["--p12-info", "--inder", "--infile", file, "--password", password];
    const { code, text } = await ask("certtool", how);
    expect(text.match(/BEGIN CERTIFICATE/g)).toHaveLength(2);
    expect(code).toBe(0);
  });

  it("curl makes a handshake with it, and Suido's own listener knows the device", async () => {
    const trust = ["--cacert", party.file("root-g1.pem")];
    const own = ["--cert-type", "P12", "--cert", `${file}:${password}`];
    const url = `${service.instance.urls.mtls}/v1/whoami`;
    const { text } = await ask("curl", ["--silent", "--show-error", ...trust, ...own, url]);
    expect(JSON.parse(text)).toMatchObject({
      serialNumber: certificate.serialNumber,
      deviceId: world.deviceId,
      accountId: world.accountId,
    });
  });

  it("curl asks with it, as a machine's script does, whether it is time to renew: not yet, and at once when ordered", async () => {
    const trust = ["--cacert", party.file("root-g1.pem")];
    const own = ["--cert-type", "P12", "--cert", `${file}:${password}`];
    const url = `${service.instance.urls.mtls}/v1/renewal`;
    const askRenewal = async (): Promise<object> => {
      const { text } = await ask("curl", ["--silent", ...trust, ...own, "--json", "{}", url]);
      return JSON.parse(text) as object;
    };
    expect(await askRenewal()).toEqual({ isDue: false, renewFrom: expect.any(String) as string });
    await service.must("POST", `/v1/certificates/${certificate.serialNumber}/renew-now`, {
      body: { reason: "incident" },
    });
    expect(await askRenewal()).toMatchObject({
      isDue: true,
      secret: expect.stringMatching(/^[0-9a-f]{32}$/) as string,
    });
  });
});
