import { type Fact, recordAll } from "../audit/record.ts";
import { toHex } from "../pki/bytes.ts";
import type { Clock } from "../pki/clock.ts";
import { type CrlView, readCrl } from "../pki/crl-reader.ts";
import type { Digest, Verify } from "../pki/crypto.ts";
import { parseCertificate } from "../pki/certificate-view.ts";
import { spkiSha256 } from "../pki/key.ts";
import type { Profile } from "../pki/profile.ts";
import { reasonName } from "../pki/revocation-reason.ts";
import { type Serial, serialBytes, shardOf } from "../pki/serial.ts";
import type { NewId } from "../pki/uuid.ts";
import type { OctetSql, Sql } from "../storage/sql.ts";
import { CeremonyError } from "./errors.ts";
import { readIssuer, readIssuers } from "./issuer.ts";
import type { IssuedEntry, ListEntry } from "./journal-record.ts";
import { checkListsWithin } from "./list-check.ts";
import { publishPrepared } from "./lists.ts";
import {
  type RequestedCertificate,
  readRequest,
  type RootRequest,
  textHash,
} from "./root-request.ts";
import { responseFindings } from "./root-response-check.ts";
import { readResponse, type RootResponse } from "./root-response.ts";
import { commitReserved } from "./signed-row.ts";

/** A request that has been answered, as its row says. */
export interface AnsweredRequest {
  readonly id: string;
  readonly root_id: string;
  readonly request: string;
  readonly response: string;
  readonly answered_by: string;
}

export interface AnswerDeps {
  readonly profiles: ReadonlyMap<string, Profile>;
  readonly clock: Clock;
  readonly digest: Digest;
  readonly verify: Verify;
  readonly newId: NewId;
}

/** A response that is what its request asks for, read. */
export interface Answer {
  readonly row: AnsweredRequest;
  readonly request: RootRequest;
  readonly response: RootResponse;
  readonly list: CrlView;
  readonly listSha256: string;
  /** What the list's rows are called by. */
  readonly number: bigint;
  readonly issued: readonly IssuedEntry[];
}

interface Session {
  readonly row: AnsweredRequest;
  readonly request: RootRequest;
  readonly response: RootResponse;
}

/** The journal's entry of a certificate that the root has signed. */
function entryOf(
  wanted: RequestedCertificate,
  der: Uint8Array,
  { row, request, digest }: Session & Pick<AnswerDeps, "digest">,
): IssuedEntry {
  return {
    kind: "issued",
    serial: wanted.serial,
    issuerId: row.root_id,
    profile: wanted.profile,
    profileHash: wanted.profileHash,
    shard: shardOf(wanted.serial),
    commonName: wanted.commonName,
    spkiSha256: spkiSha256(wanted.spki, digest),
    keyOrigin: "subject",
    reservedAt: request.at.toISOString(),
    der: Buffer.from(der).toString("base64"),
  };
}

function issuedOf(session: Session, { digest }: AnswerDeps): readonly IssuedEntry[] {
  const { request, response } = session;
  const delegate = entryOf(request.delegate, response.delegate, { ...session, digest });
  const { issuing, vaUrl } = request;
  if (issuing === undefined || response.issuing === undefined) return [delegate];
  const { id, generation } = issuing;
  const authority = { id, kind: "issuing", generation, vaUrl, state: "announced" } as const;
  return [delegate, { ...entryOf(issuing, response.issuing, { ...session, digest }), authority }];
}

/** Reads an answer and holds it against its request and the root, as a stranger's. Findings keep it out. */
export async function readAnswer(
  sql: Sql,
  row: AnsweredRequest,
  deps: AnswerDeps,
): Promise<Answer | { readonly findings: readonly string[] }> {
  const root = await readIssuer(sql, row.root_id);
  if (root === undefined) return { findings: [`there is no root ${row.root_id}`] };
  try {
    const request = readRequest(row.request);
    const response = readResponse(row.response);
    const findings = responseFindings(response, {
      ...deps,
      request,
      requestHash: textHash(row.request),
      root,
      now: deps.clock(),
    });
    if (findings.length > 0) return { findings };
    const list = readCrl(response.list);
    return {
      row,
      request,
      response,
      list,
      listSha256: toHex(deps.digest("sha256", response.list)),
      number: list.number ?? 0n,
      issued: issuedOf({ row, request, response }, deps),
    };
  } catch (error) {
    if (error instanceof CeremonyError) return { findings: [error.message] };
    throw error;
  }
}

/** As journal records: what is signed, and the list. */
export function listEntryOf(
  { row, list, number, listSha256 }: Answer,
  watermark: bigint,
): ListEntry {
  return {
    kind: "list",
    issuerId: row.root_id,
    scope: "full",
    number: String(number),
    watermark: String(watermark),
    thisUpdate: list.thisUpdate.toISOString(),
    nextUpdate: list.nextUpdate.toISOString(),
    sha256: listSha256,
  };
}

const bytesOf = (serial: Serial): Buffer => Buffer.from(serialBytes(serial));

/**
 * The entries whose rows are still reserved; one that is good with these very bytes was committed before a crash. Throws
 * CeremonyError for every other state.
 */
export async function stillReserved(sql: Sql, { issued }: Answer): Promise<readonly IssuedEntry[]> {
  const waiting: IssuedEntry[] = [];
  for (const entry of issued) {
    const [row] = await sql.query<{ state: string; der: Buffer | null }>(
      "select state, der from ca.issued where serial = $1",
      [bytesOf(entry.serial)],
    );
    if (row?.state === "reserved") waiting.push(entry);
    else if (row?.der?.toString("base64") !== entry.der)
      throw new CeremonyError(
        `the serial ${entry.serial} is ${row?.state ?? "unknown"}: the request is not open any more`,
      );
  }
  return waiting;
}

/** The dates of a reserved row were those of the request; the certificate's are those of the session. */
export async function takeDates(sql: Sql, entries: readonly IssuedEntry[]): Promise<void> {
  for (const { serial, der } of entries) {
    const { notBefore, notAfter } = parseCertificate(Buffer.from(der, "base64")).view;
    await sql.query(
      "update ca.issued set not_before = $2, not_after = $3 where serial = $1 and state = 'reserved'",
      [bytesOf(serial), notBefore.date, notAfter.date],
    );
  }
}

const spelled = (id: string, fingerprint: string): string => `${id} ${fingerprint}`;

/** The CAs may have changed since the request: what it says of them was read aloud. */
async function issuerFindings(
  sql: Sql,
  { request }: Answer,
  { digest }: AnswerDeps,
): Promise<readonly string[]> {
  const now = (await readIssuers(sql))
    .filter(({ id }) => id !== request.issuing?.id)
    .map(({ id, certificate }) => spelled(id, toHex(digest("sha256", certificate))));
  const then = request.issuers.map(({ id, fingerprint }) => spelled(id, fingerprint));
  return now.toSorted().join() === then.toSorted().join()
    ? []
    : ["there are other CAs than when the request was made: make a new one"];
}

/**
 * What the independent check of the list finds, and whether the CAs are still those of the request; by a transaction in
 * which the revocations that come with the list are there already.
 */
export async function findingsWithin(
  sql: OctetSql,
  answer: Answer,
  { deps, watermark }: { readonly deps: AnswerDeps; readonly watermark: bigint },
): Promise<readonly string[]> {
  const { row, response } = answer;
  const context = {
    issuerId: row.root_id,
    watermark,
    now: deps.clock(),
    verify: deps.verify,
  };
  return [
    ...(await issuerFindings(sql, answer, deps)),
    ...(await checkListsWithin(sql, [{ scope: "full", der: response.list }], context)),
  ];
}

/** The CAs that the list revokes are revoked in the same commit, by the way of every change: OCSP says so with the list. */
async function revoke(sql: Sql, answer: Answer, { clock, newId }: AnswerDeps): Promise<void> {
  const { request, response, row } = answer;
  for (const { issuerId, serial, reason, revokedAt } of request.revocations) {
    const changed = await sql.query(
      "update ca.issued set state = 'revoked', reason = $2, revoked_at = $3 where serial = $1 and state = 'good' returning serial",
      [bytesOf(serial), reason, revokedAt],
    );
    if (changed.length === 0) continue;
    const detail = { serial, reason: reasonName(reason) ?? String(reason), by: response.by };
    const subject = `issuer/${issuerId}`;
    const fact = { at: clock(), actor: row.answered_by, action: "issuer.revoked", subject, detail };
    await recordAll(sql, [fact], newId);
    // It issues no more from this commit on.
    await sql.query("select pg_notify('suido_issuer', $1)", [issuerId]);
  }
}

async function lastChange(sql: Sql): Promise<bigint> {
  const [row] = await sql.query<{ seq: string }>(
    "select coalesce(max(seq), 0) as seq from ca.change",
  );
  return BigInt(row?.seq ?? 0);
}

async function recordImport(
  sql: Sql,
  { row, request, response, number, issued }: Answer,
  { clock, newId }: AnswerDeps,
): Promise<void> {
  const at = clock();
  await sql.query(
    `update ca.root_request set state = 'imported', closed_at = $2, response = $3, answered_by = $4, findings = null
     where id = $1`,
    [row.id, at, row.response, row.answered_by],
  );
  const fact = { at, actor: row.answered_by, action: "root-request.imported" };
  const detail = {
    by: response.by,
    number: String(number),
    serials: issued.map(({ serial }) => serial),
    sha256: textHash(row.response),
  };
  const facts: Fact[] = [{ ...fact, subject: `root-request/${row.id}`, detail }];
  const { issuing, vaUrl } = request;
  if (issuing !== undefined) {
    const { id, serial } = issuing;
    const subject = `issuer/${id}`;
    facts.push({ ...fact, action: "issuer.announced", subject, detail: { serial, vaUrl } });
  }
  await recordAll(sql, facts, newId);
}

/**
 * All that the database learns of an answer, in one transaction. `onRevoked` is called in the middle of it, when the
 * revocations are there and the list is not current yet.
 */
export async function commitAnswer(
  sql: Sql,
  answer: Answer,
  {
    deps,
    onRevoked = () => Promise.resolve(),
  }: { readonly deps: AnswerDeps; readonly onRevoked?: (watermark: bigint) => Promise<void> },
): Promise<void> {
  const { row, response, list, number, listSha256: sha256 } = answer;
  const at = deps.clock();
  await revoke(sql, answer, deps);
  const watermark = await lastChange(sql);
  await onRevoked(watermark);
  const reserved = await stillReserved(sql, answer);
  const signed = reserved.map((entry) => Object.assign({ at }, entry));
  await commitReserved(sql, signed, deps);
  const { thisUpdate, nextUpdate, entryCount: entries } = list;
  const full = { scope: "full", number, thisUpdate, nextUpdate, entries, sha256 };
  const lists = [{ ...full, der: response.list }];
  await publishPrepared(sql, { issuerId: row.root_id, watermark, at, lists }, deps.newId);
  await recordImport(sql, answer, deps);
}
