import { type JsonObject, record } from "../audit/record.ts";
import type { Clock } from "../pki/clock.ts";
import type { NewId } from "../pki/uuid.ts";
import { InvalidValueError, OutsideScopeError } from "../registry/errors.ts";
import type { Principal } from "../registry/principal.ts";
import type { Database } from "../storage/database.ts";
import type { Sql } from "../storage/sql.ts";

/** What is in force at a relying party now: its CA certificates, and its lists. */
export interface InForce {
  /** SHA-256 of each CA certificate, hex. */
  readonly certificates: readonly string[];
  readonly lists: readonly {
    /** SHA-256 of the certificate of the CA that signed it, hex. */
    readonly issuer: string;
    /** The CRL number, decimal. */
    readonly number: string;
  }[];
}

export interface Acknowledged {
  readonly relyingPartyId: string;
  readonly at: Date;
}

export interface AcknowledgementDeps {
  /** As suido_app. */
  readonly database: Database;
  readonly clock: Clock;
  readonly newId: NewId;
}

/**
 * Takes down what a relying party says that it has in force. The whole of it: what it no longer names it no longer has.
 * Throws OutsideScopeError for a key that speaks for no party, InvalidValueError for what Suido never gave out.
 */
export type Acknowledge = (principal: Principal, inForce: InForce) => Promise<Acknowledged>;

interface ListRow {
  readonly issuer_id: string;
  readonly number: string;
  readonly watermark: string;
}

interface Taken {
  readonly partyId: string;
  readonly issuers: readonly string[];
  readonly lists: readonly ListRow[];
  readonly at: Date;
}

/** The ids of our issuers, by the hash of their certificate. */
async function issuersByHash(sql: Sql): Promise<ReadonlyMap<string, string>> {
  const rows = await sql.query<{ id: string; sha256: string }>(
    "select id, encode(sha256(certificate), 'hex') as sha256 from ca.issuer",
  );
  return new Map(rows.map(({ id, sha256 }) => [sha256, id]));
}

function idOf(known: ReadonlyMap<string, string>, sha256: string, field: string): string {
  const id = known.get(sha256.replaceAll(":", "").toLowerCase());
  if (id === undefined)
    throw new InvalidValueError(field, "is the SHA-256 of no CA certificate of Suido");
  return id;
}

async function listsOf(
  sql: Sql,
  { lists }: InForce,
  known: ReadonlyMap<string, string>,
): Promise<readonly ListRow[]> {
  const wanted = lists.map(({ issuer, number }, i) => ({
    issuerId: idOf(known, issuer, `lists[${i}].issuer`),
    number,
  }));
  const rows = await sql.query<ListRow>(
    `select l.issuer_id, l.number, l.watermark from ca.list l
     join unnest($1::text[], $2::bigint[]) as w (issuer_id, number) on w.issuer_id = l.issuer_id and w.number = l.number
     where l.scope = 'full'`,
    [wanted.map(({ issuerId }) => issuerId), wanted.map(({ number }) => number)],
  );
  return wanted.map(({ issuerId, number }, i) => {
    const row = rows.find((one) => one.issuer_id === issuerId && one.number === number);
    if (row === undefined)
      throw new InvalidValueError(`lists[${i}].number`, "is the number of no list of this CA");
    if (wanted.findIndex((one) => one.issuerId === issuerId) !== i)
      throw new InvalidValueError(`lists[${i}].issuer`, "is named twice");
    return row;
  });
}

async function takeIssuers(sql: Sql, { at, issuers, partyId }: Taken): Promise<boolean> {
  const gone = await sql.query(
    "delete from party.acknowledged_issuer where relying_party_id = $1 and issuer_id <> all($2) returning issuer_id",
    [partyId, issuers],
  );
  const come = await sql.query(
    `insert into party.acknowledged_issuer (relying_party_id, issuer_id, at)
     select $1, id, $3 from unnest($2::text[]) as i (id) on conflict do nothing returning issuer_id`,
    [partyId, issuers, at],
  );
  return gone.length + come.length > 0;
}

/** Writes what has changed. Returns the issuers whose list went back. */
async function takeLists(
  sql: Sql,
  { at, lists, partyId }: Taken,
): Promise<{ readonly changed: boolean; readonly back: readonly string[] }> {
  const before = await sql.query<{ issuer_id: string; number: string }>(
    "select issuer_id, number from party.acknowledged_list where relying_party_id = $1 and current",
    [partyId],
  );
  const same = (a: ListRow): boolean =>
    before.some((b) => b.issuer_id === a.issuer_id && b.number === a.number);
  const fresh = lists.filter((list) => !same(list));
  const left = before.filter(
    ({ issuer_id }) =>
      !lists.some((list) => list.issuer_id === issuer_id) ||
      fresh.some((list) => list.issuer_id === issuer_id),
  );
  const back = fresh.filter(({ issuer_id, number }) =>
    before.some((b) => b.issuer_id === issuer_id && BigInt(b.number) > BigInt(number)),
  );
  if (left.length > 0) {
    await sql.query(
      "update party.acknowledged_list set current = false where relying_party_id = $1 and current and issuer_id = any($2)",
      [partyId, left.map(({ issuer_id }) => issuer_id)],
    );
  }
  if (fresh.length > 0) {
    await sql.query(
      `insert into party.acknowledged_list (relying_party_id, issuer_id, number, watermark, at, rising, current)
       select $1, issuer_id, number, watermark, $5, issuer_id <> all($6), true
       from unnest($2::text[], $3::bigint[], $4::bigint[]) as l (issuer_id, number, watermark)`,
      [
        partyId,
        fresh.map(({ issuer_id }) => issuer_id),
        fresh.map(({ number }) => number),
        fresh.map(({ watermark }) => watermark),
        at,
        back.map(({ issuer_id }) => issuer_id),
      ],
    );
  }
  return {
    changed: left.length + fresh.length > 0,
    back: back.map(({ issuer_id }) => issuer_id),
  };
}

export function createAcknowledge({ clock, database, newId }: AcknowledgementDeps): Acknowledge {
  return async ({ actor, relyingPartyId }, inForce) => {
    if (relyingPartyId === undefined)
      throw new OutsideScopeError("this key speaks for no relying party");
    const at = clock();
    await database.transaction(async (sql) => {
      // One acknowledgement of a party after the other.
      await sql.query(
        "update party.relying_party set last_seen_at = greatest(last_seen_at, $2) where id = $1",
        [relyingPartyId, at],
      );
      const known = await issuersByHash(sql);
      const issuers = inForce.certificates.map((sha256, i) =>
        idOf(known, sha256, `certificates[${i}]`),
      );
      const lists = await listsOf(sql, inForce, known);
      const taken = { partyId: relyingPartyId, issuers: [...new Set(issuers)], lists, at };
      const hasNewIssuers = await takeIssuers(sql, taken);
      const { back, changed } = await takeLists(sql, taken);
      if (!hasNewIssuers && !changed) return;
      const detail: JsonObject = {
        issuers: taken.issuers,
        lists: Object.fromEntries(lists.map(({ issuer_id, number }) => [issuer_id, number])),
        ...(back.length > 0 && { wentBack: back }),
      };
      const subject = `relying-party/${relyingPartyId}`;
      await record(
        sql,
        { at, actor, action: "relying-party.acknowledged", subject, detail },
        newId,
      );
    });
    return { relyingPartyId, at };
  };
}
