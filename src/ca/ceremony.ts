import { generateKeyPairSync } from "node:crypto";
import type { Verify } from "../pki/crypto.ts";
import type { Database } from "../storage/database.ts";
import {
  type AuthorityPlan,
  type CertifyDeps,
  certifyAuthority,
  enrolAuthority,
  keyOf,
} from "./authority.ts";
import { CeremonyError } from "./errors.ts";
import { issuerUrls, readIssuer } from "./issuer.ts";
import { IssuerKeys } from "./issuer-keys.ts";
import type { KeyStore } from "./key-store.ts";
import { publishLists } from "./list-publishing.ts";
import { ListPress } from "./lists.ts";
import { issueOwn, type OwnDeps } from "./own-certificates.ts";

/** The root's OCSP key and certificate, which the VA keeps (docs/decisions.md). */
export interface RootDelegate {
  readonly issuerId: string;
  readonly certificate: Uint8Array;
  readonly pkcs8: Uint8Array;
}

export interface CeremonyDeps extends Omit<OwnDeps, "keys" | "profiles">, CertifyDeps {
  readonly keyStore: KeyStore;
  readonly verify: Verify;
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

/** Makes a CA, unless it is there. */
async function ensureAuthority(plan: AuthorityPlan, deps: CeremonyDeps): Promise<boolean> {
  const { database, ledger, keyStore, clock } = deps;
  if ((await readIssuer(database, plan.id)) !== undefined) return false;
  const entry = certifyAuthority(plan, await keyOf(plan, keyStore), deps);
  const signed = { ...entry, at: clock() };
  await ledger.turn(() => ledger.write([entry], (sql) => enrolAuthority(sql, signed, deps)));
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
