import "reflect-metadata";
import { generateKeyPairSync, type KeyObject, randomBytes, sign } from "node:crypto";

import { Pkcs10CertificateRequest } from "@peculiar/x509";
import { describe, expect, it } from "vitest";

import { fromHex, toHex } from "../../../src/pki/bytes.ts";
import { buildCsr } from "../../../src/pki/csr-builder.ts";
import { parseCsr, proofOfPossession } from "../../../src/pki/csr.ts";
import { pemEncode } from "../../../src/pki/pem.ts";
import { mustRun, nodeVerify } from "../../support/openssl-ca.ts";

const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
const spki = new Uint8Array(publicKey.export({ type: "spki", format: "der" }));

const rawSignature = (key: KeyObject) => (data: Uint8Array) =>
  Promise.resolve(new Uint8Array(sign("sha256", data, { key, dsaEncoding: "ieee-p1363" })));

describe("buildCsr", () => {
  it("makes a request that we, OpenSSL and @peculiar/x509 read, with the key and nothing else in it", async () => {
    const der = await buildCsr({ spki, sign: rawSignature(privateKey) });
    const csr = parseCsr(der);
    expect(() => proofOfPossession(csr, nodeVerify)).not.toThrow();
    expect(toHex(csr.spki)).toBe(toHex(spki));
    expect(toHex(csr.subject)).toBe("3000");
    expect(
      mustRun(
        "openssl",
        ["req", "-noout", "-verify", "-text"],
        pemEncode("CERTIFICATE REQUEST", der),
      ),
    ).toMatch(/Version: 1[\s\S]*Subject: *\n[\s\S]*P-256[\s\S]*\(none\)[\s\S]*verify OK/);
    const judged = new Pkcs10CertificateRequest(new Uint8Array(der));
    expect(await judged.verify()).toBe(true);
  });

  it.for([
    { name: "small numbers", half: "0000000000000001", numbers: "020101020101" },
    { name: "a top bit", half: "80000000", numbers: "0205008000000002050080000000" },
    { name: "zeros before a top bit", half: "0000ff", numbers: "020200ff020200ff" },
  ])(
    "writes r and s as positive DER integers: $name (RFC 3279 §2.2.3)",
    async ({ half, numbers }) => {
      const der = await buildCsr({ spki, sign: () => Promise.resolve(fromHex(half + half)) });
      expect(toHex(parseCsr(der).signature)).toMatch(new RegExp(`^30..${numbers}$`));
    },
  );

  it("signs what it sends", async () => {
    const seen: Uint8Array[] = [];
    const der = await buildCsr({
      spki,
      sign: (data) => {
        seen.push(data);
        return Promise.resolve(randomBytes(64));
      },
    });
    expect(seen.map(toHex)).toEqual([toHex(parseCsr(der).toBeSigned)]);
  });
});
