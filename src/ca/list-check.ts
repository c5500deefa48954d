import { parseCertificate } from "../pki/certificate-view.ts";
import { checkCrlForm } from "../pki/crl-check.ts";
import type { CrlEntryTable } from "../pki/crl-entry-table.ts";
import { type CrlView, readCrl } from "../pki/crl-reader.ts";
import type { Verify } from "../pki/crypto.ts";
import { MalformedCrlError } from "../pki/errors.ts";
import { type Serial, serialBytes, serialFromInteger, SHARDS } from "../pki/serial.ts";
import type { Database } from "../storage/database.ts";
import { readLongOctets } from "../storage/long-octets.ts";
import type { OctetSql, Sql } from "../storage/sql.ts";
import {
  areShardsOf,
  type CurrentRow,
  firstEntryFindings,
  leavers,
  SCOPES,
} from "./list-comparison.ts";
import { readChanged, readStatuses, type ShardStatuses } from "./list-statuses.ts";

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
    "select scope, number, entries, this_update, signed_at from ca.list where issuer_id = $1 and current",
    [issuerId],
  );
  return { issuer, current: new Map(current.map((row) => [row.scope, row])) };
}

/** So many that left are looked up in one statement. */
const BATCH = 10_000;

/** So many that left before their end are told; one of them is enough to stop the lists. */
const MAX_LEAVERS_TOLD = 20;

const CURRENT_DER = "select der from ca.list where issuer_id = $1 and scope = $2 and current";

/** The entries of a list that is current. */
async function readCurrent(sql: OctetSql, issuerId: string, scope: string): Promise<CrlEntryTable> {
  const der = await readLongOctets(sql, CURRENT_DER, [issuerId, scope]);
  if (der === undefined) throw new Error("a list has gone within a transaction");
  return readCrl(der).table;
}

/** Nobody leaves a list but by expiry or release, whatever the database says now: it may have lost them (R16, R13). */
async function leaverFindings(
  sql: Sql,
  lists: {
    readonly before: CurrentRow;
    readonly old: CrlEntryTable;
    readonly fresh: CrlEntryTable;
  },
): Promise<readonly string[]> {
  const { before, old, fresh } = lists;
  const gone = leavers(old, fresh);
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

/** What a check can read before there is anything to check: most of its work, while the lists are being signed. */
export interface Foreknown {
  readonly issuerId: string;
  /** All changes up to this one are in it. */
  readonly seq: bigint;
  readonly statuses: readonly ShardStatuses[];
  /** The full list that is current. */
  readonly full: { readonly number: string; readonly table: CrlEntryTable } | undefined;
}

/** Reads it, as a transaction of one snapshot sees it. */
async function readForeknown(sql: OctetSql, issuerId: string): Promise<Foreknown> {
  const [row] = await sql.query<{ seq: string; number: string | null }>(
    `select coalesce(max(seq), 0) as seq,
       (select number from ca.list where issuer_id = $1 and scope = 'full' and current) as number
     from ca.change`,
    [issuerId],
  );
  const number = row?.number ?? null;
  return {
    issuerId,
    seq: BigInt(row?.seq ?? 0),
    statuses: await readStatuses(sql, issuerId),
    full: number === null ? undefined : { number, table: await readCurrent(sql, issuerId, "full") },
  };
}

/** The same for whoever will check later. */
export function foreknow(database: Database, issuerId: string): Promise<Foreknown> {
  return database.transaction((sql) => readForeknown(sql, issuerId), SNAPSHOT);
}

/** What was read before, as long as nothing of it has changed; else read anew. Changes are numbered as they commit. */
async function stillKnown(
  sql: OctetSql,
  known: Known,
  { issuerId, before }: { readonly issuerId: string; readonly before: Foreknown | undefined },
): Promise<Foreknown> {
  if (before === undefined || before.issuerId !== issuerId) return readForeknown(sql, issuerId);
  const isCurrent = known.current.get("full")?.number === before.full?.number;
  const changed = await readChanged(sql, { issuerId, after: before.seq });
  return isCurrent && changed.size === 0 ? before : readForeknown(sql, issuerId);
}

interface Checked {
  readonly known: Known;
  readonly context: CheckContext;
  readonly foreknown: Foreknown;
  readonly changed: ReadonlyMap<Serial, number>;
  /** Whether the shards have what the full list has, so that what is found of the entries of the ones holds for the other. */
  readonly areShards: boolean;
}

/**
 * Entries that were compared need not be compared again: those of the full list are those of the shards, and who has left
 * a shard has left the full list. Both are true of lists before only if their counts say so, too.
 */
function spared(
  { known, areShards }: Checked,
  scope: string,
): { entries: boolean; leavers: boolean } {
  const [full, ...shards] = SCOPES.map((one) => known.current.get(one));
  const wereShards =
    full !== undefined &&
    shards.every((shard) => shard?.number === full.number) &&
    shards.reduce((sum, shard) => sum + (shard?.entries ?? 0), 0) === full.entries;
  return {
    entries: areShards && scope === "full",
    leavers: areShards && wereShards && scope !== "full",
  };
}

async function leaversOf(
  sql: OctetSql,
  { scope, view }: { readonly scope: string; readonly view: CrlView },
  { known, context, foreknown }: Checked,
): Promise<readonly string[]> {
  const before = known.current.get(scope);
  if (before === undefined) return [];
  const old =
    scope === "full" && foreknown.full !== undefined
      ? foreknown.full.table
      : await readCurrent(sql, context.issuerId, scope);
  return leaverFindings(sql, { before, old, fresh: view.table });
}

async function listFindings(
  sql: OctetSql,
  { scope, view }: ReadList,
  checked: Checked,
): Promise<readonly string[]> {
  if (typeof view === "string") return [view];
  const { known, context, foreknown, changed } = checked;
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
  const { statuses } = foreknown;
  const spare = spared(checked, scope);
  const findings = [
    ...checkCrlForm(view, expected, context.verify),
    ...(spare.entries ? [] : firstEntryFindings(view.table, { statuses, changed, scope, before })),
  ];
  if (before !== undefined && view.thisUpdate < before.this_update)
    findings.push("R18 thisUpdate lies before that of the list before");
  return spare.leavers
    ? findings
    : [...findings, ...(await leaversOf(sql, { scope, view }, checked))];
}

/** As `checkLists`, by what a transaction sees: it may hold changes that come with the lists. */
export async function checkListsWithin(
  sql: OctetSql,
  lists: readonly ListToCheck[],
  { before, ...context }: CheckContext & { readonly before?: Foreknown },
): Promise<readonly string[]> {
  const { issuerId, watermark } = context;
  const known = await readKnown(sql, context);
  if (known === undefined) return [`there is no issuer ${issuerId}`];
  const scopes = known.issuer.kind === "root" ? ["full"] : SCOPES;
  const given = lists.map(({ scope }) => scope);
  const findings: string[] = [];
  if (given.join() !== scopes.join())
    findings.push(`the lists are ${given.join(" ")} instead of ${scopes.join(" ")}`);
  // The lists are read while the database collects what else is needed.
  const [foreknown, read] = await Promise.all([
    stillKnown(sql, known, { issuerId, before }),
    Promise.resolve(lists.map(readList)),
  ]);
  const changed = await readChanged(sql, { issuerId, after: watermark });
  const areShards = areAllShardsOf(read);
  const found = new Map<string, readonly string[]>();
  // The shards before the full list: what is wrong with one of them is looked for on it, too.
  for (const list of read.toReversed()) {
    const isSound = [...found.values()].every((one) => one.length === 0);
    const checked = { known, context, foreknown, changed, areShards: areShards && isSound };
    found.set(list.scope, await listFindings(sql, list, checked));
  }
  const said = given.flatMap((scope) =>
    (found.get(scope) ?? []).map((finding) => `${issuerId} ${scope}: ${finding}`),
  );
  return [...findings, ...said];
}

const SNAPSHOT = { isolation: "repeatable read", readOnly: true } as const;

/**
 * What keeps these lists of one issuer from being published; nothing means that they may. They come all together or not at
 * all. `before` is what was read before they came, if anything was.
 */
export function checkLists(
  database: Database,
  lists: readonly ListToCheck[],
  context: CheckContext & { readonly before?: Foreknown },
): Promise<readonly string[]> {
  return database.transaction((sql) => checkListsWithin(sql, lists, context), SNAPSHOT);
}
