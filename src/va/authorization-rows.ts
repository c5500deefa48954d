import type { Database } from "../storage/database.ts";
import type { Sql } from "../storage/sql.ts";
import {
  type AuthorizationFact,
  type AuthorizationIndex,
  kindName,
} from "./authorization-index.ts";
import type { StatusDigest } from "./status-index.ts";

/** A row of `app.authorization_fact`. */
interface FactRow {
  readonly serial: Uint8Array;
  readonly open: boolean;
  readonly device_id: string;
  readonly account_id: string;
  readonly pharmacy_id: string;
  readonly corporation_id: string;
  readonly epoch: number;
  readonly personal: boolean;
  readonly retired: boolean;
  readonly disabled: boolean;
  readonly member: boolean;
  readonly member_from: number | null;
  readonly member_to: number | null;
  readonly member_later: boolean;
}

/** Rows that one statement returns at most, so that nothing waits long for parsing. */
const PAGE_ROWS = 5_000;

const COLUMNS = `serial, open, device_id, account_id, pharmacy_id, corporation_id, epoch, personal, retired, disabled,
  member, member_from, member_to, member_later`;

function factOf(row: FactRow): AuthorizationFact {
  return {
    serial: row.serial,
    isOpen: row.open,
    deviceId: row.device_id,
    accountId: row.account_id,
    pharmacyId: row.pharmacy_id,
    corporationId: row.corporation_id,
    epoch: row.epoch,
    isPersonal: row.personal,
    isRetired: row.retired,
    isDisabled: row.disabled,
    memberFrom: row.member ? (row.member_from ?? Number.NEGATIVE_INFINITY) : 0,
    memberTo: row.member ? (row.member_to ?? Number.POSITIVE_INFINITY) : 0,
    isMemberLater: row.member_later,
  };
}

function takeAll(index: AuthorizationIndex, rows: readonly FactRow[]): void {
  for (const row of rows) index.set(factOf(row));
}

/** Every transaction below this number has ended: what is read from here on misses nothing that comes later. */
export async function readHorizon(sql: Sql): Promise<string> {
  const [row] = await sql.query<{ horizon: string }>(
    "select pg_snapshot_xmin(pg_current_snapshot())::text as horizon",
  );
  return row?.horizon ?? "0";
}

async function readPharmacies(
  sql: Sql,
  index: AuthorizationIndex,
  since: string | null,
): Promise<void> {
  const rows = await sql.query<{ pharmacy_id: string; corporation_id: string }>(
    "select pharmacy_id, corporation_id from app.authorization_pharmacies($1::xid8)",
    [since],
    "va-authorization-pharmacies",
  );
  for (const row of rows) index.setPharmacy(row.pharmacy_id, row.corporation_id);
}

/** Everything, page by page. The function stands in the list of what is selected, where it gives row after row. */
export async function readAllFacts(
  database: Pick<Database, "transaction">,
  index: AuthorizationIndex,
): Promise<void> {
  await database.transaction(
    async (sql) => {
      await readPharmacies(sql, index, null);
      index.beginLoad();
      await sql.query(
        `declare facts no scroll cursor for
         select (f.fact).* from (select app.authorization_facts() as fact offset 0) f`,
      );
      for (;;) {
        const rows = await sql.query<FactRow>(`fetch ${PAGE_ROWS} from facts`);
        takeAll(index, rows);
        if (rows.length < PAGE_ROWS) break;
      }
      index.endLoad();
    },
    { readOnly: true },
  );
}

/**
 * What was changed by transactions that had not ended at `horizon`. Those that are still open will be read again: the new
 * horizon, which is returned, is below them.
 */
export async function readChangedFacts(
  sql: Sql,
  index: AuthorizationIndex,
  horizon: string,
): Promise<string> {
  const rows = await sql.query<{ horizon: string } & (FactRow | { serial: null })>(
    `select h.horizon, f.*
     from (select pg_snapshot_xmin(pg_current_snapshot())::text as horizon) h
     left join app.authorization_changes($1::xid8) f on true`,
    [horizon],
    "va-authorization-changes",
  );
  takeAll(
    index,
    rows.filter((row): row is { horizon: string } & FactRow => row.serial !== null),
  );
  await readPharmacies(sql, index, horizon);
  return rows[0]?.horizon ?? horizon;
}

/** These serials, as far as they ever stood for somebody. */
export async function readFactsOf(
  sql: Sql,
  index: AuthorizationIndex,
  serials: readonly Uint8Array[],
): Promise<void> {
  const rows = await sql.query<FactRow>(
    `select ${COLUMNS} from app.authorization_facts_of($1::bytea[])`,
    [serials.map((serial) => Buffer.from(serial))],
    "va-authorization-facts-of",
  );
  takeAll(index, rows);
}

/** What `AuthorizationIndex.digests` computes, by the database. */
export async function readFactDigests(sql: Sql): Promise<ReadonlyMap<string, StatusDigest>> {
  const rows = await sql.query<{
    personal: boolean;
    retired: boolean;
    disabled: boolean;
    count: string;
    xor: string;
  }>("select personal, retired, disabled, count, xor from app.authorization_digests()");
  return new Map(
    rows.map(({ count, xor, ...flags }) => [
      kindName(flags),
      { count: Number(count), xor: BigInt(`0b${xor}`).toString(16).padStart(16, "0") },
    ]),
  );
}
