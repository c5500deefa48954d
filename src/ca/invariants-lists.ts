import { parseCertificate } from "../pki/certificate-view.ts";
import { BACKDATE_MS } from "../pki/clock.ts";
import { checkCrl, type ExpectedEntry } from "../pki/crl-check.ts";
import { readCrl } from "../pki/crl-reader.ts";
import { equal, toHex } from "../pki/bytes.ts";
import type { Digest, Verify } from "../pki/crypto.ts";
import { MalformedCrlError } from "../pki/errors.ts";
import { serialFromInteger } from "../pki/serial.ts";
import type { Sql } from "../storage/sql.ts";
import { isDue, type JournalFindings } from "./invariants-journal.ts";

export interface ListInvariantDeps {
  readonly now: Date;
  readonly digest: Digest;
  readonly verify: Verify;
  readonly fetchList?: (url: string) => Promise<Uint8Array>;
}

interface ListRow {
  readonly issuer_id: string;
  readonly scope: string;
  readonly number: string;
  readonly watermark: string;
  readonly this_update: Date;
  readonly sha256: Buffer;
  readonly der: Buffer;
  readonly kind: "root" | "issuing";
  readonly certificate: Buffer;
  readonly subject: Buffer;
  readonly key_identifier: Buffer;
  readonly va_url: string;
}

interface StatusRow {
  readonly serial: Buffer;
  readonly reason: number | null;
  readonly revoked_at: Date | null;
  readonly not_after: Date;
  readonly changed: boolean;
}

/** I3, I5: who must be on the list by the database, as it was when the list was made. */
async function expectedOn(sql: Sql, list: ListRow): Promise<readonly ExpectedEntry[]> {
  const shard = list.scope === "full" ? null : Number.parseInt(list.scope, 16);
  const rows = await sql.query<StatusRow>(
    `select serial, reason, revoked_at, not_after,
       serial in (select c.serial from ca.change c where c.seq > $3 and c.serial is not null) as changed
     from ca.issued
     where issuer_id = $1 and ($2::smallint is null or shard = $2)
       and (reason is not null or serial in (select c.serial from ca.change c where c.seq > $3 and c.serial is not null))
     order by length(serial), serial`,
    [list.issuer_id, shard, list.watermark],
  );
  return rows.map((row) => expectedEntry(row, list));
}

function expectedEntry(row: StatusRow, list: ListRow): ExpectedEntry {
  const serial = serialFromInteger(row.serial);
  if (row.changed) return { serial, required: false };
  const { reason, revoked_at: revokedAt, not_after: notAfter } = row;
  return {
    serial,
    required: notAfter >= list.this_update,
    ...(reason !== null && { reason }),
    ...(revokedAt !== null && { revokedAt: new Date(revokedAt.getTime() - BACKDATE_MS) }),
  };
}

const urlOf = ({ va_url: va, issuer_id: id, scope }: ListRow): string =>
  `${va}/crl/${id}${scope === "full" ? "" : `-${scope}`}.crl`;

async function currentFaults(
  sql: Sql,
  list: ListRow,
  deps: ListInvariantDeps,
): Promise<readonly string[]> {
  const { now, digest, verify, fetchList } = deps;
  const faults: string[] = [];
  if (toHex(digest("sha256", list.der)) !== toHex(list.sha256))
    faults.push("I4 the bytes are not those of the hash");
  try {
    const expected = {
      issuerName: list.subject,
      issuerSpki: parseCertificate(list.certificate).view.spki,
      issuerKeyIdentifier: list.key_identifier,
      ...(list.scope !== "full" && { distributionPoint: urlOf(list) }),
      now,
      entries: await expectedOn(sql, list),
    };
    const view = readCrl(list.der);
    if (view.number !== BigInt(list.number)) faults.push("I4 the number is not the row's");
    faults.push(...checkCrl(view, expected, verify));
    if (fetchList !== undefined && !equal(await fetchList(urlOf(list)), list.der))
      faults.push("I5 what is served is another list");
  } catch (error) {
    if (!(error instanceof MalformedCrlError)) throw error;
    faults.push(`I4 ${error.message}`);
  }
  return faults.map((fault) => `${list.issuer_id} ${list.scope}: ${fault}`);
}

/** I4 over all generations: numbers rise with the time of signing, thisUpdate never falls, and each number is in the journal. */
async function historyFaults(
  sql: Sql,
  journal: JournalFindings,
  now: Date,
): Promise<readonly string[]> {
  const rows = await sql.query<{ id: string; sha256: Buffer; signed_at: Date; is_down: boolean }>(
    `select issuer_id || '/' || scope || '/' || number as id, sha256, signed_at,
       coalesce(number <= lag(number) over w or this_update < lag(this_update) over w, false) as is_down
     from ca.list window w as (partition by issuer_id, scope order by signed_at, number)`,
  );
  const faults: string[] = [];
  for (const { id, sha256, signed_at: signedAt, is_down: isDown } of rows) {
    if (isDown) faults.push(`I4 ${id} does not rise above the one before`);
    const journaled = journal.lists.get(id);
    if (journaled === undefined && isDue(signedAt, journal, now))
      faults.push(`I4 ${id} is not in the journal`);
    if (journaled !== undefined && journaled !== toHex(sha256))
      faults.push(`I4 ${id} is another list in the journal`);
  }
  return faults;
}

/** Every issuing CA has a full list and sixteen shards, every root a full list; one announced a moment ago gets them yet. */
async function missingFaults(sql: Sql): Promise<readonly string[]> {
  const rows = await sql.query<{ id: string; kind: string; state: string; count: number }>(
    `select i.id, i.kind, i.state, count(l.scope)::integer as count from ca.issuer i left join ca.list l on l.issuer_id = i.id and l.current
     where i.state <> 'ended' group by i.id, i.kind, i.state`,
  );
  return rows
    .filter(({ state, count }) => state !== "announced" || count > 0)
    .filter(({ kind, count }) => count !== (kind === "root" ? 1 : 17))
    .map(({ id, count }) => `I3 ${id} has ${count} current lists`);
}

/** I3, I4 and I5 of all lists. */
export async function listFaults(
  sql: Sql,
  journal: JournalFindings,
  deps: ListInvariantDeps,
): Promise<{ faults: string[]; count: number }> {
  const lists = await sql.query<ListRow>(
    `select l.issuer_id, l.scope, l.number, l.watermark, l.this_update, l.sha256, l.der,
       i.kind, i.certificate, i.subject, i.key_identifier, i.va_url
     from ca.list l join ca.issuer i on i.id = l.issuer_id where l.current and i.state <> 'ended' order by l.issuer_id, l.scope`,
  );
  const faults = [...(await missingFaults(sql)), ...(await historyFaults(sql, journal, deps.now))];
  for (const list of lists) faults.push(...(await currentFaults(sql, list, deps)));
  return { faults, count: lists.length };
}
