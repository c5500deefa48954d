import { BACKDATE_MS } from "../pki/clock.ts";
import { EntryRows, SERIAL_SLOT } from "../pki/crl-entry-rows.ts";
import type { OctetSql } from "../storage/sql.ts";
import { timestampAt } from "../storage/timestamp.ts";

/** Whose entries, and the lists before: what was revoked after them has been on none. */
export interface ListedQuestion {
  readonly issuerId: string;
  readonly lastThisUpdate: Date;
  readonly lastSignedAt: Date;
}

/** What the database makes of a row: the serial's slot, shard and reason in two octets, the time in eight. */
const RECORD = SERIAL_SLOT + 2 + 8;

/**
 * Everything that is revoked or on hold, and has not been on a list that covers its notAfter. In the order of the disk, and
 * some thousand rows in one: a million rows by themselves take the driver longer than all the rest of a list.
 */
const LISTED = `select string_agg(
    substring('\\x${"00".repeat(SERIAL_SLOT)}'::bytea || serial from length(serial) + 1)
      || int2send((shard * 16 + reason)::int2) || timestamptz_send(revoked_at), '') as page
  from ca.issued
  where issuer_id = $1 and state in ('hold', 'revoked') and (not_after >= $2 or revoked_at >= $3)
  group by shard`;

/** Who must be on an issuer's lists, with the published dates. Inside a transaction, whose snapshot is the list's. */
export async function readListed(
  sql: OctetSql,
  { issuerId, lastThisUpdate, lastSignedAt }: ListedQuestion,
): Promise<EntryRows> {
  const rows = await sql.octets(LISTED, [issuerId, lastThisUpdate, lastSignedAt]);
  const pages = rows.map(([page = Buffer.alloc(0)]) => page);
  const count = pages.reduce((sum, { length }) => sum + length / RECORD, 0);
  const listed = new EntryRows(count);
  let row = 0;
  for (const page of pages) {
    for (let at = 0; at < page.length; at += RECORD, row++) {
      const to = listed.serialAt(row);
      for (let i = 0; i < SERIAL_SLOT; i++) listed.octets[to + i] = page[at + i] ?? 0;
      const both = page[at + SERIAL_SLOT + 1] ?? 0;
      const revokedAt = timestampAt(page, at + SERIAL_SLOT + 2) - BACKDATE_MS;
      listed.put(row, { revokedAt, reason: both & 15, shard: both >> 4 });
    }
  }
  return listed;
}
