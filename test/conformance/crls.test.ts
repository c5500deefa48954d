import "reflect-metadata";
import { X509Certificate as PeculiarCertificate, X509Crl, cryptoProvider } from "@peculiar/x509";
import { readFileSync } from "node:fs";
import { webcrypto } from "node:crypto";
import { Certificate, CertificateRevocationList, CryptoEngine, setEngine } from "pkijs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { checkCrl, type ExpectedCrl } from "../../src/pki/crl-check.ts";
import { CrlEntries } from "../../src/pki/crl-entries.ts";
import { readCrl } from "../../src/pki/crl-reader.ts";
import { buildCrlTbs, type CrlTemplate } from "../../src/pki/crl.ts";
import { REASON_CODES, type ReasonCode } from "../../src/pki/revocation-reason.ts";
import { parseSerial } from "../../src/pki/serial.ts";
import { assembleSigned } from "../../src/pki/signed.ts";
import {
  ECDSA_SHA256,
  OpensslCa,
  mustRun,
  nodeVerify,
  run,
  type Party,
} from "../support/openssl-ca.ts";

const SHARD = "http://127.0.0.1:8080/crl/issuing-g1-00.crl";
const MINUTE = 60_000;
const DAY = 1440 * MINUTE;
const now = new Date(Math.floor(Date.now() / 1000) * 1000);
const ago = (milliseconds: number): Date => new Date(now.getTime() - milliseconds);

let ca: OpensslCa;
let good: Party;
let revoked: Party;
let sharded: Party;
let shardedRevoked: Party;

beforeAll(() => {
  ca = new OpensslCa();
  good = ca.leaf("good");
  revoked = ca.leaf("revoked");
  sharded = ca.leaf("sharded", `crlDistributionPoints=URI:${SHARD}\n`);
  shardedRevoked = ca.leaf("sharded-revoked", `crlDistributionPoints=URI:${SHARD}\n`);
});

afterAll(() => {
  ca.dispose();
});

function entriesOf(list: readonly (readonly [serial: string, reason: ReasonCode])[]): CrlEntries {
  const revokedAt = ago(60 * MINUTE);
  return CrlEntries.of(
    list.map(([serial, reason]) => ({ serial: parseSerial(serial), revokedAt, reason })),
  );
}

function signedCrl(issuer: Party, changes: Partial<CrlTemplate> = {}): Uint8Array {
  const tbs = buildCrlTbs({
    issuerName: issuer.subject,
    issuerKeyIdentifier: issuer.keyIdentifier,
    signatureAlgorithm: ECDSA_SHA256,
    number: 1_795_262_400_000_001n,
    thisUpdate: ago(5 * MINUTE),
    nextUpdate: new Date(now.getTime() + 7 * DAY),
    entries: CrlEntries.of(),
    ...changes,
  });
  return assembleSigned(tbs, ECDSA_SHA256, issuer.sign(tbs));
}

/** Both lists that OpenSSL wants for one chain, in one PEM file. */
function bundle(name: string, issuingCrl: Uint8Array): string {
  const pems = [signedCrl(ca.root), issuingCrl].map((der, index) =>
    mustRun("openssl", ["crl", "-inform", "DER", "-in", ca.write(`${name}-${index}.crl`, der)]),
  );
  return ca.write(`${name}.pem`, pems.join(""));
}

const opensslVerify = (crls: string, leaf: Party): string =>
  run("openssl", [
    "verify",
    "-x509_strict",
    "-crl_check_all",
    "-CAfile",
    ca.root.pem,
    "-untrusted",
    ca.issuing.pem,
    "-CRLfile",
    crls,
    leaf.pem,
  ]).text;

function gnutlsVerify(crls: string, leaf: Party): string {
  const chain = [leaf, ca.issuing, ca.root].map(({ pem }) => readFileSync(pem, "utf8")).join("");
  const infile = ca.write(`${leaf.serial}.chain`, chain);
  return run("certtool", [
    "--verify",
    "--load-ca-certificate",
    ca.root.pem,
    "--load-crl",
    crls,
    "--infile",
    infile,
  ]).text;
}

const REASONS = Object.values(REASON_CODES);
const serialOf = (index: number): string => `42${index.toString(16).padStart(30, "0")}`;
const SIZES = [0, 1, 300];
const sized = (size: number): CrlEntries =>
  entriesOf(
    Array.from(
      { length: size },
      (_, i) => [serialOf(i), REASONS[i % REASONS.length] ?? 0] as const,
    ),
  );

describe("R01 R02 R03 R04 R06 R12 outside readers accept our lists", () => {
  it.for(SIZES)("OpenSSL, %d entries", (size) => {
    const file = ca.write("list.crl", signedCrl(ca.issuing, { entries: sized(size) }));
    const text = mustRun("openssl", [
      "crl",
      "-inform",
      "DER",
      "-in",
      file,
      "-noout",
      "-text",
      "-verify",
      "-CAfile",
      ca.issuing.pem,
    ]);
    expect(text).toContain("verify OK");
    expect(text).toContain("Version 2 (0x1)");
    expect(text).toContain("X509v3 CRL Number: \n                1795262400000001");
    expect(text.match(/Serial Number:/g) ?? []).toHaveLength(size);
    expect(text.match(/CRL Reason Code/g) ?? []).toHaveLength(
      size - Math.ceil(size / REASONS.length),
    );
    expect(text.includes("No Revoked Certificates")).toBe(size === 0);
  });

  it.for(SIZES)("GnuTLS, %d entries", (size) => {
    const file = ca.write("list.crl", signedCrl(ca.issuing, { entries: sized(size) }));
    const text = mustRun("certtool", ["--crl-info", "--inder", "--infile", file]);
    expect(text).toContain("Version: 2");
    expect(text).toContain(
      `Revoked certificates (${size})`.replace(
        "Revoked certificates (0)",
        "No revoked certificates",
      ),
    );
  });

  it.for(SIZES)("Java, %d entries", (size) => {
    const file = ca.write("list.crl", signedCrl(ca.issuing, { entries: sized(size) }));
    const text = mustRun("keytool", ["-printcrl", "-file", file]);
    expect(text).toContain("X.509 CRL v2");
    expect(text.match(/] SerialNumber: /g) ?? []).toHaveLength(size);
  });

  it.for(SIZES)("@peculiar/x509, %d entries", async (size) => {
    cryptoProvider.set(webcrypto as never);
    const crl = new X509Crl(signedCrl(ca.issuing, { entries: sized(size) }));
    const issuer = new PeculiarCertificate(ca.issuing.der);
    expect(await crl.verify({ publicKey: issuer })).toBe(true);
    expect(crl.entries.map(({ reason, serialNumber }) => [serialNumber, reason ?? 0])).toEqual(
      Array.from({ length: size }, (_, i) => [serialOf(i), REASONS[i % REASONS.length]]),
    );
  });

  it.for(SIZES)("pkijs, %d entries", async (size) => {
    setEngine("node", new CryptoEngine({ name: "node", crypto: webcrypto as never }));
    const der = signedCrl(ca.issuing, { entries: sized(size) });
    const crl = CertificateRevocationList.fromBER(der.slice().buffer);
    const issuerCertificate = Certificate.fromBER(ca.issuing.der.slice().buffer);
    expect(await crl.verify({ issuerCertificate })).toBe(true);
    expect(crl.revokedCertificates ?? []).toHaveLength(size);
  });
});

describe("R02 dates from 2050 are GeneralizedTime", () => {
  it("and OpenSSL reads them", () => {
    const nextUpdate = new Date("2051-02-03T04:05:06Z");
    const file = ca.write("late.crl", signedCrl(ca.issuing, { nextUpdate }));
    const text = mustRun("openssl", ["crl", "-inform", "DER", "-in", file, "-noout", "-text"]);
    expect(text).toContain("Next Update: Feb  3 04:05:06 2051 GMT");
  });
});

const full = (): string =>
  bundle(
    "full",
    signedCrl(ca.issuing, {
      entries: entriesOf([
        [revoked.serial, 1],
        [shardedRevoked.serial, 4],
      ]),
    }),
  );

describe("R17 a full list without distribution point", () => {
  it("OpenSSL lets the good ones pass, with and without a CRLDP", () => {
    const crls = full();
    for (const leaf of [good, sharded]) expect(opensslVerify(crls, leaf)).toContain(": OK");
  });

  it("OpenSSL refuses the revoked ones", () => {
    const crls = full();
    for (const leaf of [revoked, shardedRevoked]) {
      expect(opensslVerify(crls, leaf)).toContain("error 23 ");
    }
  });

  it("GnuTLS lets the good one pass and refuses the revoked one", () => {
    const crls = full();
    expect(gnutlsVerify(crls, good)).toContain("Chain verification output: Verified");
    expect(gnutlsVerify(crls, revoked)).toContain("revoked");
  });

  it.for(REASONS)("OpenSSL refuses reason %d", (reason) => {
    const crls = bundle(
      "reason",
      signedCrl(ca.issuing, { entries: entriesOf([[revoked.serial, reason]]) }),
    );
    expect(opensslVerify(crls, revoked)).toContain("error 23 ");
  });
});

const shard = (distributionPoint: string): string =>
  bundle(
    "shard",
    signedCrl(ca.issuing, {
      distributionPoint,
      entries: entriesOf([[shardedRevoked.serial, 1]]),
    }),
  );

describe("R10 R22 a shard", () => {
  it("is good for the certificates that name it", () => {
    const crls = shard(SHARD);
    expect(opensslVerify(crls, sharded)).toContain(": OK");
    expect(opensslVerify(crls, shardedRevoked)).toContain("error 23 ");
  });

  it("is refused for the others (which is why proxies get the full list)", () => {
    expect(opensslVerify(shard(SHARD), good)).toContain("error 44 ");
    expect(opensslVerify(shard(SHARD.replace("-00", "-01")), sharded)).toContain("error 44 ");
  });

  it("has its distribution point critical, as OpenSSL and Java see it", () => {
    const file = ca.write("shard.crl", signedCrl(ca.issuing, { distributionPoint: SHARD }));
    const text = mustRun("openssl", ["crl", "-inform", "DER", "-in", file, "-noout", "-text"]);
    expect(text).toMatch(/Issuing Distribution Point: critical\s+Full Name:\s+URI:http:\/\/127/);
    expect(mustRun("keytool", ["-printcrl", "-file", file])).toMatch(
      /ObjectId: 2\.5\.29\.28 Criticality=true/,
    );
  });
});

describe("R18 thisUpdate is set back", () => {
  it("because OpenSSL refuses one a minute ahead, and so does checkCrl", () => {
    const der = signedCrl(ca.issuing, { thisUpdate: new Date(now.getTime() + MINUTE) });
    expect(opensslVerify(bundle("ahead", der), good)).toContain("error 11 ");
    expect(checkCrl(readCrl(der), expected(), nodeVerify)).toEqual([
      expect.stringMatching(/^R18 /),
    ]);
  });
});

function expected(changes: Partial<ExpectedCrl> = {}): ExpectedCrl {
  return {
    issuerName: ca.issuing.subject,
    issuerSpki: ca.issuing.spki,
    issuerKeyIdentifier: ca.issuing.keyIdentifier,
    now,
    entries: [],
    ...changes,
  };
}

describe("R16 R17 checkCrl and the judges agree", () => {
  it("on a list of ours", () => {
    const der = signedCrl(ca.issuing, { entries: entriesOf([[revoked.serial, 1]]) });
    const entries = [{ serial: parseSerial(revoked.serial), required: true, reason: 1 }];
    expect(checkCrl(readCrl(der), expected({ entries }), nodeVerify)).toEqual([]);
    expect(checkCrl(readCrl(der), expected(), nodeVerify)).toEqual([
      expect.stringMatching(/^R17 /),
    ]);
  });

  it("on a list that another key signed", () => {
    const file = ca.write("foreign.crl", assembleForeign());
    const args = [
      "crl",
      "-inform",
      "DER",
      "-in",
      file,
      "-noout",
      "-verify",
      "-CAfile",
      ca.issuing.pem,
    ];
    expect(run("openssl", args).text).toContain("verify failure");
    expect(checkCrl(readCrl(assembleForeign()), expected(), nodeVerify)).toEqual([
      expect.stringContaining("signature"),
    ]);
  });

  it("on lists that OpenSSL makes, which may carry what ours may not", () => {
    const config = ca.write(
      "ca.cnf",
      `[ca]\ndefault_ca=d\n[d]\ndatabase=${ca.write("index.txt", `R\t301231235959Z\t261101000000Z,keyCompromise\t${revoked.serial.toUpperCase()}\tunknown\t/CN=x\n`)}\ncrlnumber=${ca.write("crlnumber", "1000\n")}\ndefault_md=sha256\ndefault_crl_days=7\ncrl_extensions=x\n[x]\nauthorityKeyIdentifier=keyid\n`,
    );
    const pem = ca.file("theirs.pem");
    mustRun("openssl", [
      "ca",
      "-config",
      config,
      "-gencrl",
      "-keyfile",
      ca.issuing.key,
      "-cert",
      ca.issuing.pem,
      "-out",
      pem,
    ]);
    mustRun("openssl", ["crl", "-in", pem, "-outform", "DER", "-out", ca.file("theirs.crl")]);
    const view = readCrl(readFileSync(ca.file("theirs.crl")));
    expect([...view.entries()]).toEqual([
      { serial: revoked.serial, reason: 1, revokedAt: new Date("2026-11-01T00:00:00Z") },
    ]);
    const entries = [{ serial: parseSerial(revoked.serial), required: true, reason: 1 }];
    const later = new Date(Date.now() + MINUTE);
    expect(checkCrl(view, expected({ entries, now: later }), nodeVerify)).toEqual([]);
  });
});

/** The issuing CA's list with the root's signature. */
function assembleForeign(): Uint8Array {
  const { tbs } = readCrl(signedCrl(ca.issuing));
  return assembleSigned(tbs, ECDSA_SHA256, ca.root.sign(tbs));
}
