import { type Actor, record, recordAll } from "../audit/record.ts";
import type { CaConfig } from "../config/ca-config.ts";
import { toHex } from "../pki/bytes.ts";
import type { Clock } from "../pki/clock.ts";
import type { Digest, Random } from "../pki/crypto.ts";
import { spkiSha256 } from "../pki/key.ts";
import { type Profile, profileHash } from "../pki/profile.ts";
import { REASON_CODES, type RevocationReason } from "../pki/revocation-reason.ts";
import { newSerial, serialBytes, serialFromInteger, shardOf } from "../pki/serial.ts";
import type { NewId } from "../pki/uuid.ts";
import { validityOf } from "../pki/validity.ts";
import type { Database } from "../storage/database.ts";
import type { Sql } from "../storage/sql.ts";
import { CeremonyError, ProfileUnknownError } from "./errors.ts";
import { type Issuer, readIssuers } from "./issuer.ts";
import type { KeyStore } from "./key-store.ts";
import {
  type KnownIssuer,
  proofText,
  type RequestedAuthority,
  type RequestedCertificate,
  type RequestedEntry,
  type RootRequest,
  textHash,
  writeRequest,
} from "./root-request.ts";

export interface RequestMakingDeps {
  /** As suido_signer. */
  readonly database: Database;
  /** The online store: a new issuing CA's key is made in it. */
  readonly keyStore: KeyStore;
  readonly caConfig: CaConfig;
  readonly timeZone: string;
  readonly actor: Actor;
  readonly clock: Clock;
  readonly random: Random;
  readonly newId: NewId;
  readonly digest: Digest;
  /** Makes the key of the root's next OCSP delegate, keeps it where the VA is, and returns its SubjectPublicKeyInfo. */
  readonly makeDelegateKey: (requestId: string, rootId: string) => Promise<Uint8Array>;
}

export interface RequestWishes {
  /** CAs that are revoked with this session. */
  readonly revoke: readonly string[];
  readonly reason: RevocationReason;
  readonly newIssuing: boolean;
  /** A request that is open is withdrawn: its serials are given up, and what was signed for it is not taken. */
  readonly replace: boolean;
}

/** A request that was made, and its file's text. */
export interface MadeRequest {
  readonly request: RootRequest;
  readonly content: string;
}

/** Reasons that fit a CA. A hold is for devices: nobody could tell what it signed meanwhile. */
const CA_REASONS: ReadonlySet<RevocationReason> = new Set([
  "keyCompromise",
  "cACompromise",
  "superseded",
  "cessationOfOperation",
]);

function profileOf({ caConfig }: RequestMakingDeps, name: string): Profile {
  const profile = caConfig.profiles.get(name);
  if (profile === undefined) throw new ProfileUnknownError(`there is no profile "${name}"`);
  return profile;
}

/** The root at work, whose key is elsewhere. */
async function rootOf(
  issuers: readonly Issuer[],
  { keyStore }: RequestMakingDeps,
): Promise<Issuer> {
  const root = issuers.find(({ kind, state }) => kind === "root" && state === "active");
  if (root === undefined) throw new CeremonyError("there is no CA yet: suido ca init");
  if (await keyStore.has(root.id))
    throw new CeremonyError(
      `the key of ${root.id} is in this key store, so there is nothing to ask of anybody: seal it away first (suido ca root seal)`,
    );
  return root;
}

/** What is revoked and has not been on a list that covers its notAfter; as `ca/lists.ts` has it. */
const ENTRIES = `select i.serial, i.reason, i.revoked_at from ca.issued i
  left join ca.list l on l.issuer_id = i.issuer_id and l.scope = 'full' and l.current
  where i.issuer_id = $1 and i.state in ('hold', 'revoked')
    and (l.number is null or i.not_after >= l.this_update or i.revoked_at >= l.signed_at)`;

async function listBefore(sql: Sql, rootId: string, now: Date): Promise<RootRequest["list"]> {
  const [last] = await sql.query<{ number: string; this_update: Date | null }>(
    `select coalesce(max(number), 0) as number, max(this_update) filter (where current) as this_update
     from ca.list where issuer_id = $1`,
    [rootId],
  );
  const rows = await sql.query<{ serial: Buffer; reason: number; revoked_at: Date }>(ENTRIES, [
    rootId,
  ]);
  const before = BigInt(last?.number ?? 0);
  const micros = BigInt(now.getTime()) * 1000n;
  return {
    number: (before > micros ? before : micros) + 1n,
    lastThisUpdate: last?.this_update ?? new Date(0),
    entries: rows.map(({ serial, reason, revoked_at: revokedAt }) => ({
      serial: serialFromInteger(serial),
      reason,
      revokedAt,
    })),
  };
}

type Revocations = RootRequest["revocations"];

/** The CAs that are to be revoked, each by the serial of its certificate. */
async function revocationsOf(
  sql: Sql,
  { wishes, root, now }: { wishes: RequestWishes; root: Issuer; now: Date },
): Promise<Revocations> {
  const { reason } = wishes;
  const revoke = [...new Set(wishes.revoke)];
  if (revoke.length > 0 && !CA_REASONS.has(reason))
    throw new CeremonyError(`a CA is revoked for one of: ${[...CA_REASONS].join(", ")}`);
  const rows = await sql.query<{ id: string; serial: Buffer; state: string }>(
    `select a.id, a.serial, i.state from ca.issuer a join ca.issued i on i.serial = a.serial
     where a.kind = 'issuing' and a.parent_id = $1 and a.id = any($2)`,
    [root.id, revoke],
  );
  return revoke.map((id) => {
    const row = rows.find((each) => each.id === id);
    if (row === undefined) throw new CeremonyError(`there is no issuing CA "${id}" of ${root.id}`);
    if (row.state !== "good")
      throw new CeremonyError(
        `${id} is ${row.state} already: every request has that on its list, without --revoke`,
      );
    const serial = serialFromInteger(row.serial);
    return { issuerId: id, serial, reason: REASON_CODES[reason], revokedAt: now };
  });
}

const inOrder = (entries: readonly RequestedEntry[]): readonly RequestedEntry[] =>
  entries.toSorted(({ serial: a }, { serial: b }) =>
    a.length === b.length ? (a < b ? -1 : 1) : a.length - b.length,
  );

function certificateOf(
  what: { readonly profile: Profile; readonly commonName: string; readonly spki: Uint8Array },
  { random, digest }: RequestMakingDeps,
): RequestedCertificate {
  const { profile, commonName, spki } = what;
  return {
    serial: newSerial(random),
    commonName,
    profile: profile.name,
    profileHash: profileHash(profile, digest),
    spki,
  };
}

/** A new issuing CA of the next generation, with a key that was made for it just now. */
async function nextAuthority(
  requestId: string,
  deps: RequestMakingDeps,
): Promise<RequestedAuthority> {
  const { database, keyStore, caConfig } = deps;
  const { issuing, organization } = caConfig.hierarchy;
  // Requests count as well, whatever became of them: what was asked for was perhaps signed, and no name has two keys.
  const [last] = await database.query<{ generation: number }>(
    `select greatest((select max(generation) from ca.issuer where kind = 'issuing'),
       (select max((request::jsonb -> 'issuing' ->> 'generation')::integer) from ca.root_request)) as generation`,
  );
  const generation = (last?.generation ?? 0) + 1;
  const id = `${issuing.name}-g${generation}`;
  // Of a request that never came to be: nobody was asked to certify it.
  if (await keyStore.has(id)) await keyStore.remove(id);
  const key = await keyStore.generate({ id, purpose: "issuing", kind: issuing.key });
  const commonName = `${issuing.commonName} G${generation}`;
  const profile = profileOf(deps, issuing.profile);
  return {
    ...certificateOf({ profile, commonName, spki: key.spki }, deps),
    id,
    generation,
    organization,
    proof: key.sign(proofText(requestId, id, key.spki)),
  };
}

/** The serial is in the database before any signature over it exists. The dates are those of today; the import sets them right. */
async function reserve(
  sql: Sql,
  wanted: RequestedCertificate,
  { root, now, deps }: { root: Issuer; now: Date; deps: RequestMakingDeps },
): Promise<void> {
  const { digest, timeZone } = deps;
  const profile = profileOf(deps, wanted.profile);
  const { notBefore, notAfter } = validityOf(profile, {
    now,
    timeZone,
    issuerNotAfter: root.notAfter,
  });
  await sql.query(
    `insert into ca.issued (serial, issuer_id, profile, profile_hash, shard, state, common_name, spki, spki_sha256,
       not_before, not_after, key_origin, reserved_at)
     values ($1, $2, $3, $4, $5, 'reserved', $6, $7, $8, $9, $10, 'subject', $11)`,
    [
      Buffer.from(serialBytes(wanted.serial)),
      root.id,
      wanted.profile,
      Buffer.from(wanted.profileHash, "hex"),
      shardOf(wanted.serial),
      wanted.commonName,
      Buffer.from(wanted.spki),
      Buffer.from(spkiSha256(wanted.spki, digest), "hex"),
      notBefore,
      notAfter,
      now,
    ],
  );
}

/**
 * There is one request at a time: two sessions would number their lists side by side. Returns the new CAs of requests that
 * are withdrawn: their keys are good for nothing.
 */
async function settleOpenRequest(
  sql: Sql,
  { rootId, replace, now }: { rootId: string; replace: boolean; now: Date },
  { actor, newId }: RequestMakingDeps,
): Promise<readonly string[]> {
  const open = await sql.query<{
    id: string;
    state: string;
    requested_at: Date;
    issuing: string | null;
  }>(
    `select id, state, requested_at, request::jsonb -> 'issuing' ->> 'id' as issuing from ca.root_request
     where root_id = $1 and state in ('open', 'answered') for update`,
    [rootId],
  );
  for (const { id, state, requested_at: at } of open) {
    if (!replace)
      throw new CeremonyError(
        `the request ${id} of ${at.toISOString()} is open: import its response, or withdraw it with --replace`,
      );
    if (state === "answered")
      throw new CeremonyError(`the response to ${id} is being imported: wait for it`);
    await sql.query(
      "update ca.root_request set state = 'withdrawn', closed_at = $2 where id = $1",
      [id, now],
    );
    const subject = `root-request/${id}`;
    await record(sql, { at: now, actor, action: "root-request.withdrawn", subject }, newId);
  }
  return open.flatMap(({ issuing }) => issuing ?? []);
}

const knownOf = ({ id, kind, certificate }: Issuer, digest: Digest): KnownIssuer => ({
  id,
  kind,
  fingerprint: toHex(digest("sha256", certificate)),
});

async function insertRequest(
  sql: Sql,
  { request, content }: MadeRequest,
  { root, deps }: { root: Issuer; deps: RequestMakingDeps },
): Promise<void> {
  const { id, at, delegate, issuing, revocations } = request;
  const wanted = issuing === undefined ? [delegate] : [delegate, issuing];
  for (const each of wanted) await reserve(sql, each, { root, now: at, deps });
  await sql.query(
    "insert into ca.root_request (id, root_id, state, requested_at, request, serials) values ($1, $2, 'open', $3, $4, $5)",
    [id, root.id, at, content, wanted.map(({ serial }) => Buffer.from(serialBytes(serial)))],
  );
  const detail = {
    sha256: textHash(content),
    ...(issuing !== undefined && { issuing: issuing.id }),
    revocations: revocations.map(({ issuerId }) => issuerId),
  };
  const fact = {
    at,
    actor: deps.actor,
    action: "root-request.made",
    subject: `root-request/${id}`,
  };
  await recordAll(sql, [{ ...fact, detail }], deps.newId);
}

/**
 * Writes down what the next root session must sign: the root's list and its OCSP delegate always, for they are renewed
 * together, and what is wished for. Throws CeremonyError, with nothing changed but perhaps a key that nobody uses.
 */
export async function makeRequest(
  wishes: RequestWishes,
  deps: RequestMakingDeps,
): Promise<MadeRequest> {
  const { database, clock, newId, digest, timeZone, makeDelegateKey } = deps;
  const issuers = await readIssuers(database);
  const root = await rootOf(issuers, deps);
  const id = newId();
  const now = clock();
  const settling = { rootId: root.id, replace: wishes.replace, now };
  // Before keys are made, and again with everything else.
  const idle = await database.transaction(async (sql) => {
    await revocationsOf(sql, { wishes, root, now });
    return settleOpenRequest(sql, settling, deps);
  });
  for (const authority of idle)
    if (await deps.keyStore.has(authority)) await deps.keyStore.remove(authority);
  const issuing = wishes.newIssuing ? await nextAuthority(id, deps) : undefined;
  const delegate = {
    profile: profileOf(deps, "root-ocsp"),
    commonName: `OCSP ${root.id}`,
    spki: await makeDelegateKey(id, root.id),
  };
  return database.transaction(async (sql) => {
    await settleOpenRequest(sql, settling, deps);
    const revocations = await revocationsOf(sql, { wishes, root, now });
    const list = await listBefore(sql, root.id, now);
    const request: RootRequest = {
      format: "suido-root-request-1",
      id,
      at: now,
      root: knownOf(root, digest),
      vaUrl: root.vaUrl,
      timeZone,
      issuers: issuers.map((issuer) => knownOf(issuer, digest)),
      list: { ...list, entries: inOrder([...list.entries, ...revocations.map(entryOf)]) },
      delegate: certificateOf(delegate, deps),
      ...(issuing !== undefined && { issuing }),
      revocations,
    };
    const made = { request, content: writeRequest(request) };
    await insertRequest(sql, made, { root, deps });
    return made;
  });
}

const entryOf = ({ serial, revokedAt, reason }: Revocations[number]): RequestedEntry => ({
  serial,
  revokedAt,
  reason,
});
