import { concat, equal, put, utf8Bytes } from "./bytes.ts";
import type { Digest } from "./crypto.ts";
import {
  bitString,
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
  time,
  tlvLength,
  unsignedInteger,
  writeHeader,
} from "./der.ts";
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

/** RFC 5280 §4.2.1.6; critical where the subject is empty, because then it is the only name. */
function subjectAltName(request: TbsRequest): Uint8Array {
  const isNameless = request.subject.length <= 2;
  const add = isNameless ? criticalExtension : extension;
  switch (request.profile.subjectAlternativeName) {
    case "device":
      return add(
        "subjectAltName",
        sequence(uri(demand(request.deviceUri, request.profile, "the device's URI"))),
      );
    case "dns":
      return add(
        "subjectAltName",
        sequence(...demand(request.dnsNames, request.profile, "host names").map(dnsName)),
      );
    case "none":
      return NOTHING;
  }
}

/** RFC 5280 §4.2.1.13: one DistributionPoint with one URI in its fullName. */
function distributionPoints(request: TbsRequest): Uint8Array {
  const { crlDistributionPoint } = request.profile;
  if (crlDistributionPoint === "none") return NOTHING;
  const url =
    crlDistributionPoint === "shard"
      ? demand(request.crlUrl, request.profile, "the address of the shard")
      : demand(request.issuer.urls, request.profile, "the issuer's addresses").crl;
  return extension("cRLDistributionPoints", sequence(sequence(context(0, context(0, uri(url))))));
}

function total(parts: readonly Uint8Array[]): number {
  let length = 0;
  for (const part of parts) length += part.length;
  return length;
}

/** `SEQUENCE { fields…, [3] { SEQUENCE { extensions… } } }` in one buffer: nothing is copied twice on the issue path. */
function assembleTbs(fields: readonly Uint8Array[], extensions: readonly Uint8Array[]): Uint8Array {
  const listLength = total(extensions);
  const taggedLength = tlvLength(listLength);
  const length = total(fields) + tlvLength(taggedLength);
  const out = new Uint8Array(tlvLength(length));
  let at = writeHeader(out, 0, { tag: TAG.sequence, length });
  for (const field of fields) at = put(out, at, field);
  at = writeHeader(out, at, { tag: EXTENSIONS_TAG, length: taggedLength });
  at = writeHeader(out, at, { tag: TAG.sequence, length: listLength });
  for (const part of extensions) at = put(out, at, part);
  return out;
}

/** The TBSCertificate of a request (RFC 5280 §4.1). Throws InvalidProfileError when the request lacks what its profile demands. */
export function buildTbs(request: TbsRequest, digest: Digest): Uint8Array {
  const { profile, serial, issuer, subject, spki, notBefore, notAfter } = request;
  const fixed = fixedExtensions(profile, issuer);
  const ownIdentifier = keyIdentifier(spki, digest);
  const fields = [
    VERSION_3,
    unsignedInteger(serialBytes(serial)),
    ALGORITHM_IDENTIFIERS[issuer.signatureAlgorithm],
    issuer.subject,
    sequence(time(notBefore), time(notAfter)),
    subject,
    spki,
  ];
  return assembleTbs(fields, [
    // RFC 5280 §4.2.1.1: only a certificate that its own key signs may leave it out, and a root's does.
    equal(issuer.keyIdentifier, ownIdentifier) ? NOTHING : fixed.authorityKeyIdentifier,
    extension("subjectKeyIdentifier", octetString(ownIdentifier)),
    fixed.others,
    subjectAltName(request),
    distributionPoints(request),
  ]);
}

/** The Certificate: what was signed, with what, and the signature (RFC 5280 §4.1.1). */
export function assembleCertificate(
  tbs: Uint8Array,
  signatureAlgorithm: SignatureAlgorithm,
  signature: Uint8Array,
): Uint8Array {
  return sequence(tbs, ALGORITHM_IDENTIFIERS[signatureAlgorithm], bitString(signature));
}
