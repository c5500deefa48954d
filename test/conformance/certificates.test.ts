import "reflect-metadata";
import { execFileSync, spawnSync } from "node:child_process";
import { X509Certificate } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import * as peculiar from "@peculiar/x509";
import * as pkijs from "pkijs";
import { afterAll, beforeAll, expect, it } from "vitest";
import { algorithmIdentifier, type TbsRequest } from "../../src/pki/certificate.ts";
import { parseCertificate } from "../../src/pki/certificate-view.ts";
import { parseCsr, proofOfPossession } from "../../src/pki/csr.ts";
import { keyIdentifier } from "../../src/pki/key.ts";
import { encodeName } from "../../src/pki/name.ts";
import { pemEncode } from "../../src/pki/pem.ts";
import { SHARDS, shardOf } from "../../src/pki/serial.ts";
import {
  certify,
  createIssuing,
  createRoot,
  DEVICE_URI,
  digest,
  deviceRequest,
  ecKey,
  NOW,
  profiles,
  responderRequest,
  rsaKey,
  serverRequest,
  verifySignature,
} from "../support/certificates.ts";
import { decode, encode } from "../support/der-edit.ts";

/** Our certificates before judges that nobody here wrote: OpenSSL, GnuTLS, Node, Java, @peculiar/x509 and pkijs. */

const folder = mkdtempSync(path.join(tmpdir(), "suido-certificates-"));
afterAll(() => rmSync(folder, { recursive: true }));

const file = (name: string): string => path.join(folder, name);
const hex = (bytes: ArrayBuffer | Uint8Array): string =>
  Buffer.from(bytes as Uint8Array).toString("hex");

const root = createRoot("P-384");
const issuing = createIssuing(root);
const smallRoot = createRoot("P-256");
const rsaRequest: TbsRequest = deviceRequest(issuing, rsaKey(2048).spki);
const longRequest: TbsRequest = {
  ...deviceRequest(issuing),
  subject: encodeName([{ type: "CN", value: "𠮷".repeat(64) }]),
};

const REQUESTS = {
  device: deviceRequest(issuing),
  "device-p384": deviceRequest(issuing, ecKey("P-384").spki),
  "device-rsa": rsaRequest,
  "device-long-name": longRequest,
  "device-without-subject": { ...deviceRequest(issuing), subject: encodeName([]) },
  server: serverRequest(issuing),
  ocsp: responderRequest(issuing, profiles.ocsp),
} satisfies Record<string, TbsRequest>;

type LeafName = keyof typeof REQUESTS;
const NAMES = Object.keys(REQUESTS) as LeafName[];

const leaves = Object.fromEntries(
  NAMES.map((name) => [name, certify(REQUESTS[name], issuing.key.privateKey)]),
) as Record<LeafName, Uint8Array>;
const rootDelegate = certify(responderRequest(root, profiles.rootOcsp), root.key.privateKey);

const ALL: Readonly<Record<string, Uint8Array>> = {
  ...leaves,
  root: root.certificate,
  "root-p256": smallRoot.certificate,
  issuing: issuing.certificate,
  "root-ocsp": rootDelegate,
};

beforeAll(() => {
  for (const [name, der] of Object.entries(ALL)) {
    writeFileSync(file(`${name}.pem`), pemEncode("CERTIFICATE", der));
    writeFileSync(file(`${name}.der`), der);
  }
});

const AT = `${NOW.getTime() / 1000}`;

function opensslVerify(name: string, ...more: string[]): string {
  const roots = ["-CAfile", file("root.pem"), "-untrusted", file("issuing.pem")];
  return execFileSync(
    "openssl",
    ["verify", "-x509_strict", "-attime", AT, ...roots, ...more, file(`${name}.pem`)],
    {
      stdio: ["ignore", "pipe", "pipe"],
      encoding: "utf8",
    },
  );
}

const PURPOSES: readonly (readonly [string, string])[] = [
  ["device", "sslclient"],
  ["device-p384", "sslclient"],
  ["device-rsa", "sslclient"],
  ["device-long-name", "sslclient"],
  ["device-without-subject", "sslclient"],
  ["server", "sslserver"],
  ["ocsp", "ocsphelper"],
  ["root-ocsp", "ocsphelper"],
  ["issuing", "any"],
];

it.for(PURPOSES)("C27 OpenSSL, strict, takes the path of %s for %s", ([name, purpose]) => {
  expect(opensslVerify(name, "-purpose", purpose)).toContain("OK");
});

it("C15 OpenSSL does not take a device for a server, nor a server for a device", () => {
  expect(() => opensslVerify("device", "-purpose", "sslserver")).toThrow(
    /unsuitable certificate purpose/,
  );
  expect(() => opensslVerify("server", "-purpose", "sslclient")).toThrow(
    /unsuitable certificate purpose/,
  );
});

it("C16 OpenSSL takes no certificate that a device has signed", () => {
  const device = ecKey();
  const request = deviceRequest(issuing, device.spki);
  const facts = {
    ...issuing.facts,
    subject: request.subject,
    keyIdentifier: keyIdentifier(device.spki, digest),
  };
  const forged = certify(deviceRequest({ ...issuing, facts }), device.privateKey);
  const between = certify(request, issuing.key.privateKey);
  writeFileSync(file("between.pem"), pemEncode("CERTIFICATE", between));
  writeFileSync(file("forged.pem"), pemEncode("CERTIFICATE", forged));
  expect(() => opensslVerify("forged", "-untrusted", file("between.pem"))).toThrow(
    /invalid CA certificate/,
  );
});

it.for(Object.keys(ALL))("C26 OpenSSL and GnuTLS read %s without a word", (name) => {
  expect(() =>
    execFileSync("openssl", [
      "x509",
      "-in",
      file(`${name}.der`),
      "-inform",
      "DER",
      "-noout",
      "-text",
    ]),
  ).not.toThrow();
  const { status, stderr } = spawnSync(
    "certtool",
    ["--certificate-info", "--inder", "--infile", file(`${name}.der`)],
    {
      encoding: "utf8",
    },
  );
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
});

it.for(["device", "device-p384", "device-rsa", "server", "ocsp"])(
  "C27 GnuTLS takes the path of %s, the root left out",
  (name) => {
    const chain = file(`${name}-chain.pem`);
    writeFileSync(
      chain,
      readFileSync(file(`${name}.pem`), "utf8") + readFileSync(file("issuing.pem"), "utf8"),
    );
    const text = execFileSync(
      "faketime",
      [
        "-f",
        `@${NOW.toISOString().slice(0, 19).replace("T", " ")}`,
        "certtool",
        "--verify",
        "--load-ca-certificate",
        file("root.pem"),
        "--infile",
        chain,
      ],
      { encoding: "utf8", env: { ...process.env, TZ: "UTC" }, stdio: ["ignore", "pipe", "pipe"] },
    );
    expect(text).toContain("Verified. The certificate is trusted.");
  },
);

it.for(Object.keys(ALL))("C04 the inner algorithm is the outer one in %s", (name) => {
  const { view, signatureAlgorithm } = parseCertificate(ALL[name] ?? new Uint8Array());
  expect(hex(signatureAlgorithm)).toBe(hex(view.signature));
  const isRootsOwn = ["root", "issuing", "root-ocsp"].includes(name);
  expect(hex(signatureAlgorithm)).toBe(
    hex(algorithmIdentifier(isRootsOwn ? "ecdsa-with-SHA384" : "ecdsa-with-SHA256")),
  );
});

it.for(NAMES)("C08 C12 Node sees that the issuing CA issued %s, and its fields", (name) => {
  const certificate = new X509Certificate(leaves[name]);
  const ca = new X509Certificate(issuing.certificate);
  expect(certificate.checkIssued(ca)).toBe(true);
  expect(certificate.verify(ca.publicKey)).toBe(true);
  expect(certificate.serialNumber.toLowerCase()).toBe(REQUESTS[name].serial);
  expect(new Date(certificate.validFrom)).toEqual(REQUESTS[name].notBefore);
  expect(new Date(certificate.validTo)).toEqual(REQUESTS[name].notAfter);
  expect(certificate.ca).toBe(false);
});

it("C17 C18 C19 Node reads names and addresses as they were meant", () => {
  const device = new X509Certificate(leaves.device);
  expect(device.subjectAltName).toBe(`URI:${DEVICE_URI}`);
  expect(device.infoAccess).toBe(
    "OCSP - URI:http://va.example.jp/ocsp\nCA Issuers - URI:http://va.example.jp/ca/issuing-g1.cer",
  );
  expect(new X509Certificate(leaves.server).subjectAltName).toBe(
    "DNS:localhost, DNS:*.check.localhost",
  );
});

it("C10 OpenSSL reads 64 characters of four octets in a name", () => {
  const subject = execFileSync(
    "openssl",
    ["x509", "-in", file("device-long-name.pem"), "-noout", "-subject", "-nameopt", "utf8"],
    { encoding: "utf8" },
  );
  expect(subject).toContain("𠮷".repeat(64));
});

it.for(Object.keys(ALL))(
  "C01 C20 @peculiar/x509 reads %s, and encodes it to the same bytes",
  (name) => {
    const der = ALL[name] ?? new Uint8Array();
    const certificate = new peculiar.X509Certificate(der);
    expect(hex(certificate.rawData)).toBe(hex(der));
    const types = certificate.extensions.map(({ type }) => type);
    expect(new Set(types).size).toBe(types.length);
  },
);

it.for(NAMES)("C13 C14 C15 @peculiar/x509 reads the extensions of %s", (name) => {
  const certificate = new peculiar.X509Certificate(leaves[name]);
  const authority = certificate.getExtension(peculiar.AuthorityKeyIdentifierExtension);
  const usages = certificate.getExtension(peculiar.KeyUsagesExtension);
  const purposes = certificate.getExtension(peculiar.ExtendedKeyUsageExtension);
  expect(authority?.keyId).toBe(hex(issuing.facts.keyIdentifier));
  expect(authority?.critical).toBe(false);
  expect(usages?.usages).toBe(peculiar.KeyUsageFlags.digitalSignature);
  expect(usages?.critical).toBe(true);
  expect(purposes?.usages).toHaveLength(1);
  expect(certificate.getExtension(peculiar.BasicConstraintsExtension)).toBeNull();
});

it("C12 C14 C16 @peculiar/x509 reads a root and an issuing CA", () => {
  const [top, middle] = [root.certificate, issuing.certificate].map(
    (der) => new peculiar.X509Certificate(der),
  );
  expect(top?.getExtension(peculiar.AuthorityKeyIdentifierExtension)).toBeNull();
  expect(top?.getExtension(peculiar.BasicConstraintsExtension)).toMatchObject({
    ca: true,
    pathLength: 1,
    critical: true,
  });
  expect(middle?.getExtension(peculiar.BasicConstraintsExtension)).toMatchObject({
    ca: true,
    pathLength: 0,
    critical: true,
  });
  const usages = peculiar.KeyUsageFlags.keyCertSign | peculiar.KeyUsageFlags.cRLSign;
  expect(middle?.getExtension(peculiar.KeyUsagesExtension)).toMatchObject({
    usages,
    critical: true,
  });
});

it.for(["device", "server", "ocsp"] as const)(
  "C27 pkijs builds and takes the path of %s",
  async (name) => {
    const engine = new pkijs.CertificateChainValidationEngine({
      trustedCerts: [pkijs.Certificate.fromBER(root.certificate)],
      certs: [
        pkijs.Certificate.fromBER(issuing.certificate),
        pkijs.Certificate.fromBER(leaves[name]),
      ],
      checkDate: NOW,
    });
    const { result, resultMessage } = await engine.verify();
    expect({ result, resultMessage }).toMatchObject({ result: true });
  },
);

it.for(Object.keys(ALL))("C05 Java reads %s", (name) => {
  const text = execFileSync("keytool", ["-printcert", "-file", file(`${name}.der`)], {
    encoding: "utf8",
  });
  expect(text).toContain("Version: 3");
  expect(text).not.toMatch(/Unparseable/i);
});

it("C02 C03 each serial is 16 octets, positive and its own", () => {
  const serials = NAMES.map((name) => parseCertificate(leaves[name]).view.serialNumber);
  expect(serials.every(({ length }) => length === 16)).toBe(true);
  expect(serials.every(([first = 0]) => first >= 0x40 && first < 0x80)).toBe(true);
  expect(new Set(serials.map(hex)).size).toBe(NAMES.length);
  expect(NAMES.every((name) => shardOf(REQUESTS[name].serial) < SHARDS)).toBe(true);
});

it("C24 what a request asks for besides its key does not matter", () => {
  const csr = parseCsr(
    execFileSync(
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
        "-outform",
        "DER",
        "-subj",
        "/CN=evil",
        "-addext",
        "basicConstraints=critical,CA:TRUE",
        "-addext",
        "subjectAltName=DNS:evil.example",
      ],
      { stdio: ["ignore", "pipe", "ignore"] },
    ),
  );
  proofOfPossession(csr, verifySignature);
  const certificate = certify(deviceRequest(issuing, csr.spki), issuing.key.privateKey);
  expect(Buffer.from(certificate).includes("evil")).toBe(false);
  expect(new X509Certificate(certificate).ca).toBe(false);
});

it("C26 decoded and encoded by another hand, the bytes are the same", () => {
  const others = Object.values(ALL).map((der) => hex(encode(decode(der))));
  expect(others).toEqual(Object.values(ALL).map((der) => hex(der)));
});
