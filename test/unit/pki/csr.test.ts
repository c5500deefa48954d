import { execFileSync } from "node:child_process";
import fc from "fast-check";
import { expect, it } from "vitest";
import { csrFromText, parseCsr, proofOfPossession } from "../../../src/pki/csr.ts";
import { MalformedCsrError, UnsupportedKeyError } from "../../../src/pki/errors.ts";
import { nameText } from "../../../src/pki/name.ts";
import { pemDecode, pemEncode } from "../../../src/pki/pem.ts";
import { ecKey, rsaKey, verifySignature } from "../../support/certificates.ts";
import { makeCsr, windowsCsr } from "../../support/csr.ts";
import {
  constructed,
  decode,
  type DerNode,
  descend,
  encode,
  primitive,
} from "../../support/der-edit.ts";

const p256 = ecKey();
const p384 = ecKey("P-384");
const rsa = rsaKey(2048);

it.for([
  { algorithm: "ecdsa-with-SHA256", key: p256 },
  { algorithm: "ecdsa-with-SHA384", key: p384 },
  { algorithm: "ecdsa-with-SHA512", key: p256 },
  { algorithm: "sha256WithRSAEncryption", key: rsa },
  { algorithm: "sha384WithRSAEncryption", key: rsa },
  { algorithm: "sha512WithRSAEncryption", key: rsa },
] as const)(
  "reads a request signed with $algorithm and sees the key possessed",
  ({ algorithm, key }) => {
    const csr = parseCsr(makeCsr(key, { algorithm }));
    expect(csr.signatureAlgorithm).toBe(algorithm);
    expect(Buffer.from(csr.spki)).toEqual(Buffer.from(key.spki));
    expect(() => proofOfPossession(csr, verifySignature)).not.toThrow();
  },
);

it("reads what OpenSSL asks for, with all that it wishes, and hands on the key alone", () => {
  const text = execFileSync(
    "openssl",
    [
      "req",
      "-new",
      "-newkey",
      "ec",
      "-pkeyopt",
      "ec_paramgen_curve:P-256",
      "-nodes",
      "-keyout",
      "/dev/null",
      "-subj",
      "/C=JP/CN=薬局",
      "-utf8",
      "-addext",
      "basicConstraints=critical,CA:TRUE",
      "-addext",
      "subjectAltName=DNS:evil.example",
    ],
    { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] },
  );
  const csr = csrFromText(text);
  expect(nameText(csr.subject)).toBe("CN=薬局,C=JP");
  expect(Object.keys(csr).toSorted()).toEqual([
    "publicKey",
    "signature",
    "signatureAlgorithm",
    "spki",
    "subject",
    "toBeSigned",
  ]);
  expect(() => proofOfPossession(csr, verifySignature)).not.toThrow();
});

it("reads what certreq writes, with what it tells of its machine", () => {
  const text = windowsCsr(p256);
  const csr = csrFromText(text);
  expect(() => proofOfPossession(csr, verifySignature)).not.toThrow();
  expect(csr.signatureAlgorithm).toBe("ecdsa-with-SHA256");
  const judged = execFileSync("openssl", ["req", "-verify", "-noout", "-text"], {
    input: text,
    encoding: "utf8",
    stdio: ["pipe", "pipe", "ignore"],
  });
  expect(judged).toContain("1.3.6.1.4.1.311.13.2.3");
});

it("reads both labels, and no others", () => {
  const der = Uint8Array.from(makeCsr(p256));
  expect(csrFromText(pemEncode("CERTIFICATE REQUEST", der)).spki).toEqual(parseCsr(der).spki);
  expect(csrFromText(pemEncode("NEW CERTIFICATE REQUEST", der)).spki).toEqual(parseCsr(der).spki);
  expect(() => csrFromText(pemEncode("CERTIFICATE", der))).toThrow(
    expect.objectContaining({ code: "malformed-csr" }),
  );
  expect(() => csrFromText("x".repeat(100_000))).toThrow(
    expect.objectContaining({ code: "malformed-csr" }),
  );
});

function edited(edit: (request: DerNode) => void): Uint8Array {
  const request = decode(makeCsr(p256));
  edit(request);
  return encode(request);
}

const attribute = (...values: DerNode[]): DerNode =>
  constructed(0x30, primitive(0x06, Uint8Array.of(0x2a, 3)), constructed(0x31, ...values));

it.for([
  { name: "nothing", der: new Uint8Array() },
  { name: "bytes at the end", der: Buffer.concat([makeCsr(p256), Uint8Array.of(0)]) },
  { name: "version 2", der: makeCsr(p256, { version: primitive(0x02, Uint8Array.of(1)) }) },
  {
    name: "no attributes field",
    der: edited((request) => void descend(request, 0).children.pop()),
  },
  {
    name: "one field more",
    der: edited((request) => void descend(request, 0).children.push(primitive(0x05, ""))),
  },
  {
    name: "ECDSA with NULL",
    der: edited((request) => void descend(request, 1).children.push(primitive(0x05, ""))),
  },
  {
    name: "RSA without NULL",
    der: edited(
      (request) => (descend(request, 1, 0).content = Buffer.from("2a864886f70d01010b", "hex")),
    ),
  },
  { name: "an attribute without values", der: makeCsr(p256, { attributes: [attribute()] }) },
  { name: "an attribute that is none", der: makeCsr(p256, { attributes: [primitive(0x05, "")] }) },
  {
    name: "a value that is not DER",
    der: makeCsr(p256, { attributes: [attribute(primitive(0x01, Uint8Array.of(1)))] }),
  },
  {
    name: "a broken name",
    der: makeCsr(p256, { subject: constructed(0x30, primitive(0x05, "")) }),
  },
  {
    name: "more than 16 KiB",
    der: makeCsr(p256, { attributes: [attribute(primitive(0x0c, "x".repeat(20_000)))] }),
  },
])("refuses $name", ({ der }) => {
  expect(() => parseCsr(der)).toThrow(expect.objectContaining({ code: "malformed-csr" }));
});

const EC = ["-newkey", "ec", "-pkeyopt"];

it.for([
  { name: "an Ed25519 key", options: ["-newkey", "ed25519"] },
  { name: "an RSA-PSS key", options: ["-newkey", "rsa-pss", "-pkeyopt", "rsa_keygen_bits:2048"] },
  { name: "a P-521 key", options: [...EC, "ec_paramgen_curve:P-521"] },
  { name: "a key of another curve", options: [...EC, "ec_paramgen_curve:brainpoolP256r1"] },
  { name: "ECDSA with SHA-1", options: [...EC, "ec_paramgen_curve:P-256", "-sha1"] },
  { name: "RSA with SHA-1", options: ["-newkey", "rsa:2048", "-sha1"] },
  { name: "RSA with MD5", options: ["-newkey", "rsa:2048", "-md5"] },
  {
    name: "RSA-PSS with an RSA key",
    options: ["-newkey", "rsa:2048", "-sha256", "-sigopt", "rsa_padding_mode:pss"],
  },
])("finds a request with $name well-formed, and does not take it", ({ options }) => {
  const text = execFileSync(
    "openssl",
    ["req", "-new", ...options, "-nodes", "-keyout", "/dev/null", "-subj", "/CN=x"],
    { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] },
  );
  expect(() => csrFromText(text)).toThrow(expect.objectContaining({ code: "unsupported-key" }));
});

it("refuses parameters of an unknown signature algorithm that are no DER", () => {
  const der = edited((request) => {
    descend(request, 1, 0).content = Buffer.from("2a8648ce3d0401", "hex");
    descend(request, 1).children.push(primitive(0x01, Uint8Array.of(1)));
  });
  expect(() => parseCsr(der)).toThrow(expect.objectContaining({ code: "malformed-csr" }));
});

it("refuses structures that nest for ever", () => {
  let deep = primitive(0x05, "");
  for (let i = 0; i < 100; i++) deep = constructed(0x30, deep);
  expect(() => parseCsr(makeCsr(p256, { attributes: [attribute(deep)] }))).toThrow(
    expect.objectContaining({ code: "malformed-csr" }),
  );
});

it("does not support other keys", () => {
  expect(() => parseCsr(makeCsr(ecKey("P-521")))).toThrow(
    expect.objectContaining({ code: "unsupported-key" }),
  );
});

it.for([
  { name: "another's signature", der: makeCsr(p256, { spki: decode(ecKey().spki) }) },
  { name: "an EC signature over an RSA key", der: makeCsr(p256, { spki: decode(rsa.spki) }) },
  {
    name: "a changed subject",
    der: edited(
      (request) =>
        void descend(request, 0, 1).children.push(
          ...descend(decode(pemDecode(csrPem(), "CERTIFICATE REQUEST")), 0, 1).children,
        ),
    ),
  },
  {
    name: "an empty signature",
    der: edited((request) => (descend(request, 2).content = Uint8Array.of(0))),
  },
])("sees no proof of possession in $name", ({ der }) => {
  const csr = parseCsr(der);
  expect(() => proofOfPossession(csr, verifySignature)).toThrow(
    expect.objectContaining({ code: "bad-proof-of-possession" }),
  );
});

/** A request with a subject. */
function csrPem(): string {
  const subject = constructed(
    0x30,
    constructed(
      0x31,
      constructed(0x30, primitive(0x06, Uint8Array.of(0x55, 4, 3)), primitive(0x0c, "someone")),
    ),
  );
  return pemEncode("CERTIFICATE REQUEST", makeCsr(p256, { subject }));
}

it("does not see a change of the caller's bytes afterwards", () => {
  const der = Uint8Array.from(makeCsr(p256));
  const csr = parseCsr(der);
  der.fill(0);
  expect(() => proofOfPossession(csr, verifySignature)).not.toThrow();
});

/** What reading comes to: a request, one of our two errors, or a stranger. */
function outcome(read: () => unknown): unknown {
  try {
    read();
    return "read";
  } catch (error) {
    return error instanceof MalformedCsrError || error instanceof UnsupportedKeyError
      ? "refused"
      : error;
  }
}

it("throws nothing but its two errors for any bytes", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (der) => {
      expect(outcome(() => parseCsr(der))).toBe("refused");
    }),
  );
});

it("throws nothing but its two errors for any text", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (text) => {
      expect(outcome(() => csrFromText(text))).toBe("refused");
    }),
  );
});

it("throws nothing but its two errors for changed requests", () => {
  const sources = [makeCsr(p256), makeCsr(rsa), pemDecode(csrPem(), "CERTIFICATE REQUEST")];
  const change = fc.tuple(fc.nat(), fc.nat(255));
  fc.assert(
    fc.property(
      fc.constantFrom(...sources),
      fc.array(change, { minLength: 1, maxLength: 3 }),
      (source, changes) => {
        const der = Uint8Array.from(source);
        for (const [index, octet] of changes) der[index % der.length] = octet;
        expect(["read", "refused"]).toContain(outcome(() => parseCsr(der)));
      },
    ),
    { numRuns: 2000 },
  );
});
