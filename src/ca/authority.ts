import { type Actor, type JsonObject, recordAll } from "../audit/record.ts";
import type { Authority, CaConfig } from "../config/ca-config.ts";
import { ApprovedTbs } from "../pki/approved.ts";
import { buildTbs, type IssuerFacts } from "../pki/certificate.ts";
import type { Clock } from "../pki/clock.ts";
import type { Digest, Random } from "../pki/crypto.ts";
import { keyIdentifier, spkiSha256 } from "../pki/key.ts";
import { encodeName } from "../pki/name.ts";
import { type Profile, profileHash } from "../pki/profile.ts";
import { newSerial, shardOf } from "../pki/serial.ts";
import type { NewId } from "../pki/uuid.ts";
import { validityOf } from "../pki/validity.ts";
import type { Sql } from "../storage/sql.ts";
import { ProfileUnknownError } from "./errors.ts";
import { type IssuerKind, signatureAlgorithmFor } from "./issuer.ts";
import type { IssuedEntry } from "./journal-record.ts";
import type { KeyStore, SigningKey } from "./key-store.ts";
import { insertSigned, type SignedEntry } from "./signed-row.ts";

export interface CertifyDeps {
  readonly caConfig: CaConfig;
  /** The address that is written into everything, for the life of these CAs. */
  readonly vaUrl: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly timeZone: string;
  readonly digest: Digest;
}

/** The journal's entry of a CA's own certificate. */
export type AuthorityEntry = IssuedEntry & Required<Pick<IssuedEntry, "authority">>;

/** A CA that is to be made. */
export interface AuthorityPlan {
  readonly id: string;
  readonly kind: IssuerKind;
  readonly generation: number;
  readonly authority: Authority;
  /** The state that it begins in; active where absent. */
  readonly state?: "announced";
  /** Absent for a root, which certifies itself. */
  readonly parent?: { readonly id: string; readonly facts: IssuerFacts; readonly key: SigningKey };
}

function profileOf({ caConfig }: CertifyDeps, name: string): Profile {
  const profile = caConfig.profiles.get(name);
  if (profile === undefined) throw new ProfileUnknownError(`there is no profile "${name}"`);
  return profile;
}

/** A half-done ceremony has left a key that nothing was signed for: it is as good as a new one. */
export async function keyOf(
  { id, kind, authority }: AuthorityPlan,
  keyStore: KeyStore,
): Promise<SigningKey> {
  if (await keyStore.has(id)) return keyStore.open(id, kind);
  return keyStore.generate({ id, purpose: kind, kind: authority.key });
}

/** Builds, lints and signs a CA's certificate. Throws BeyondIssuerError where it would outlive the one above it. */
export function certifyAuthority(
  plan: AuthorityPlan,
  key: SigningKey,
  deps: CertifyDeps,
): AuthorityEntry {
  const { clock, random, timeZone, digest, caConfig, vaUrl } = deps;
  const { id, kind, generation, authority, parent, state } = plan;
  const profile = profileOf(deps, authority.profile);
  const commonName = `${authority.commonName} G${generation}`;
  const subject = encodeName([
    { type: "O", value: caConfig.hierarchy.organization },
    { type: "CN", value: commonName },
  ]);
  const self: IssuerFacts = {
    subject,
    keyIdentifier: keyIdentifier(key.spki, digest),
    signatureAlgorithm: signatureAlgorithmFor(key.spki),
  };
  const issuer = parent?.facts ?? self;
  const now = clock();
  const serial = newSerial(random);
  const request = {
    profile,
    serial,
    issuer,
    subject,
    spki: key.spki,
    ...validityOf(profile, {
      now,
      timeZone,
      ...(issuer.notAfter !== undefined && { issuerNotAfter: issuer.notAfter }),
    }),
  };
  const signer = parent?.key ?? key;
  const der = ApprovedTbs.approve(buildTbs(request, digest), request, digest).signWith((tbs) =>
    signer.sign(tbs),
  );
  return {
    kind: "issued",
    serial,
    issuerId: parent?.id ?? id,
    profile: profile.name,
    profileHash: profileHash(profile, digest),
    shard: shardOf(serial),
    commonName,
    spkiSha256: spkiSha256(key.spki, digest),
    keyOrigin: "subject",
    reservedAt: now.toISOString(),
    authority: { id, kind, generation, vaUrl, ...(state !== undefined && { state }) },
    der: Buffer.from(der).toString("base64"),
  };
}

/**
 * A new CA is here: its rows, audit row and event, to be written in the commit of its journaled entry, whoever has signed
 * it. From that commit on signer, VA and mTLS listener take it up by themselves, and the worker makes its first lists. An
 * `announced` one issues nothing until it is activated; its key must lie in the key store before.
 */
export async function enrolAuthority(
  sql: Sql,
  entry: SignedEntry & AuthorityEntry,
  { digest, newId, actor = "signer" }: EnrolDeps,
): Promise<void> {
  const { serial, authority, at } = entry;
  await insertSigned(sql, entry, digest);
  const action = authority.state === "announced" ? "issuer.announced" : "issuer.created";
  const detail: JsonObject = { serial, vaUrl: authority.vaUrl };
  const subject = `issuer/${authority.id}`;
  await recordAll(sql, [{ at, actor, action, subject, detail }], newId);
}

export interface EnrolDeps {
  readonly digest: Digest;
  readonly newId: NewId;
  /** Who wanted it, for the audit log; the signer where absent. */
  readonly actor?: Actor;
}
