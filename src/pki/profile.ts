import type { Brand } from "./brand.ts";
import { toHex } from "./bytes.ts";
import { canonicalJson } from "./canonical-json.ts";
import type { Digest } from "./crypto.ts";
import { InvalidProfileError } from "./errors.ts";
import { KEY_KINDS, type KeyKind } from "./key.ts";
import {
  type AccessMethod,
  ANY_POLICY,
  KEY_PURPOSE,
  KEY_USAGES,
  type KeyPurpose,
  type KeyUsage,
} from "./oids.ts";

/** How long a certificate lives. Months and years are the calendar's, in the zone of the people concerned. */
export interface ValidityRule {
  readonly kind: "days" | "months" | "years";
  readonly count: number;
  /** To 23:59:59 of the last day there, so that nobody's certificate ends in the middle of opening hours. */
  readonly endOfDay?: boolean;
}

/** What a certificate of one kind looks like: a file of `ca-config/profiles`, once it was read. */
export interface ProfileFields {
  readonly name: string;
  readonly basicConstraints: { readonly ca: boolean; readonly pathLength?: number };
  readonly keyUsage: readonly KeyUsage[];
  readonly extendedKeyUsage: readonly KeyPurpose[];
  /** Policy OIDs in dotted form. */
  readonly policies: readonly string[];
  readonly subjectAlternativeName: "device" | "dns" | "none";
  /** `shard`: the shard of the serial, given with each request; `issuer`: the issuer's full list. */
  readonly crlDistributionPoint: "shard" | "issuer" | "none";
  readonly authorityInformationAccess: readonly AccessMethod[];
  readonly ocspNoCheck: boolean;
  readonly keys: readonly KeyKind[];
  readonly validity: ValidityRule;
  /** How many of these the signer makes in an hour at most. */
  readonly ceilingPerHour: number;
}

/** The profile of machines that stand in for a night, which the program treats in its own ways. */
export const EMERGENCY_PROFILE = "emergency";

/** A profile that holds together. Only `createProfile` makes one, and it is frozen to its depth. */
export type Profile = Brand<ProfileFields, "Profile">;

interface Rule {
  readonly broken: (fields: ProfileFields) => boolean;
  readonly says: string;
}

const hasDuplicates = (values: readonly string[]): boolean =>
  new Set(values).size !== values.length;

const hasUnknown = (values: readonly string[], known: readonly string[]): boolean =>
  values.some((value) => !known.includes(value));

/** Each field by itself. */
const FIELD_RULES: readonly Rule[] = [
  {
    broken: ({ name }) => !/^[a-z][a-z0-9]*(?:-[a-z0-9]+)*$/.test(name),
    says: "the name is not lower-case words with hyphens",
  },
  {
    broken: ({ keyUsage }) =>
      keyUsage.length === 0 || hasDuplicates(keyUsage) || hasUnknown(keyUsage, KEY_USAGES),
    says: "keyUsage names each of its bits once, and at least one (RFC 5280 §4.2.1.3)",
  },
  {
    broken: ({ extendedKeyUsage }) =>
      hasDuplicates(extendedKeyUsage) || hasUnknown(extendedKeyUsage, Object.keys(KEY_PURPOSE)),
    says: "extendedKeyUsage names each of its purposes once",
  },
  {
    broken: ({ policies }) =>
      hasDuplicates(policies) ||
      !policies.every((policy) => /^[0-2](?:\.(?:0|[1-9]\d{0,9}))+$/.test(policy)),
    says: "policies are OIDs, each once (RFC 5280 §4.2.1.4)",
  },
  {
    broken: ({ authorityInformationAccess }) => hasDuplicates(authorityInformationAccess),
    says: "an access method stands twice",
  },
  {
    broken: ({ keys }) => keys.length === 0 || hasDuplicates(keys) || hasUnknown(keys, KEY_KINDS),
    says: "keys names each allowed kind once, and at least one",
  },
  {
    broken: ({ validity: { count } }) => !Number.isInteger(count) || count < 1 || count > 36_525,
    says: "the validity is a whole number, at least 1",
  },
  {
    broken: ({ ceilingPerHour }) => !Number.isInteger(ceilingPerHour) || ceilingPerHour < 1,
    says: "the ceiling is a whole number of certificates, at least 1",
  },
];

/** The combinations that RFCs forbid, or that we do. */
const CONSISTENCY_RULES: readonly Rule[] = [
  {
    broken: ({ basicConstraints: { ca }, keyUsage }) => ca !== keyUsage.includes("keyCertSign"),
    says: "keyCertSign and CA go together (RFC 5280 §4.2.1.3, §4.2.1.9)",
  },
  {
    broken: ({ basicConstraints: { ca }, keyUsage }) => ca !== keyUsage.includes("cRLSign"),
    says: "a CA signs its own CRLs, nobody else does (stricter than RFC 5280 §4.2.1.3)",
  },
  {
    broken: ({ basicConstraints: { ca, pathLength } }) =>
      pathLength !== undefined && (!ca || !Number.isInteger(pathLength) || pathLength < 0),
    says: "pathLength is a CA's, and not negative (RFC 5280 §4.2.1.9)",
  },
  {
    broken: ({ keys, keyUsage }) =>
      keys.some((kind) => kind.startsWith("P-")) &&
      keyUsage.some((usage) => usage === "keyEncipherment" || usage === "dataEncipherment"),
    says: "an EC key enciphers nothing (RFC 8813 §3)",
  },
  {
    broken: ({ keyUsage }) =>
      !keyUsage.includes("keyAgreement") &&
      keyUsage.some((usage) => usage === "encipherOnly" || usage === "decipherOnly"),
    says: "encipherOnly and decipherOnly mean nothing without keyAgreement (RFC 5280 §4.2.1.3)",
  },
  {
    broken: ({ basicConstraints: { ca }, extendedKeyUsage }) =>
      !ca && extendedKeyUsage.length === 0,
    says: "an end entity says what its key is for (stricter than RFC 5280 §4.2.1.12)",
  },
  {
    broken: ({ basicConstraints: { ca }, extendedKeyUsage, ocspNoCheck }) =>
      !ca &&
      extendedKeyUsage.includes("OCSPSigning") &&
      (extendedKeyUsage.length > 1 || !ocspNoCheck),
    says: "an OCSP responder's key has no other purpose and is not itself checked (RFC 6960 §4.2.2.2, §4.2.2.2.1)",
  },
  {
    broken: ({ basicConstraints: { ca }, extendedKeyUsage, ocspNoCheck }) =>
      ocspNoCheck && (ca || !extendedKeyUsage.includes("OCSPSigning")),
    says: "ocspNoCheck is an OCSP responder's (RFC 6960 §4.2.2.2.1)",
  },
  {
    broken: ({ ocspNoCheck, crlDistributionPoint, authorityInformationAccess }) =>
      ocspNoCheck && (crlDistributionPoint !== "none" || authorityInformationAccess.length > 0),
    says: "who is not checked says nothing of where to check (stricter than RFC 6960 §4.2.2.2.1)",
  },
  {
    broken: ({ basicConstraints: { ca }, ocspNoCheck, crlDistributionPoint }) =>
      !ca && !ocspNoCheck && crlDistributionPoint === "none",
    says: "an end entity names the list that it would be revoked on (stricter than RFC 5280 §4.2.1.13)",
  },
  {
    broken: ({ basicConstraints: { ca }, crlDistributionPoint }) =>
      ca && crlDistributionPoint === "shard",
    says: "a CA certificate stands on the full list: clients check the whole chain",
  },
  {
    broken: ({ subjectAlternativeName, extendedKeyUsage, basicConstraints: { ca } }) =>
      (subjectAlternativeName === "device" && !extendedKeyUsage.includes("clientAuth")) ||
      (subjectAlternativeName === "dns" && !extendedKeyUsage.includes("serverAuth")) ||
      (subjectAlternativeName !== "none" && ca),
    says: "devices are clients, host names are servers', and a CA has neither",
  },
  {
    broken: ({ policies, basicConstraints: { ca } }) => !ca && policies.includes(ANY_POLICY),
    says: "anyPolicy is for CAs (stricter than RFC 5280 §4.2.1.4)",
  },
];

/** A frozen copy: what was checked is what stays, whatever the caller does with its own. */
function freeze(fields: ProfileFields): Profile {
  return Object.freeze({
    ...fields,
    basicConstraints: Object.freeze({ ...fields.basicConstraints }),
    keyUsage: Object.freeze([...fields.keyUsage]),
    extendedKeyUsage: Object.freeze([...fields.extendedKeyUsage]),
    policies: Object.freeze([...fields.policies]),
    authorityInformationAccess: Object.freeze([...fields.authorityInformationAccess]),
    keys: Object.freeze([...fields.keys]),
    validity: Object.freeze({ ...fields.validity }),
  }) as Profile;
}

/** Makes a profile of its fields. Throws InvalidProfileError with everything that is wrong at once. */
export function createProfile(fields: ProfileFields): Profile {
  const profile = freeze(fields);
  const faults = [...FIELD_RULES, ...CONSISTENCY_RULES].filter(({ broken }) => broken(profile));
  if (faults.length > 0) {
    throw new InvalidProfileError(
      `the profile "${profile.name}": ${faults.map(({ says }) => says).join("; ")}`,
    );
  }
  return profile;
}

/** The texts of profiles, which never change. */
const TEXTS = new WeakMap<Profile, Uint8Array>();

function textOf(profile: Profile): Uint8Array {
  const known = TEXTS.get(profile);
  if (known !== undefined) return known;
  const text = new TextEncoder().encode(canonicalJson(profile));
  TEXTS.set(profile, text);
  return text;
}

/** The hash by which row, journal and certificate name the profile that was used, in lower-case hex. */
export function profileHash(profile: Profile, digest: Digest): string {
  return toHex(digest("sha256", textOf(profile)));
}
