import "reflect-metadata";
import { sign, webcrypto } from "node:crypto";
import {
  AuthorityKeyIdentifierExtension,
  AuthorityInfoAccessExtension,
  CRLDistributionPointsExtension,
  ExtendedKeyUsageExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
  X509CertificateGenerator,
} from "@peculiar/x509";
import { ApprovedTbs } from "../../src/pki/approved.ts";
import { buildTbs } from "../../src/pki/certificate.ts";
import {
  createIssuing,
  createRoot,
  DEVICE_URI,
  deviceRequest,
  digest,
} from "../support/certificates.ts";
import { isInstalled, median, peerOf, print, run } from "./figures.ts";

/**
 * P4 and P5: certificates built, read back, linted and signed on one core, beside bare signatures of `openssl speed`
 * and beside the generator of `@peculiar/x509`, all by processor time. Short rounds that alternate, so that a busy
 * machine hurts all alike; the medians are printed.
 */

const ROUNDS = 5;
const ROUND_SECONDS = 0.7;
const OPENSSL_SECONDS = 2;

const root = createRoot();
const issuing = createIssuing(root);
const request = deviceRequest(issuing);

function issue(): Uint8Array {
  const tbs = buildTbs(request, digest);
  return ApprovedTbs.approve(tbs, request, digest).signWith((bytes) =>
    sign("sha256", bytes, issuing.key.privateKey),
  );
}

async function opensslSignsPerSecond(): Promise<number> {
  const said = await run("openssl", ["speed", "-seconds", `${OPENSSL_SECONDS}`, "ecdsap256"]);
  return Number(/nistp256\)\s+\S+\s+\S+\s+([\d.]+)/.exec(said)?.[1]);
}

/** Seconds of processor time that this process has used, all threads together. `openssl speed` counts the same way. */
function processorSeconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000_000;
}

function issuesPerSecond(): number {
  const start = processorSeconds();
  let count = 0;
  while (processorSeconds() - start < ROUND_SECONDS) {
    for (let i = 0; i < 200; i++) issue();
    count += 200;
  }
  return count / (processorSeconds() - start);
}

const ALGORITHM = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
const signingKey = await webcrypto.subtle.importKey(
  "pkcs8",
  issuing.key.privateKey.export({ format: "der", type: "pkcs8" }),
  ALGORITHM,
  false,
  ["sign"],
);
const publicKey = await webcrypto.subtle.importKey("spki", request.spki, ALGORITHM, true, [
  "verify",
]);

/** The same certificate by the generator: key identifiers ready-made, as ours has the issuer's. */
async function generate(): Promise<ArrayBuffer> {
  const certificate = await X509CertificateGenerator.create({
    serialNumber: request.serial,
    issuer: "CN=Suido Test Issuing G1, O=水道テスト, C=JP",
    subject: "CN=受付1号機 2027-12",
    notBefore: request.notBefore,
    notAfter: request.notAfter,
    signingAlgorithm: ALGORITHM,
    signingKey,
    publicKey,
    extensions: [
      new AuthorityKeyIdentifierExtension(Buffer.from(issuing.facts.keyIdentifier).toString("hex")),
      new SubjectKeyIdentifierExtension(Buffer.from(digest("sha1", request.spki)).toString("hex")),
      new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
      new ExtendedKeyUsageExtension(["1.3.6.1.5.5.7.3.2"]),
      new SubjectAlternativeNameExtension([{ type: "url", value: DEVICE_URI }]),
      new CRLDistributionPointsExtension([request.crlUrl ?? ""]),
      new AuthorityInfoAccessExtension({
        ocsp: [issuing.facts.urls?.ocsp ?? ""],
        caIssuers: [issuing.facts.urls?.caIssuers ?? ""],
      }),
    ],
  });
  return certificate.rawData;
}

async function generationsPerSecond(): Promise<number> {
  const start = processorSeconds();
  let count = 0;
  while (processorSeconds() - start < ROUND_SECONDS) {
    await generate();
    count++;
  }
  return count / (processorSeconds() - start);
}

issuesPerSecond();
await generationsPerSecond();
const hasOpenssl = isInstalled("openssl");
const ours: number[] = [];
const openssl: number[] = [];
const peculiar: number[] = [];
for (let round = 0; round < ROUNDS; round++) {
  ours.push(issuesPerSecond());
  if (hasOpenssl) openssl.push(await opensslSignsPerSecond());
  peculiar.push(await generationsPerSecond());
}
const figure = { value: median(ours), unit: "certificates/s" };
print({ ...figure, name: "P4-certificate", beside: peerOf("openssl-speed-ecdsap256", openssl) });
print({ ...figure, name: "P5-certificate", beside: peerOf("@peculiar/x509", peculiar) });
