import { recordAll } from "../audit/record.ts";
import type { Clock } from "../pki/clock.ts";
import { REASON_CODES } from "../pki/revocation-reason.ts";
import { type Serial, serialFromInteger } from "../pki/serial.ts";
import type { NewId } from "../pki/uuid.ts";
import type { Database } from "../storage/database.ts";
import type { Sql } from "../storage/sql.ts";
import { RESERVATION_MS } from "./certificate-builder.ts";
import type { Ledger } from "./ledger.ts";

/** How long an answer with a bundle may be on its way before the signer takes it for lost. */
const DELIVERY_MS = RESERVATION_MS;

/** A reservation that nobody has asked for within this time was made by a process that is gone. */
const UNCLAIMED_MS = 5_000;

export interface ClosingDeps {
  readonly database: Database;
  readonly ledger: Ledger;
  readonly clock: Clock;
  readonly newId: NewId;
}

interface ClosedRow {
  readonly serial: Buffer;
  readonly corporation_id: string | null;
}

async function recordClosed(
  sql: Sql,
  closed: { rows: readonly ClosedRow[]; action: string; why: string; at: Date },
  newId: NewId,
): Promise<void> {
  if (closed.rows.length === 0) return;
  const facts = closed.rows.map((row) => ({
    at: closed.at,
    actor: "signer",
    action: closed.action,
    subject: `certificate/${serialFromInteger(row.serial)}`,
    ...(row.corporation_id !== null && { corporationId: row.corporation_id }),
    detail: { why: closed.why },
  }));
  await recordAll(sql, facts, newId);
}

/** Of a row `i` of ca.issued: a root session was asked for it. It waits for weeks, and for nobody here. */
export const WAITS_FOR_ROOT = `exists (select from ca.root_request r where r.state in ('open', 'answered') and i.serial = any (r.serials))`;

const CORPORATION =
  "(select b.corporation_id from app.binding b where b.serial = i.serial and b.bound_to is null) as corporation_id";

/**
 * Gives up reservations from before a time. In a turn of the ledger, with nothing unconfirmed, what is still `reserved`
 * has no record in the journal: it was never signed, and its key is free again.
 */
async function abandonReserved(
  { database, ledger, clock, newId }: ClosingDeps,
  before: Date,
): Promise<number> {
  return ledger.turn(() =>
    database.transaction(async (sql) => {
      const rows = await sql.query<ClosedRow>(
        `update ca.issued i set state = 'abandoned' where i.state = 'reserved' and i.reserved_at < $1 and not ${WAITS_FOR_ROOT}
         returning i.serial, ${CORPORATION}`,
        [before],
      );
      await recordClosed(
        sql,
        { rows, action: "certificate.abandoned", why: "reserved, but never signed", at: clock() },
        newId,
      );
      return rows.length;
    }),
  );
}

/** Revokes certificates whose key we made and could not hand over: nobody has it. */
async function revokeUndelivered(
  { database, clock, newId }: ClosingDeps,
  before: Date,
): Promise<number> {
  return database.transaction(async (sql) => {
    // Looked for before the update: the update's trigger takes the lock that orders changes, even when it finds nothing.
    const lost = await sql.query<{ serial: Buffer }>(
      `select serial from ca.issued where state in ('good', 'hold') and key_origin = 'server' and delivered_at is null
         and not_after > $1 and issued_at < $1`,
      [before],
    );
    if (lost.length === 0) return 0;
    const at = clock();
    const rows = await sql.query<ClosedRow>(
      `update ca.issued i set state = 'revoked', reason = $2, revoked_at = case when i.state = 'hold' then i.revoked_at else $3 end
       where i.serial = any($1::bytea[]) and i.state in ('good', 'hold') and i.delivered_at is null returning i.serial, ${CORPORATION}`,
      [lost.map(({ serial }) => serial), REASON_CODES.cessationOfOperation, at],
    );
    await recordClosed(
      sql,
      { rows, action: "certificate.revoked", why: "its key was never delivered", at },
      newId,
    );
    return rows.length;
  });
}

/** What was closed. */
export interface Closed {
  readonly abandoned: number;
  readonly revoked: number;
}

/** Closes what a crash has left behind; at a start all of it, while working what is older than ten minutes. */
export async function closeLeftovers(
  deps: ClosingDeps,
  when: "start" | "working",
): Promise<Closed> {
  const now = deps.clock();
  const tooOld = new Date(now.getTime() - RESERVATION_MS);
  const abandoned = await abandonReserved(deps, when === "start" ? now : tooOld);
  const revoked = await revokeUndelivered(deps, new Date(now.getTime() - DELIVERY_MS));
  return { abandoned, revoked };
}

/**
 * Reservations that nobody asked the signer for, although the requester has the key: whoever reserved them is gone, and
 * repeating the request finds the certificate. Those with a key of ours are left to be given up, because that key is lost.
 * `waitedMs`: how long ago they must have been made at least.
 */
export async function unclaimedSerials(
  { database, clock }: ClosingDeps,
  { waitedMs = UNCLAIMED_MS, most }: { readonly waitedMs?: number; readonly most: number },
): Promise<readonly Serial[]> {
  const now = clock().getTime();
  const rows = await database.query<{ serial: Buffer }>(
    `select serial from ca.issued i where state = 'reserved' and key_origin = 'subject' and reserved_at > $1 and reserved_at <= $2
       and not ${WAITS_FOR_ROOT} order by reserved_at limit $3`,
    [new Date(now - RESERVATION_MS), new Date(now - waitedMs), most],
    "unclaimed",
  );
  return rows.map(({ serial }) => serialFromInteger(serial));
}
