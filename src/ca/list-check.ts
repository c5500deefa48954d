import { parseCertificate } from "../pki/certificate-view.ts";
import { BACKDATE_MS } from "../pki/clock.ts";
import { checkCrl, compareSerials, type ExpectedEntry } from "../pki/crl-check.ts";
import { type CrlView, readCrl } from "../pki/crl-reader.ts";
import type { Verify } from "../pki/crypto.ts";
import { MalformedCrlError } from "../pki/errors.ts";
import { type Serial, serialBytes, serialFromInteger } from "../pki/serial.ts";
import type { Database } from "../storage/database.ts";
import type { Sql } from "../storage/sql.ts";
import { type ListedStatus, ListedStatuses } from "./list-statuses.ts";

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
  readonly der: Buffer;
}

/** Everything that the check goes by, of one moment. */
interface Known {
  readonly issuer: IssuerRow;
  readonly current: ReadonlyMap<string, CurrentRow>;
  readonly statuses: ListedStatuses;
}

async function readKnown(
  sql: Sql,
  { issuerId, watermark }: CheckContext,
): Promise<Known | undefined> {
  const [issuer] = await sql.query<IssuerRow>(
    "select kind, certificate, subject, key_identifier, va_url from ca.issuer where id = $1",
    [issuerId],
  );
  if (issuer === undefined) return undefined;
  const current = await sql.query<CurrentRow>(
    "select scope, number, this_update, signed_at, der from ca.list where issuer_id = $1 and current",
    [issuerId],
  );
  const statuses = await ListedStatuses.read(sql, { issuerId, watermark });
  return { issuer, current: new Map(current.map((row) => [row.scope, row])), statuses };
}

const SCOPES = ["full", ...Array.from({ length: 16 }, (_, shard) => `0${shard.toString(16)}`)];

/** Whether a list may leave the certificate out: the one before covered its notAfter, and had it. */
function mayHaveLeft(
  { notAfter, revokedAt }: ListedStatus,
  before: CurrentRow | undefined,
): boolean {
  return (
    before !== undefined &&
    notAfter < before.this_update &&
    (revokedAt ?? notAfter) < before.signed_at
  );
}

function* expectedEntries({ statuses, current }: Known, scope: string): Generator<ExpectedEntry> {
  const before = current.get(scope);
  const shard = scope === "full" ? undefined : Number.parseInt(scope, 16);
  for (const status of statuses.of(shard)) {
    const { isSettled, reason, revokedAt, serial } = status;
    yield {
      serial,
      required: isSettled && !mayHaveLeft(status, before),
      ...(isSettled && reason !== undefined && { reason }),
      ...(isSettled &&
        revokedAt !== undefined && { revokedAt: new Date(revokedAt.getTime() - BACKDATE_MS) }),
    };
  }
}

/** So many that left are looked up in one statement. */
const BATCH = 10_000;

/** So many that left before their end are told; one of them is enough to stop the lists. */
const MAX_LEAVERS_TOLD = 20;

// Both lists are walked side by side, and nothing is kept but who left. One out of order is a finding of its own.
function leavers(before: CrlView, after: CrlView): Map<Serial, number> {
  const gone = new Map<Serial, number>();
  const present = after.entries();
  let next = present.next();
  for (const { serial, reason } of before.entries()) {
    while (next.done !== true && compareSerials(next.value.serial, serial) < 0)
      next = present.next();
    if (next.done === true || next.value.serial !== serial) gone.set(serial, reason);
  }
  return gone;
}

/** Nobody leaves a list but by expiry or release, whatever the database says now: it may have lost them (R16, R13). */
async function leaverFindings(
  sql: Sql,
  lists: { before: CurrentRow; after: CrlView },
): Promise<readonly string[]> {
  const { before, after } = lists;
  const gone = leavers(readCrl(before.der), after);
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

async function listFindings(
  sql: Sql,
  list: ListToCheck,
  { known, context }: { known: Known; context: CheckContext },
): Promise<readonly string[]> {
  const { issuer, current } = known;
  let view: CrlView;
  try {
    view = readCrl(list.der);
  } catch (error) {
    if (error instanceof MalformedCrlError) return [error.message];
    throw error;
  }
  const before = current.get(list.scope);
  const expected = {
    issuerName: issuer.subject,
    issuerSpki: parseCertificate(issuer.certificate).view.spki,
    issuerKeyIdentifier: issuer.key_identifier,
    ...(list.scope !== "full" && {
      distributionPoint: `${issuer.va_url}/crl/${context.issuerId}-${list.scope}.crl`,
    }),
    ...(before !== undefined && { previousNumber: BigInt(before.number) }),
    now: context.now,
    entries: expectedEntries(known, list.scope),
  };
  const findings = checkCrl(view, expected, context.verify);
  if (before !== undefined && view.thisUpdate < before.this_update)
    findings.push("R18 thisUpdate lies before that of the list before");
  return before === undefined
    ? findings
    : [...findings, ...(await leaverFindings(sql, { before, after: view }))];
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
  for (const list of lists) {
    for (const finding of await listFindings(sql, list, { known, context }))
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
