import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { csrFromText, proofOfPossession } from "../../../../src/pki/csr.ts";
import { MalformedPemError } from "../../../../src/pki/errors.ts";
import { checkPublicKey } from "../../../../src/pki/key.ts";
import { type Answer, DeviceKey } from "../../../../src/web/browser/device-key.ts";
import { mustRun, nodeVerify, OpensslCa } from "../../../support/openssl-ca.ts";

let ca: OpensslCa;
let key: DeviceKey;
let answer: Answer;

/** The certificate of a request under this name, and its chain with the root, as the API answers. */
function issue(csr: string): Answer {
  const names = ["-subj", "/CN=desk 1 2027-12"];
  const issuer = ["-CA", ca.issuing.pem, "-CAkey", ca.issuing.key, "-set_serial", "77"];
  const request = ["-req", "-in", ca.write("request.pem", csr), "-out", ca.file("issued.pem")];
  mustRun("openssl", ["x509", ...request, ...names, ...issuer]);
  const chain = [ca.issuing.pem, ca.root.pem].map((file) => readFileSync(file, "utf8"));
  return { certificate: readFileSync(ca.file("issued.pem"), "utf8"), chain };
}

beforeAll(async () => {
  ca = new OpensslCa();
  key = await DeviceKey.make();
  answer = issue(key.csr);
});
afterAll(() => {
  ca.dispose();
});

const opened = (file: Uint8Array, password: string, ...args: readonly string[]): string =>
  mustRun("openssl", [
    "pkcs12",
    "-in",
    ca.write("device.p12", file),
    "-passin",
    `pass:${password}`,
    ...args,
  ]);

describe("DeviceKey", () => {
  it("asks for a certificate of a P-256 key that it has", () => {
    const csr = csrFromText(key.csr);
    expect(() => checkPublicKey(csr.publicKey, ["P-256"])).not.toThrow();
    expect(() => proofOfPossession(csr, nodeVerify)).not.toThrow();
  });

  it("is another one each time, and shows nothing of itself but the request", async () => {
    const other = await DeviceKey.make();
    expect(csrFromText(other.csr).spki).not.toEqual(csrFromText(key.csr).spki);
    expect(JSON.stringify(Object.entries(other))).toBe(JSON.stringify([["csr", other.csr]]));
  });

  it.for(["modern", "compatible"] as const)(
    "puts itself, its certificate and the issuer into a %s bundle, and no root",
    async (style) => {
      const { file, password } = await key.bundle(answer, style);
      expect(password).toMatch(/^(?:[A-HJ-NP-Z2-9]{4}-){4}[A-HJ-NP-Z2-9]{4}$/);
      const privateKey = opened(file, password, "-nocerts", "-nodes");
      const certificate = opened(file, password, "-clcerts", "-nokeys");
      expect(mustRun("openssl", ["pkey", "-pubout"], privateKey)).toBe(
        mustRun("openssl", ["x509", "-noout", "-pubkey"], certificate),
      );
      const all = opened(file, password, "-nokeys");
      expect(all.match(/BEGIN CERTIFICATE/g)).toHaveLength(2);
      expect(all).toMatch(/subject=.*CN = issuing\n/);
      expect(all).not.toMatch(/subject=.*CN = root\n/);
      expect(all).toContain("friendlyName: desk 1 2027-12\n");
    },
  );

  it("has a new password for each file", async () => {
    const passwords = [
      await key.bundle(answer, "compatible"),
      await key.bundle(answer, "compatible"),
    ].map(({ password }) => password);
    expect(new Set(passwords).size).toBe(2);
  });

  it("makes no file around another key's certificate", async () => {
    const other = await DeviceKey.make();
    await expect(other.bundle(answer, "modern")).rejects.toThrow("a certificate of another key");
  });

  it("says what is no certificate", async () => {
    const wrong = { ...answer, certificate: "<html>" };
    await expect(key.bundle(wrong, "modern")).rejects.toThrow(MalformedPemError);
  });
});
