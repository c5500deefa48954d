import { ApprovedTbs } from "../pki/approved.ts";
import { equal, toHex } from "../pki/bytes.ts";
import { BACKDATE_MS } from "../pki/clock.ts";
import { buildTbs, type TbsRequest } from "../pki/certificate.ts";
import type { Digest } from "../pki/crypto.ts";
import { LintError, PkiError } from "../pki/errors.ts";
import { checkPublicKey, parsePublicKey, spkiSha256 } from "../pki/key.ts";
import { encodeName } from "../pki/name.ts";
import { type Profile, profileHash } from "../pki/profile.ts";
import { serialFromInteger, shardOf } from "../pki/serial.ts";
import { validityOf } from "../pki/validity.ts";
import type { SigningRow } from "./signing-row.ts";
import { type Issuer, shardScope, shardUrl } from "./issuer.ts";

/** A row older than this is not signed any more: its notBefore would lie too far back. It is closed instead. */
export const RESERVATION_MS = 10 * 60 * 1000;

export interface BuilderDeps {
  readonly profiles: ReadonlyMap<string, Profile>;
  readonly timeZone: string;
  /** Whose devices these are: the authority of their URIs. */
  readonly trustDomain: string;
  readonly digest: Digest;
}

/** What a row is built with. */
export interface BuildContext {
  readonly issuer: Issuer;
  readonly profile: Profile;
  readonly now: Date;
}

/** Bytes that may be signed, or why not. */
export type Built = { readonly approved: ApprovedTbs } | { readonly findings: readonly string[] };

interface Rule {
  readonly says: string;
  readonly broken: (row: SigningRow, context: BuildContext, deps: BuilderDeps) => boolean;
}

/** What a row must be before anything is built from it: the app writes rows, and the signer does not take its word. */
const ROW_RULES: readonly Rule[] = [
  {
    says: "the profile has changed since the serial was reserved",
    broken: ({ profile_hash: hash }, { profile }, { digest }) =>
      toHex(hash) !== profileHash(profile, digest),
  },
  {
    says: "the shard is not the serial's",
    broken: ({ serial, shard }) => shardOf(serialFromInteger(serial)) !== shard,
  },
  {
    says: "the hash is not the key's",
    broken: ({ spki, spki_sha256: hash }, _, { digest }) =>
      spkiSha256(spki, digest) !== toHex(hash),
  },
  {
    says: "the dates are not the profile's",
    broken: ({ not_before: notBefore, not_after: notAfter }, { profile, issuer }, { timeZone }) => {
      const now = new Date(notBefore.getTime() + BACKDATE_MS);
      const expected = validityOf(profile, { now, timeZone, issuerNotAfter: issuer.notAfter });
      return expected.notAfter.getTime() !== notAfter.getTime();
    },
  },
  {
    says: "notBefore is not the time of the reservation",
    broken: ({ not_before: notBefore }, { now }) => {
      const age = now.getTime() - BACKDATE_MS - notBefore.getTime();
      return age < -BACKDATE_MS || age > RESERVATION_MS + BACKDATE_MS;
    },
  },
  {
    says: "the certificate of a device has no binding",
    broken: ({ device_id: deviceId }, { profile }) =>
      profile.subjectAlternativeName === "device" && deviceId === null,
  },
  {
    says: "the URI is not the bound device's",
    broken: ({ device_id: deviceId, device_uri: uri }, { profile }, { trustDomain }) =>
      profile.subjectAlternativeName === "device" &&
      uri !== `spiffe://${trustDomain}/device/${deviceId}`,
  },
];

/** What the certificate of a row says. */
function tbsRequestOf(row: SigningRow, { issuer, profile }: BuildContext): TbsRequest {
  return {
    profile,
    serial: serialFromInteger(row.serial),
    issuer: issuer.facts,
    subject: encodeName([{ type: "CN", value: row.common_name }]),
    spki: row.spki,
    notBefore: row.not_before,
    notAfter: row.not_after,
    ...(row.device_uri !== null && { deviceUri: row.device_uri }),
    ...(row.dns_names !== null && { dnsNames: row.dns_names }),
    ...(profile.crlDistributionPoint === "shard" && {
      crlUrl: shardUrl(issuer.vaUrl, issuer.id, shardScope(row.shard)),
    }),
  };
}

/** Builds a row's certificate and has it linted. Findings are the row's fault, not this program's, so they are a value. */
export function buildCertificate(row: SigningRow, context: BuildContext, deps: BuilderDeps): Built {
  try {
    const broken = ROW_RULES.filter((rule) => rule.broken(row, context, deps));
    if (broken.length > 0) return { findings: broken.map(({ says }) => says) };
    checkPublicKey(parsePublicKey(row.spki), context.profile.keys);
    const request = tbsRequestOf(row, context);
    return { approved: ApprovedTbs.approve(buildTbs(request, deps.digest), request, deps.digest) };
  } catch (error) {
    if (error instanceof LintError)
      return { findings: error.findings.map(({ lint, detail }) => `${lint}: ${detail}`) };
    if (error instanceof PkiError) return { findings: [error.message] };
    throw error;
  }
}

/** Whether a key store's key is the issuer's. */
export function isKeyOf(issuer: Issuer, spki: Uint8Array): boolean {
  return equal(issuer.spki, spki);
}
