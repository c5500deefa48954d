import { generateKeyPairSync } from "node:crypto";
import type { Authority, CaConfig } from "../config/ca-config.ts";
import { ApprovedTbs } from "../pki/approved.ts";
import { buildTbs, type IssuerFacts } from "../pki/certificate.ts";
import type { Verify } from "../pki/crypto.ts";
import { keyIdentifier, spkiSha256 } from "../pki/key.ts";
import { encodeName } from "../pki/name.ts";
import { type Profile, profileHash } from "../pki/profile.ts";
import { newSerial, shardOf } from "../pki/serial.ts";
import { validityOf } from "../pki/validity.ts";
import { recordAll } from "../audit/record.ts";
import type { Database } from "../storage/database.ts";
import { CeremonyError, ProfileUnknownError } from "./errors.ts";
import {
  issuerUrls,
  type IssuerKind,
  readIssuer,
  readIssuers,
  signatureAlgorithmFor,
} from "./issuer.ts";
import { IssuerKeys } from "./issuer-keys.ts";
import type { IssuedEntry } from "./journal-record.ts";
import type { KeyStore, SigningKey } from "./key-store.ts";
import { publishLists } from "./list-publishing.ts";
import { ListPress } from "./lists.ts";
import { issueOwn, type OwnDeps } from "./own-certificates.ts";
import { insertSigned } from "./signed-row.ts";

/** The root's OCSP key and certificate, which the VA keeps (docs/decisions.md). */
export interface RootDelegate {
  readonly issuerId: string;
  readonly certificate: Uint8Array;
  readonly pkcs8: Uint8Array;
}

export interface CeremonyDeps extends Omit<OwnDeps, "keys" | "profiles"> {
  readonly caConfig: CaConfig;
  readonly keyStore: KeyStore;
  readonly verify: Verify;
  /** The address that is written into everything, for the life of these CAs. */
  readonly vaUrl: string;
  /** Keeps the delegate where the VA finds it. Called last of what concerns it, so that no certificate is without its key. */
  readonly storeRootDelegate: (delegate: RootDelegate) => Promise<void>;
  readonly hasRootDelegate: (issuerId: string) => Promise<boolean>;
}

/** What a ceremony has made, or found made. */
export interface CeremonyResult {
  readonly rootId: string;
  readonly issuingId: string;
  readonly isNew: boolean;
}

interface AuthorityPlan {
  readonly id: string;
  readonly kind: IssuerKind;
  readonly generation: number;
  readonly authority: Authority;
  /** Absent for a root, which certifies itself. */
  readonly parent?: { readonly id: string; readonly facts: IssuerFacts; readonly key: SigningKey };
}

function profileOf({ caConfig }: CeremonyDeps, name: string): Profile {
  const profile = caConfig.profiles.get(name);
  if (profile === undefined) throw new ProfileUnknownError(`there is no profile "${name}"`);
  return profile;
}

/** A half-done ceremony has left a key that nothing was signed for: it is as good as a new one. */
async function keyOf(
  { id, kind, authority }: AuthorityPlan,
  keyStore: KeyStore,
): Promise<SigningKey> {
  if (await keyStore.has(id)) return keyStore.open(id, kind);
  return keyStore.generate({ id, purpose: kind, kind: authority.key });
}

/** Builds, lints and signs a CA's certificate. */
function certifyAuthority(plan: AuthorityPlan, key: SigningKey, deps: CeremonyDeps): IssuedEntry {
  const { clock, random, timeZone, digest, caConfig, vaUrl } = deps;
  const { id, kind, generation, authority, parent } = plan;
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
    authority: { id, kind, generation, vaUrl },
    der: Buffer.from(der).toString("base64"),
  };
}

/** Makes a CA, unless it is there. */
async function ensureAuthority(plan: AuthorityPlan, deps: CeremonyDeps): Promise<boolean> {
  const { database, ledger, keyStore, clock, digest, newId } = deps;
  if ((await readIssuer(database, plan.id)) !== undefined) return false;
  const key = await keyOf(plan, keyStore);
  const entry = certifyAuthority(plan, key, deps);
  const at = clock();
  await ledger.turn(() =>
    ledger.write([entry], async (sql) => {
      await insertSigned(sql, { ...entry, at }, digest);
      const detail = { serial: entry.serial, vaUrl: deps.vaUrl };
      await recordAll(
        sql,
        [{ at, actor: "signer", action: "issuer.created", subject: `issuer/${plan.id}`, detail }],
        newId,
      );
    }),
  );
  return true;
}

/** The first lists of a CA, checked like all others. */
async function ensureLists(issuerId: string, keys: IssuerKeys, deps: CeremonyDeps): Promise<void> {
  const { database, clock, verify } = deps;
  const current = await database.query(
    "select 1 from ca.list where issuer_id = $1 and current limit 1",
    [issuerId],
  );
  if (current.length > 0) return;
  const press = new ListPress({ ...deps, keys });
  const signer = {
    prepareLists: (id: string) => press.prepare(id),
    commitLists: (batchId: string, sha256: readonly string[]) => press.commit(batchId, sha256),
  };
  await publishLists(issuerId, { signer, database, clock, verify });
}

/** RFC 6960 §4.2.2.2: the root is offline, so what answers for its certificates is made in its presence. */
async function ensureRootDelegate(
  rootId: string,
  keys: IssuerKeys,
  deps: CeremonyDeps,
): Promise<void> {
  if ((await deps.hasRootDelegate(rootId)) || !(await deps.keyStore.has(rootId))) return;
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const certificate = await issueOwn(
    {
      profile: "root-ocsp",
      issuerId: rootId,
      commonName: `OCSP ${rootId}`,
      spki: publicKey.export({ format: "der", type: "spki" }),
    },
    { ...deps, keys, profiles: deps.caConfig.profiles },
  );
  await deps.storeRootDelegate({
    issuerId: rootId,
    certificate,
    pkcs8: privateKey.export({ format: "der", type: "pkcs8" }),
  });
}

/**
 * Makes the CA: root, root's list, issuing CA, root's OCSP delegate, the issuing CA's first lists (docs/decisions.md). Each
 * step is skipped when its result is there, so that a ceremony that was interrupted is finished by beginning it again.
 */
export async function performCeremony(deps: CeremonyDeps): Promise<CeremonyResult> {
  const { caConfig, database, keyStore, vaUrl } = deps;
  const { root, issuing } = caConfig.hierarchy;
  const generation = 1;
  const rootId = `${root.name}-g${generation}`;
  const issuingId = `${issuing.name}-g${generation}`;
  await checkFrozenVaUrl(database, vaUrl);

  // 1. The root.
  const isRootNew = await ensureAuthority(
    { id: rootId, kind: "root", generation, authority: root },
    deps,
  );
  // 2. The issuing CA, by the root's key.
  const parent = await readIssuer(database, rootId);
  if (parent === undefined) throw new CeremonyError(`the root ${rootId} is not there`);
  const isIssuingThere = (await readIssuer(database, issuingId)) !== undefined;
  if (!isIssuingThere) {
    const key = await keyStore.open(rootId, "root");
    const facts = { ...parent.facts, urls: issuerUrls(parent.vaUrl, rootId) };
    await ensureAuthority(
      {
        id: issuingId,
        kind: "issuing",
        generation,
        authority: issuing,
        parent: { id: rootId, facts, key },
      },
      deps,
    );
  }
  // 3. The lists of both, and who answers for the root.
  const keys = await IssuerKeys.open(database, keyStore);
  await ensureLists(rootId, keys, deps);
  await ensureRootDelegate(rootId, keys, deps);
  await ensureLists(issuingId, keys, deps);
  return { rootId, issuingId, isNew: isRootNew || !isIssuingThere };
}

/** Throws CeremonyError when the address differs from the one that was written into certificates. */
export async function checkFrozenVaUrl(database: Database, vaUrl: string): Promise<void> {
  const rows = await database.query<{ va_url: string }>(
    "select va_url from ca.issuer where state <> 'ended' and va_url <> $1 limit 1",
    [vaUrl],
  );
  const [other] = rows;
  if (other !== undefined) {
    throw new CeremonyError(
      `SUIDO_VA_URL is ${vaUrl}, but this CA has written ${other.va_url} into its certificates: set it back, or make a new CA`,
    );
  }
}

/** A CA as `suido ca show` tells it. */
export interface CaDescription {
  readonly id: string;
  readonly kind: IssuerKind;
  readonly state: string;
  /** SHA-256 of the certificate, hex. */
  readonly fingerprint: string;
  readonly keyAlgorithm: string;
  /** Whether this key store has its key. */
  readonly hasKey: boolean;
  readonly vaUrl: string;
  readonly notAfter: Date;
  readonly certificate: Uint8Array;
  readonly list?: {
    readonly number: bigint;
    readonly entries: number;
    readonly thisUpdate: Date;
    readonly nextUpdate: Date;
  };
}

/** All CAs, their keys and their current full lists. */
export async function describeCa({
  database,
  keyStore,
  digest,
}: Pick<CeremonyDeps, "database" | "keyStore" | "digest">): Promise<readonly CaDescription[]> {
  const lists = await database.query<{
    issuer_id: string;
    number: string;
    entries: number;
    this_update: Date;
    next_update: Date;
  }>(
    "select issuer_id, number, entries, this_update, next_update from ca.list where current and scope = 'full'",
  );
  const described: CaDescription[] = [];
  for (const issuer of await readIssuers(database)) {
    const list = lists.find((row) => row.issuer_id === issuer.id);
    described.push({
      id: issuer.id,
      kind: issuer.kind,
      state: issuer.state,
      fingerprint: Buffer.from(digest("sha256", issuer.certificate)).toString("hex"),
      keyAlgorithm: issuer.facts.signatureAlgorithm,
      hasKey: await keyStore.has(issuer.id),
      vaUrl: issuer.vaUrl,
      notAfter: issuer.notAfter,
      certificate: issuer.certificate,
      ...(list && {
        list: {
          number: BigInt(list.number),
          entries: list.entries,
          thisUpdate: list.this_update,
          nextUpdate: list.next_update,
        },
      }),
    });
  }
  return described;
}
