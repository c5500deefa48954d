import { parseCertificate } from "../pki/certificate-view.ts";
import { BACKDATE_MS } from "../pki/clock.ts";
import { checkCrlForm, MAX_ENTRY_FINDINGS } from "../pki/crl-check.ts";
import type { CrlEntryTable } from "../pki/crl-entry-table.ts";
import { type CrlView, readCrl } from "../pki/crl-reader.ts";
import type { Verify } from "../pki/crypto.ts";
import { MalformedCrlError } from "../pki/errors.ts";
import { type Serial, serialBytes, serialFromInteger, SHARDS } from "../pki/serial.ts";
import type { Database } from "../storage/database.ts";
import { readLongOctets } from "../storage/long-octets.ts";
import type { Sql } from "../storage/sql.ts";
import { ListedStatuses } from "./list-statuses.ts";

/**
 * The check of freshly signed lists by a process that did not make them. It shares no code with what builds them, and
 * looks into the database itself. It is what stands between a fault in the builder and every proxy that reads a list.
 */

/** A list as somebody gives it to be published. */
export interface ListToCheck {
  readonly scope: string;
  readonly der: Uint8Array;
}

export interface CheckContext {
  readonly issuerId: string;
  /** Changes up to this one must show; later ones may. */
  readonly watermark: bigint;
  readonly now: Date;
  readonly verify: Verify;
}

interface IssuerRow {
  readonly kind: "root" | "issuing";
  readonly certificate: Buffer;
  readonly subject: Buffer;
  readonly key_identifier: Buffer;
  readonly va_url: string;
}

interface CurrentRow {
  readonly scope: string;
  readonly number: string;
  readonly this_update: Date;
  readonly signed_at: Date;
}

/** What the check goes by, of one moment, beside the statuses. */
interface Known {
  readonly issuer: IssuerRow;
  readonly current: ReadonlyMap<string, CurrentRow>;
}

async function readKnown(sql: Sql, { issuerId }: CheckContext): Promise<Known | undefined> {
  const [issuer] = await sql.query<IssuerRow>(
    "select kind, certificate, subject, key_identifier, va_url from ca.issuer where id = $1",
    [issuerId],
  );
  if (issuer === undefined) return undefined;
  const current = await sql.query<CurrentRow>(
    "select scope, number, this_update, signed_at from ca.list where issuer_id = $1 and current",
    [issuerId],
  );
  return { issuer, current: new Map(current.map((row) => [row.scope, row])) };
}

const SCOPES = ["full", ...Array.from({ length: 16 }, (_, shard) => `0${shard.toString(16)}`)];

const shardOf = (scope: string): number | undefined =>
  scope === "full" ? undefined : Number.parseInt(scope, 16);

/** What the lists of one scope are compared with. */
interface Comparison {
  readonly statuses: ListedStatuses;
  readonly scope: string;
  /** The list that is current. */
  readonly before: CurrentRow | undefined;
}

/** Whether a list may leave the certificate out: the one before covered its notAfter, and had it. */
function mayHaveLeft(row: number, { statuses, before }: Comparison): boolean {
  return (
    before !== undefined &&
    statuses.notAfter(row) < before.this_update.getTime() &&
    statuses.revokedAt(row) < before.signed_at.getTime()
  );
}

/** In whole seconds, as a list has it. */
const publishedAt = (revokedAt: number): number => Math.floor((revokedAt - BACKDATE_MS) / 1000);

function* differences(
  table: CrlEntryTable,
  index: number,
  { statuses, row }: { readonly statuses: ListedStatuses; readonly row: number },
): Generator<string> {
  const reason = statuses.reason(row);
  if (reason !== table.reason(index))
    yield `R12 ${table.serial(index)} has reason ${table.reason(index)} instead of ${reason}`;
  if (publishedAt(statuses.revokedAt(row)) !== Math.floor(table.revokedAt(index) / 1000))
    yield `R15 ${table.serial(index)} has the wrong revocation date`;
}

// Who is on the list and must not be, or is there with something wrong; who must be and is not.
function* entryFindings(table: CrlEntryTable, compared: Comparison): Generator<string> {
  const { statuses, scope } = compared;
  const shard = shardOf(scope);
  const { from, to } = statuses.range(shard);
  const isThere = new Uint8Array(statuses.length);
  for (let i = 0; i < table.length; i++) {
    const row = statuses.find(table, i);
    if (row >= from && row < to) {
      isThere[row] = 1;
      if (statuses.isSettled(row)) yield* differences(table, i, { statuses, row });
    } else if (!statuses.hasChanged(table.serial(i), shard)) {
      yield `R17 ${table.serial(i)} is on the list and must not be`;
    }
  }
  for (let row = from; row < to; row++) {
    if (isThere[row] === 0 && statuses.isSettled(row) && !mayHaveLeft(row, compared))
      yield `R16 ${statuses.serial(row)} must be on the list and is not`;
  }
}

/** The first of them: they show what is wrong. */
function firstOf(findings: Iterable<string>): readonly string[] {
  const first: string[] = [];
  for (const finding of findings) {
    if (first.push(finding) === MAX_ENTRY_FINDINGS) break;
  }
  return first;
}

/** So many that left are looked up in one statement. */
const BATCH = 10_000;

/** So many that left before their end are told; one of them is enough to stop the lists. */
const MAX_LEAVERS_TOLD = 20;

// Both lists are walked side by side, and nothing is kept but who left. One out of order is a finding of its own.
function leavers(before: CrlEntryTable, after: CrlEntryTable): Map<Serial, number> {
  const gone = new Map<Serial, number>();
  let next = 0;
  for (let i = 0; i < before.length; i++) {
    while (next < after.length && after.compare(next, before, i) < 0) next++;
    if (next === after.length || after.compare(next, before, i) !== 0)
      gone.set(before.serial(i), before.reason(i));
  }
  return gone;
}

const CURRENT_DER = `select substring(der from $1 for $2) as part, length(der) as length from ca.list
  where issuer_id = $3 and scope = $4 and current`;

/** Nobody leaves a list but by expiry or release, whatever the database says now: it may have lost them (R16, R13). */
async function leaverFindings(
  sql: Sql,
  lists: { issuerId: string; before: CurrentRow; after: CrlView },
): Promise<readonly string[]> {
  const { issuerId, before, after } = lists;
  const der = await readLongOctets(sql, CURRENT_DER, [issuerId, before.scope]);
  if (der === undefined) throw new Error("a list has gone within a transaction");
  const gone = leavers(readCrl(der).table, after.table);
  const serials = [...gone.keys()];
  for (let from = 0; from < serials.length; from += BATCH) {
    const rows = await sql.query<{ serial: Buffer; state: string; not_after: Date }>(
      "select serial, state, not_after from ca.issued where serial = any($1::bytea[])",
      [serials.slice(from, from + BATCH).map((serial) => Buffer.from(serialBytes(serial)))],
    );
    for (const row of rows) {
      const serial = serialFromInteger(row.serial);
      const isReleased = gone.get(serial) === 6 && row.state === "good";
      if (isReleased || row.not_after < before.this_update) gone.delete(serial);
    }
  }
  return [...gone.keys()]
    .slice(0, MAX_LEAVERS_TOLD)
    .map((serial) => `R16 ${serial} has left the list before its end`);
}

/**
 * Whether the shards have exactly what the full list has, each its own, so that what was found of the full list's entries
 * holds for theirs: both are walked from the front, where a million look-ups would go all over the memory once more.
 */
function areShardsOf(full: CrlEntryTable, shards: readonly CrlEntryTable[]): boolean {
  const next = new Uint32Array(SHARDS);
  for (let i = 0; i < full.length; i++) {
    const own = (full.source[full.at(i) + full.octets(i) - 1] ?? 0) % SHARDS;
    const shard = shards[own];
    const at = next[own] ?? 0;
    if (shard === undefined || shard.compare(at, full, i) !== 0) return false;
    if (shard.reason(at) !== full.reason(i) || shard.revokedAt(at) !== full.revokedAt(i))
      return false;
    next[own] = at + 1;
  }
  return shards.every((shard, own) => shard.length === next[own]);
}

/** The same of lists in the order of SCOPES, as far as they could be read. */
function areAllShardsOf(lists: readonly ReadList[]): boolean {
  const tables = lists.flatMap(({ view }) => (typeof view === "string" ? [] : [view.table]));
  const [full, ...shards] = tables;
  return full !== undefined && shards.length === SHARDS && areShardsOf(full, shards);
}

/** A list that was read, or what keeps it from being read. */
interface ReadList {
  readonly scope: string;
  readonly view: CrlView | string;
}

function readList({ scope, der }: ListToCheck): ReadList {
  try {
    return { scope, view: readCrl(der) };
  } catch (error) {
    if (error instanceof MalformedCrlError) return { scope, view: error.message };
    throw error;
  }
}

interface Checked {
  readonly known: Known;
  readonly statuses: ListedStatuses;
  readonly context: CheckContext;
  /** Whether the entries need no comparison of their own, because those of the full list had one without a finding. */
  readonly isCompared: boolean;
}

async function listFindings(
  sql: Sql,
  { scope, view }: ReadList,
  { known, statuses, context, isCompared }: Checked,
): Promise<readonly string[]> {
  if (typeof view === "string") return [view];
  const { issuer, current } = known;
  const before = current.get(scope);
  const expected = {
    issuerName: issuer.subject,
    issuerSpki: parseCertificate(issuer.certificate).view.spki,
    issuerKeyIdentifier: issuer.key_identifier,
    ...(scope !== "full" && {
      distributionPoint: `${issuer.va_url}/crl/${context.issuerId}-${scope}.crl`,
    }),
    ...(before !== undefined && { previousNumber: BigInt(before.number) }),
    now: context.now,
  };
  const findings = [
    ...checkCrlForm(view, expected, context.verify),
    ...(isCompared ? [] : firstOf(entryFindings(view.table, { statuses, scope, before }))),
  ];
  if (before !== undefined && view.thisUpdate < before.this_update)
    findings.push("R18 thisUpdate lies before that of the list before");
  return before === undefined
    ? findings
    : [
        ...findings,
        ...(await leaverFindings(sql, { issuerId: context.issuerId, before, after: view })),
      ];
}

/** As `checkLists`, by what a transaction sees: it may hold changes that come with the lists. */
export async function checkListsWithin(
  sql: Sql,
  lists: readonly ListToCheck[],
  context: CheckContext,
): Promise<readonly string[]> {
  const known = await readKnown(sql, context);
  if (known === undefined) return [`there is no issuer ${context.issuerId}`];
  const scopes = known.issuer.kind === "root" ? ["full"] : SCOPES;
  const given = lists.map(({ scope }) => scope);
  const findings: string[] = [];
  if (given.join() !== scopes.join())
    findings.push(`the lists are ${given.join(" ")} instead of ${scopes.join(" ")}`);
  // The lists are read while the database collects the statuses.
  const [statuses, read] = await Promise.all([
    ListedStatuses.read(sql, context),
    Promise.resolve(lists.map(readList)),
  ]);
  const areShards = areAllShardsOf(read);
  for (const list of read) {
    // The full list is the first one: without a finding so far it had none.
    const isCompared = areShards && list.scope !== "full" && findings.length === 0;
    for (const finding of await listFindings(sql, list, { known, statuses, context, isCompared }))
      findings.push(`${context.issuerId} ${list.scope}: ${finding}`);
  }
  return findings;
}

/** What keeps these lists of one issuer from being published; nothing means that they may. They come all together or not at all. */
export function checkLists(
  database: Database,
  lists: readonly ListToCheck[],
  context: CheckContext,
): Promise<readonly string[]> {
  return database.transaction((sql) => checkListsWithin(sql, lists, context), {
    isolation: "repeatable read",
    readOnly: true,
  });
}
