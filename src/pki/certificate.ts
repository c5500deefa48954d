import { concat, equal, utf8Bytes } from "./bytes.ts";
import type { Digest } from "./crypto.ts";
import {
  boolean,
  context,
  contextPrimitive,
  integer,
  namedBits,
  nullValue,
  octetString,
  oid,
  sequence,
  TAG,
  unsignedInteger,
} from "./der.ts";
import { DerWriter } from "./der-writer.ts";
import { InvalidProfileError } from "./errors.ts";
import { keyIdentifier } from "./key.ts";
import {
  ACCESS_METHOD,
  type AccessMethod,
  EXTENSION,
  KEY_PURPOSE,
  KEY_USAGES,
  SIGNATURE_ALGORITHM,
} from "./oids.ts";
import type { Profile } from "./profile.ts";
import { type Serial, serialBytes } from "./serial.ts";
import { assembleSigned } from "./signed.ts";

/** What our CAs sign with. */
export type SignatureAlgorithm =
  | "ecdsa-with-SHA256"
  | "ecdsa-with-SHA384"
  | "sha256WithRSAEncryption";

/** The AlgorithmIdentifiers: ECDSA without parameters (RFC 5758 §3.2), RSA with NULL (RFC 4055 §5). */
const ALGORITHM_IDENTIFIERS: Record<SignatureAlgorithm, Uint8Array> = {
  "ecdsa-with-SHA256": sequence(oid(SIGNATURE_ALGORITHM["ecdsa-with-SHA256"])),
  "ecdsa-with-SHA384": sequence(oid(SIGNATURE_ALGORITHM["ecdsa-with-SHA384"])),
  sha256WithRSAEncryption: sequence(oid(SIGNATURE_ALGORITHM.sha256WithRSAEncryption), nullValue()),
};

/** The DER AlgorithmIdentifier of a signature algorithm, as certificates, CRLs and OCSP responses carry it. */
export function algorithmIdentifier(algorithm: SignatureAlgorithm): Uint8Array {
  return ALGORITHM_IDENTIFIERS[algorithm].slice();
}

/** The algorithm that a DER AlgorithmIdentifier names; undefined for one that our CAs do not sign with. */
export function signatureAlgorithmOf(identifier: Uint8Array): SignatureAlgorithm | undefined {
  const algorithms = Object.keys(ALGORITHM_IDENTIFIERS) as SignatureAlgorithm[];
  return algorithms.find((one) => equal(ALGORITHM_IDENTIFIERS[one], identifier));
}

/** Where relying parties find what an issuer publishes. */
export interface IssuerUrls {
  /** Its full list. */
  readonly crl: string;
  readonly ocsp: string;
  readonly caIssuers: string;
}

/** What a certificate says of its issuer. */
export interface IssuerFacts {
  /** The subject Name of the issuer's certificate, to be copied byte for byte (RFC 5280 §4.1.2.4). */
  readonly subject: Uint8Array;
  /** The subject key identifier of the issuer's certificate. */
  readonly keyIdentifier: Uint8Array;
  readonly signatureAlgorithm: SignatureAlgorithm;
  /** The end of the issuer's certificate; absent only while a root certifies itself. */
  readonly notAfter?: Date;
  readonly urls?: IssuerUrls;
}

/** Everything that stands in one certificate. */
export interface TbsRequest {
  readonly profile: Profile;
  readonly serial: Serial;
  readonly issuer: IssuerFacts;
  readonly subject: Uint8Array;
  readonly spki: Uint8Array;
  readonly notBefore: Date;
  readonly notAfter: Date;
  /** For a profile with the device's name: its URI. */
  readonly deviceUri?: string;
  /** For a profile with host names. */
  readonly dnsNames?: readonly string[];
  /** For a profile with a shard: the address of the serial's shard. */
  readonly crlUrl?: string;
}

const NOTHING = new Uint8Array();
const VERSION_3 = context(0, integer(2));
const TRUE = boolean(true);
/** `extensions [3] EXPLICIT`. */
const EXTENSIONS_TAG = 0xa3;

const OID_DER = Object.fromEntries(
  Object.entries(EXTENSION).map(([name, dotted]) => [name, oid(dotted)]),
) as Record<keyof typeof EXTENSION, Uint8Array>;

const ACCESS_METHOD_DER: Record<AccessMethod, Uint8Array> = {
  ocsp: oid(ACCESS_METHOD.ocsp),
  caIssuers: oid(ACCESS_METHOD.caIssuers),
};

const extension = (name: keyof typeof EXTENSION, value: Uint8Array): Uint8Array =>
  sequence(OID_DER[name], octetString(value));

const criticalExtension = (name: keyof typeof EXTENSION, value: Uint8Array): Uint8Array =>
  sequence(OID_DER[name], TRUE, octetString(value));

/** GeneralName [2] dNSName and [6] uniformResourceIdentifier, both IA5String (RFC 5280 §4.2.1.6); the lints hold them to ASCII. */
const dnsName = (name: string): Uint8Array => contextPrimitive(2, utf8Bytes(name));
const uri = (address: string): Uint8Array => contextPrimitive(6, utf8Bytes(address));

/** The value that the profile asks for, or the reason why there can be no certificate. */
function demand<T>(value: T | undefined, { name }: Profile, what: string): T {
  if (value === undefined) throw new InvalidProfileError(`the profile "${name}" needs ${what}`);
  return value;
}

/** RFC 5280 §4.2.1.3, §4.2.1.9, §4.2.1.12, §4.2.1.4. */
function profileExtensions({
  basicConstraints,
  keyUsage,
  extendedKeyUsage,
  policies,
  ocspNoCheck,
}: Profile): Uint8Array {
  const { ca, pathLength } = basicConstraints;
  const parts = [
    criticalExtension("keyUsage", namedBits(keyUsage.map((usage) => KEY_USAGES.indexOf(usage)))),
  ];
  if (ca) {
    const length = pathLength === undefined ? [] : [integer(pathLength)];
    parts.push(criticalExtension("basicConstraints", sequence(TRUE, ...length)));
  }
  if (extendedKeyUsage.length > 0) {
    parts.push(
      extension(
        "extKeyUsage",
        sequence(...extendedKeyUsage.map((purpose) => oid(KEY_PURPOSE[purpose]))),
      ),
    );
  }
  if (policies.length > 0) {
    parts.push(
      extension(
        "certificatePolicies",
        sequence(...policies.map((policy) => sequence(oid(policy)))),
      ),
    );
  }
  if (ocspNoCheck) parts.push(extension("ocspNoCheck", nullValue()));
  return concat(parts);
}

/** RFC 5280 §4.2.2.1. */
function authorityInfoAccess(profile: Profile, issuer: IssuerFacts): Uint8Array {
  const methods = profile.authorityInformationAccess;
  if (methods.length === 0) return NOTHING;
  const urls = demand(issuer.urls, profile, "the issuer's addresses");
  const descriptions = methods.map((method) =>
    sequence(ACCESS_METHOD_DER[method], uri(urls[method])),
  );
  return extension("authorityInfoAccess", sequence(...descriptions));
}

/** The extensions that one issuer puts alike into all certificates of one profile. */
interface FixedExtensions {
  readonly authorityKeyIdentifier: Uint8Array;
  readonly others: Uint8Array;
}

/** A memo, not a state: what it holds follows from issuer and profile, and a lint holds each certificate against both. */
const FIXED = new WeakMap<IssuerFacts, WeakMap<Profile, FixedExtensions>>();

function fixedExtensions(profile: Profile, issuer: IssuerFacts): FixedExtensions {
  const ofIssuer = FIXED.get(issuer) ?? new WeakMap<Profile, FixedExtensions>();
  FIXED.set(issuer, ofIssuer);
  const known = ofIssuer.get(profile);
  if (known !== undefined) return known;
  const made = {
    authorityKeyIdentifier: extension(
      "authorityKeyIdentifier",
      sequence(contextPrimitive(0, issuer.keyIdentifier)),
    ),
    others: concat([profileExtensions(profile), authorityInfoAccess(profile, issuer)]),
  };
  ofIssuer.set(profile, made);
  return made;
}

/** The GeneralNames of RFC 5280 §4.2.1.6, one behind the other. */
function alternativeNames({ profile, deviceUri, dnsNames }: TbsRequest): Uint8Array {
  switch (profile.subjectAlternativeName) {
    case "device":
      return uri(demand(deviceUri, profile, "the device's URI"));
    case "dns":
      return concat(demand(dnsNames, profile, "host names").map(dnsName));
    case "none":
      return NOTHING;
  }
}

/** The URI at which the list is that would name the certificate. */
function listAddress({ profile, crlUrl, issuer }: TbsRequest): Uint8Array {
  switch (profile.crlDistributionPoint) {
    case "shard":
      return uri(demand(crlUrl, profile, "the address of the shard"));
    case "issuer":
      return uri(demand(issuer.urls, profile, "the issuer's addresses").crl);
    case "none":
      return NOTHING;
  }
}

interface Parts {
  readonly fixed: FixedExtensions;
  readonly names: Uint8Array;
  readonly listUri: Uint8Array;
  readonly ownIdentifier: Uint8Array;
}

/** The Extensions, the last first, as a DerWriter wants it. */
function writeExtensions(
  into: DerWriter,
  { issuer, subject }: TbsRequest,
  { fixed, names, listUri, ownIdentifier }: Parts,
): void {
  let mark = into.mark;
  if (listUri !== NOTHING) {
    // RFC 5280 §4.2.1.13: one DistributionPoint with one URI in its fullName.
    into.bytes(listUri);
    for (const tag of [0xa0, 0xa0, TAG.sequence, TAG.sequence, TAG.octetString])
      into.wrap(tag, mark);
    into.bytes(OID_DER.cRLDistributionPoints);
    into.wrap(TAG.sequence, mark);
  }
  mark = into.mark;
  if (names !== NOTHING) {
    into.bytes(names);
    into.wrap(TAG.sequence, mark);
    into.wrap(TAG.octetString, mark);
    // Critical where the subject is empty, because then it is the only name.
    if (subject.length <= 2) into.bytes(TRUE);
    into.bytes(OID_DER.subjectAltName);
    into.wrap(TAG.sequence, mark);
  }
  into.bytes(fixed.others);
  mark = into.mark;
  into.bytes(ownIdentifier);
  into.wrap(TAG.octetString, mark);
  into.wrap(TAG.octetString, mark);
  into.bytes(OID_DER.subjectKeyIdentifier);
  into.wrap(TAG.sequence, mark);
  // RFC 5280 §4.2.1.1: only a certificate that its own key signs may leave it out, and a root's does.
  if (!equal(issuer.keyIdentifier, ownIdentifier)) into.bytes(fixed.authorityKeyIdentifier);
}

/** A TBSCertificate takes no more than this beside its names, its key and what its profile fixes. */
const OVERHEAD = 256;

/**
 * The TBSCertificate of a request (RFC 5280 §4.1), written in one buffer. Throws InvalidProfileError when the request
 * lacks what its profile demands.
 */
export function buildTbs(request: TbsRequest, digest: Digest): Uint8Array {
  const { profile, serial, issuer, subject, spki, notBefore, notAfter } = request;
  const names = alternativeNames(request);
  const listUri = listAddress(request);
  const fixed = fixedExtensions(profile, issuer);
  const into = new DerWriter(
    issuer.subject.length +
      subject.length +
      spki.length +
      fixed.authorityKeyIdentifier.length +
      fixed.others.length +
      names.length +
      listUri.length +
      OVERHEAD,
  );
  const all = into.mark;
  writeExtensions(into, request, {
    fixed,
    names,
    listUri,
    ownIdentifier: keyIdentifier(spki, digest),
  });
  into.wrap(TAG.sequence, all);
  into.wrap(EXTENSIONS_TAG, all);
  into.bytes(spki);
  into.bytes(subject);
  const validity = into.mark;
  into.time(notAfter.getTime());
  into.time(notBefore.getTime());
  into.wrap(TAG.sequence, validity);
  into.bytes(issuer.subject);
  into.bytes(ALGORITHM_IDENTIFIERS[issuer.signatureAlgorithm]);
  into.bytes(unsignedInteger(serialBytes(serial)));
  into.bytes(VERSION_3);
  into.wrap(TAG.sequence, all);
  return into.finish();
}

/** The Certificate: what was signed, with what, and the signature (RFC 5280 §4.1.1). */
export function assembleCertificate(
  tbs: Uint8Array,
  signatureAlgorithm: SignatureAlgorithm,
  signature: Uint8Array,
): Uint8Array {
  return assembleSigned(tbs, ALGORITHM_IDENTIFIERS[signatureAlgorithm], signature);
}
