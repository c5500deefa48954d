import type { Fact } from "../../audit/record.ts";
import { toHex, utf8Bytes } from "../../pki/bytes.ts";
import type { Clock } from "../../pki/clock.ts";
import type { Digest, Random } from "../../pki/crypto.ts";
import type { Database } from "../../storage/database.ts";
import type { Sql } from "../../storage/sql.ts";
import { NoSessionError } from "../errors.ts";
import type { FactorDeps, FactorKind } from "../factors/factor-rows.ts";

export interface EmergencyDeps extends FactorDeps {
  /** As suido_app. */
  readonly database: Database;
  readonly clock: Clock;
  readonly random: Random;
  readonly digest: Digest;
  readonly timeZone: string;
  /** How often a pharmacy may in a month of that zone. */
  readonly perMonth: number;
  /** Who looks after Suido, if they have an address. */
  readonly operator: { readonly address: string; readonly language: "ja" | "en" } | undefined;
}

/** How somebody was known first. */
export type FirstHow = "mailed-code" | "sign-in";

/** A browser that is on its way to the second factor. */
export interface VisitRow {
  readonly id: string;
  readonly account_id: string;
  readonly code_sha256: Uint8Array | null;
  readonly code_until: Date | null;
  readonly code_wrong: number;
  readonly first_how: FirstHow | null;
  readonly challenge: string | null;
  readonly second_how: FactorKind | null;
}

/** A quarter of an hour: the whole of it takes five minutes. */
export const VISIT_MS = 15 * 60_000;

const SECRET_OCTETS = 16;
const SECRET = /^[0-9a-f]{32}$/;

export const newVisitSecret = (random: Random): string => toHex(random(SECRET_OCTETS));

/** By what the session of a browser is kept and found; undefined for what is no secret of ours. */
export function visitHash(secret: string, digest: Digest): Uint8Array | undefined {
  return SECRET.test(secret)
    ? digest("sha256", utf8Bytes(`emergency-session:${secret}`))
    : undefined;
}

/** A visit in the transaction that has locked it. */
export interface Visiting {
  readonly sql: Sql;
  readonly row: VisitRow;
  readonly corporationId: string;
  readonly at: Date;
}

const FIND = `select v.id, v.account_id, v.code_sha256, v.code_until, v.code_wrong, v.first_how, v.challenge, v.second_how
  from app.emergency_visit v join app.account a on a.id = v.account_id and a.disabled_at is null
  where v.session_sha256 = $1 and v.expires_at > $2 for update of v`;

/** Work in a session. Throws NoSessionError where there is none, or none any more. */
export type InVisit = <T>(session: string, work: (visiting: Visiting) => Promise<T>) => Promise<T>;

export function visitsOf({ clock, database, digest }: EmergencyDeps): InVisit {
  return async (session, work) => {
    const sha256 = visitHash(session, digest);
    if (sha256 === undefined) throw new NoSessionError();
    const [tenant] = await database.query<{ id: string | null }>(
      "select app.tenant_of_emergency_visit($1) as id",
      [sha256],
      "emergency-tenant",
    );
    const corporationId = tenant?.id ?? undefined;
    if (corporationId === undefined) throw new NoSessionError();
    return database.tenant(corporationId, async (sql) => {
      const at = clock();
      const [row] = await sql.query<VisitRow>(FIND, [sha256, at], "emergency-find");
      if (row === undefined) throw new NoSessionError();
      return work({ sql, row, corporationId, at });
    });
  };
}

/** What is said of a visit on record. */
export function visitFact({ at, corporationId, row }: Omit<Visiting, "sql">): Omit<Fact, "action"> {
  const { account_id: accountId } = row;
  return { at, actor: `account:${accountId}`, subject: `account/${accountId}`, corporationId };
}
