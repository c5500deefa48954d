import { execFileSync } from "node:child_process";
import { createHash, createPrivateKey, createPublicKey } from "node:crypto";
import { expect, it } from "vitest";
import { checkRequestKey, keyOfRequest, makeRequestKey } from "../../../src/ca/request-key.ts";
import { pemEncode } from "../../../src/pki/pem.ts";
import { digest, ecKey, verifySignature } from "../../support/certificates.ts";
import { makeCsr } from "../../support/csr.ts";

const deps = { digest, verify: verifySignature };
const pem = (der: Uint8Array): string => pemEncode("CERTIFICATE REQUEST", der);

it("takes the key of a request, and only that", () => {
  const key = ecKey();
  const csr = pem(makeCsr(key));
  const wanted = keyOfRequest({ csr, allowed: ["P-256"] }, deps);
  expect(wanted).toEqual({
    spki: new Uint8Array(key.spki),
    spkiSha256: new Uint8Array(createHash("sha256").update(key.spki).digest()),
    keyOrigin: "subject",
    requestHash: createHash("sha256").update(csr).digest(),
  });
});

it("refuses a request whose sender does not hold the key", () => {
  const der = makeCsr(ecKey());
  der[der.length - 1] = (der.at(-1) ?? 0) ^ 1;
  expect(() => keyOfRequest({ csr: pem(der), allowed: ["P-256"] }, deps)).toThrow(
    expect.objectContaining({ code: "bad-proof-of-possession" }),
  );
});

it("names the kinds that the profile allows where it takes neither key nor signature", () => {
  const text = execFileSync(
    "openssl",
    ["req", "-new", "-newkey", "ed25519", "-nodes", "-keyout", "/dev/null", "-subj", "/CN=x"],
    { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] },
  );
  expect(() => keyOfRequest({ csr: text, allowed: ["P-256", "RSA-3072"] }, deps)).toThrow(
    "the key is neither EC nor RSA (allowed keys: P-256, RSA-3072)",
  );
});

it("makes a P-256 key whose halves belong together, another one each time", async () => {
  const first = await makeRequestKey(deps);
  const second = await makeRequestKey(deps);
  expect(first.spki).not.toEqual(second.spki);
  const privateKey = createPrivateKey({
    key: Buffer.from(first.pkcs8 ?? []),
    format: "der",
    type: "pkcs8",
  });
  expect(createPublicKey(privateKey).export({ format: "der", type: "spki" })).toEqual(first.spki);
  expect(privateKey.asymmetricKeyDetails).toEqual({ namedCurve: "prime256v1" });
  expect(() => checkRequestKey(first, ["P-256"])).not.toThrow();
  expect(() => checkRequestKey(first, ["RSA-2048"])).toThrow(
    expect.objectContaining({ code: "unsupported-key" }),
  );
});
