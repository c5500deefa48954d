import {
  hash,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
  sign,
  verify,
  createPublicKey,
} from "node:crypto";
import { ApprovedTbs } from "../../src/pki/approved.ts";
import { buildTbs, type IssuerFacts, type TbsRequest } from "../../src/pki/certificate.ts";
import type { Digest, Verify } from "../../src/pki/crypto.ts";
import { keyIdentifier } from "../../src/pki/key.ts";
import { encodeName } from "../../src/pki/name.ts";
import { createProfile, type Profile, type ProfileFields } from "../../src/pki/profile.ts";
import { newSerial } from "../../src/pki/serial.ts";

/** Certificates for tests: the six profiles as docs/decisions.md has them, keys, and a small hierarchy. */

export const digest: Digest = (name, bytes) => hash(name, bytes, "buffer");

const HASHES: Record<string, string> = {
  SHA256: "sha256",
  SHA384: "sha384",
  SHA512: "sha512",
  sha256: "sha256",
  sha384: "sha384",
  sha512: "sha512",
};

// oxlint-disable-next-line max-params -- the type's
export const verifySignature: Verify = (spki, algorithm, data, signature) => {
  try {
    const key = createPublicKey({ key: Buffer.from(spki), format: "der", type: "spki" });
    const hashName = HASHES[/sha(?:256|384|512)/i.exec(algorithm)?.[0] ?? ""];
    return verify(hashName, data, key, signature);
  } catch {
    return false;
  }
};

const leaf = { policies: [], ocspNoCheck: false, ceilingPerHour: 100 } as const;

export const PROFILE_FIELDS = {
  root: {
    ...leaf,
    name: "root",
    basicConstraints: { ca: true, pathLength: 1 },
    keyUsage: ["keyCertSign", "cRLSign"],
    extendedKeyUsage: [],
    subjectAlternativeName: "none",
    crlDistributionPoint: "none",
    authorityInformationAccess: [],
    keys: ["P-384", "P-256"],
    validity: { kind: "years", count: 20 },
  },
  issuing: {
    ...leaf,
    name: "issuing",
    basicConstraints: { ca: true, pathLength: 0 },
    keyUsage: ["keyCertSign", "cRLSign"],
    extendedKeyUsage: ["clientAuth", "serverAuth", "OCSPSigning"],
    policies: ["2.5.29.32.0"],
    subjectAlternativeName: "none",
    crlDistributionPoint: "issuer",
    authorityInformationAccess: ["ocsp", "caIssuers"],
    keys: ["P-256"],
    validity: { kind: "years", count: 5 },
  },
  rootOcsp: {
    ...leaf,
    name: "root-ocsp",
    basicConstraints: { ca: false },
    keyUsage: ["digitalSignature"],
    extendedKeyUsage: ["OCSPSigning"],
    subjectAlternativeName: "none",
    crlDistributionPoint: "none",
    authorityInformationAccess: [],
    ocspNoCheck: true,
    keys: ["P-256"],
    validity: { kind: "months", count: 13 },
  },
  ocsp: {
    ...leaf,
    name: "ocsp",
    basicConstraints: { ca: false },
    keyUsage: ["digitalSignature"],
    extendedKeyUsage: ["OCSPSigning"],
    subjectAlternativeName: "none",
    crlDistributionPoint: "none",
    authorityInformationAccess: [],
    ocspNoCheck: true,
    keys: ["P-256"],
    validity: { kind: "days", count: 14 },
  },
  server: {
    ...leaf,
    name: "server",
    basicConstraints: { ca: false },
    keyUsage: ["digitalSignature"],
    extendedKeyUsage: ["serverAuth"],
    subjectAlternativeName: "dns",
    crlDistributionPoint: "shard",
    authorityInformationAccess: ["ocsp", "caIssuers"],
    keys: ["P-256"],
    validity: { kind: "days", count: 90 },
  },
  device: {
    ...leaf,
    name: "device-client",
    basicConstraints: { ca: false },
    keyUsage: ["digitalSignature"],
    extendedKeyUsage: ["clientAuth"],
    subjectAlternativeName: "device",
    crlDistributionPoint: "shard",
    authorityInformationAccess: ["ocsp", "caIssuers"],
    keys: ["P-256", "P-384", "RSA-2048", "RSA-3072"],
    validity: { kind: "months", count: 13, endOfDay: true },
  },
} as const satisfies Record<string, ProfileFields>;

export const profiles: Record<keyof typeof PROFILE_FIELDS, Profile> = {
  root: createProfile(PROFILE_FIELDS.root),
  issuing: createProfile(PROFILE_FIELDS.issuing),
  rootOcsp: createProfile(PROFILE_FIELDS.rootOcsp),
  ocsp: createProfile(PROFILE_FIELDS.ocsp),
  server: createProfile(PROFILE_FIELDS.server),
  device: createProfile(PROFILE_FIELDS.device),
};

export interface Key {
  readonly spki: Uint8Array;
  readonly privateKey: KeyObject;
}

export function ecKey(namedCurve: "P-256" | "P-384" | "P-521" = "P-256"): Key {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve });
  return { privateKey, spki: publicKey.export({ format: "der", type: "spki" }) };
}

export function rsaKey(modulusLength: number): Key {
  const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength });
  return { privateKey, spki: publicKey.export({ format: "der", type: "spki" }) };
}

export const NOW = new Date("2026-11-21T03:00:00Z");
const DAY_MS = 86_400_000;
export const daysFromNow = (days: number): Date => new Date(NOW.getTime() + days * DAY_MS);

const VA = "http://va.example.jp";

export const DEVICE_URI = "spiffe://suido.example.jp/device/0b0d7f0e-43a1-4b5e-9a54-9f6d3f2f6c11";

export interface Authority {
  readonly key: Key;
  readonly facts: IssuerFacts;
  readonly certificate: Uint8Array;
}

/** Builds, approves and signs. */
export function certify(request: TbsRequest, issuerKey: KeyObject): Uint8Array {
  const hashName = request.issuer.signatureAlgorithm === "ecdsa-with-SHA384" ? "sha384" : "sha256";
  return ApprovedTbs.approve(buildTbs(request, digest), request, digest).signWith((tbs) =>
    sign(hashName, tbs, issuerKey),
  );
}

export function createRoot(curve: "P-256" | "P-384" = "P-384"): Authority {
  const key = ecKey(curve);
  const subject = encodeName([
    { type: "C", value: "JP" },
    { type: "O", value: "水道テスト" },
    { type: "CN", value: "Suido Test Root G1" },
  ]);
  const facts: IssuerFacts = {
    subject,
    keyIdentifier: keyIdentifier(key.spki, digest),
    signatureAlgorithm: curve === "P-384" ? "ecdsa-with-SHA384" : "ecdsa-with-SHA256",
    urls: { crl: `${VA}/crl/root-g1.crl`, ocsp: `${VA}/ocsp`, caIssuers: `${VA}/ca/root-g1.cer` },
  };
  const notAfter = daysFromNow(7300);
  const request: TbsRequest = {
    profile: profiles.root,
    serial: newSerial(randomBytes),
    issuer: facts,
    subject,
    spki: key.spki,
    notBefore: daysFromNow(-1),
    notAfter,
  };
  return { key, facts: { ...facts, notAfter }, certificate: certify(request, key.privateKey) };
}

export function createIssuing(root: Authority): Authority {
  const key = ecKey("P-256");
  const subject = encodeName([
    { type: "C", value: "JP" },
    { type: "O", value: "水道テスト" },
    { type: "CN", value: "Suido Test Issuing G1" },
  ]);
  const notAfter = daysFromNow(1826);
  const request: TbsRequest = {
    profile: profiles.issuing,
    serial: newSerial(randomBytes),
    issuer: root.facts,
    subject,
    spki: key.spki,
    notBefore: daysFromNow(-1),
    notAfter,
  };
  const facts: IssuerFacts = {
    subject,
    keyIdentifier: keyIdentifier(key.spki, digest),
    signatureAlgorithm: "ecdsa-with-SHA256",
    notAfter,
    urls: {
      crl: `${VA}/crl/issuing-g1.crl`,
      ocsp: `${VA}/ocsp`,
      caIssuers: `${VA}/ca/issuing-g1.cer`,
    },
  };
  return { key, facts, certificate: certify(request, root.key.privateKey) };
}

/** What a device's certificate from this issuer is promised to be. */
export function deviceRequest(issuer: Authority, spki: Uint8Array = ecKey().spki): TbsRequest {
  return {
    profile: profiles.device,
    serial: newSerial(randomBytes),
    issuer: issuer.facts,
    subject: encodeName([{ type: "CN", value: "受付1号機 2027-12" }]),
    spki,
    notBefore: daysFromNow(-1),
    notAfter: daysFromNow(395),
    deviceUri: DEVICE_URI,
    crlUrl: `${VA}/crl/issuing-g1-0a.crl`,
  };
}

export function serverRequest(issuer: Authority): TbsRequest {
  return {
    profile: profiles.server,
    serial: newSerial(randomBytes),
    issuer: issuer.facts,
    subject: encodeName([{ type: "CN", value: "localhost" }]),
    spki: ecKey().spki,
    notBefore: daysFromNow(-1),
    notAfter: daysFromNow(90),
    dnsNames: ["localhost", "*.check.localhost"],
    crlUrl: `${VA}/crl/issuing-g1-0b.crl`,
  };
}

/** A responder's delegate, by either CA. */
export function responderRequest(issuer: Authority, profile: Profile): TbsRequest {
  return {
    profile,
    serial: newSerial(randomBytes),
    issuer: issuer.facts,
    subject: encodeName([{ type: "CN", value: "Suido Test OCSP" }]),
    spki: ecKey().spki,
    notBefore: daysFromNow(-1),
    notAfter: daysFromNow(14),
  };
}
