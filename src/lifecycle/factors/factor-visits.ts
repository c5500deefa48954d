import { toHex } from "../../pki/bytes.ts";
import { canonicalUuid } from "../../registry/principal.ts";
import type { Database } from "../../storage/database.ts";
import type { Sql } from "../../storage/sql.ts";
import { NoSessionError } from "../errors.ts";
import {
  type AuthenticatorKey,
  authenticatorKey,
  SECRET_OCTETS,
  stepOfCode,
} from "./authenticator.ts";
import { addAuthenticator, addPasskey, removeFactor } from "./factor-changes.ts";
import {
  FactorDoors,
  type FactorDoorsDeps,
  type FactorOccasion,
  factorSessionHash,
} from "./factor-doors.ts";
import {
  factorContext,
  type FactorDeps,
  type FactorHow,
  readFactors,
  readPasskeys,
  type SecondFactor,
} from "./factor-rows.ts";
import { createdPasskey, creationChallenge } from "./passkeys.ts";

/** What the page of a browser shows that has begun. */
export interface FactorView {
  readonly name: string;
  readonly factors: readonly SecondFactor[];
  /** An authenticator that no code has confirmed yet. */
  readonly key?: AuthenticatorKey;
  readonly until: Date;
}

/** What people do with their own factors. `session` is a browser's secret; all that takes one throws NoSessionError. */
export interface FactorVisits {
  /** Whether the link is one to begin with. It changes nothing. */
  isOpen(token: string): Promise<boolean>;
  /** Begins, for half an hour. Undefined where nothing of the occasion is enough. */
  begin(occasion: FactorOccasion): Promise<string | undefined>;
  look(session: string): Promise<FactorView>;
  /** Draws a secret for an authenticator app. */
  newAuthenticator(session: string): Promise<void>;
  /** Whether the app shows the right code: then it is added. */
  confirmAuthenticator(session: string, code: string): Promise<boolean>;
  /** What a browser is to be asked with. */
  passkeyOptions(session: string): Promise<object>;
  /** Whether the browser's answer is a passkey: then it is added. Throws ConflictError. */
  addPasskey(session: string, answer: unknown): Promise<boolean>;
  remove(session: string, factorId: string): Promise<void>;
}

export type FactorVisitsDeps = FactorDeps & FactorDoorsDeps;

interface SessionRow {
  readonly account_id: string;
  readonly how: FactorHow;
  readonly by: string;
  readonly expires_at: Date;
  readonly sealed: Uint8Array | null;
  readonly challenge: string | null;
  readonly name: string;
  readonly email: string | null;
}

const SESSION = `select s.account_id, s.how, s.by, s.expires_at, s.sealed, s.challenge, a.name, a.email
  from app.factor_session s join app.account a on a.id = s.account_id and a.disabled_at is null
  where s.session_sha256 = $1 and s.expires_at > $2 for update of s`;

interface Going {
  readonly sql: Sql;
  readonly row: SessionRow;
  readonly sha256: Uint8Array;
  readonly corporationId: string;
  readonly at: Date;
}

/** For what the secret of a session is sealed. */
const sessionContext = (sha256: Uint8Array): string => `session ${toHex(sha256)}`;

const ADDED =
  "update app.factor_session set sealed = null, challenge = null where session_sha256 = $1";

/** Work in a session, which nobody else changes meanwhile. */
type InSession = <T>(session: string, work: (going: Going) => Promise<T>) => Promise<T>;

function sessionsOf({ clock, database, digest }: FactorVisitsDeps): InSession {
  return async (session, work) => {
    const sha256 = factorSessionHash(session, digest);
    if (sha256 === undefined) throw new NoSessionError();
    const [tenant] = await database.query<{ id: string | null }>(
      "select app.tenant_of_factor_session($1) as id",
      [sha256],
      "factor-session-tenant",
    );
    const corporationId = tenant?.id ?? undefined;
    if (corporationId === undefined) throw new NoSessionError();
    return database.tenant(corporationId, async (sql) => {
      const at = clock();
      const [row] = await sql.query<SessionRow>(SESSION, [sha256, at], "factor-session");
      if (row === undefined) throw new NoSessionError();
      return work({ sql, row, sha256, corporationId, at });
    });
  };
}

function newFactor({ at, corporationId, row }: Going, id: string) {
  const { account_id: accountId, by, how } = row;
  return { id, at, corporationId, accountId, by, how, actor: `account:${accountId}` };
}

type Part<Name extends keyof FactorVisits> = Pick<FactorVisits, Name>;

function authenticators(
  going: InSession,
  { newId, random, seal, site }: FactorVisitsDeps,
): Part<"look" | "newAuthenticator" | "confirmAuthenticator"> {
  const secretOf = ({ row, sha256 }: Going): Uint8Array | undefined =>
    row.sealed === null ? undefined : seal.open(row.sealed, sessionContext(sha256));
  return {
    look: (session) =>
      going(session, async (at) => {
        const { row, sql } = at;
        const { account_id: accountId, email, expires_at: until, name } = row;
        const secret = secretOf(at);
        const labels = { issuer: site.name, label: email ?? name };
        return {
          name,
          until,
          factors: await readFactors(sql, accountId, at.at),
          ...(secret !== undefined && { key: await authenticatorKey(secret, labels) }),
        };
      }),

    newAuthenticator: (session) =>
      going(session, async ({ sha256, sql }) => {
        const sealed = seal.close(random(SECRET_OCTETS), sessionContext(sha256));
        const text = "update app.factor_session set sealed = $2 where session_sha256 = $1";
        await sql.query(text, [sha256, sealed], "factor-secret");
      }),

    confirmAuthenticator: (session, code) =>
      going(session, async (at) => {
        const secret = secretOf(at);
        const step = secret && (await stepOfCode(secret, code, at.at));
        if (secret === undefined || step === undefined) return false;
        const made = newFactor(at, newId());
        const sealed = seal.close(secret, factorContext(made.id));
        await addAuthenticator(at.sql, { ...made, sealed, step }, newId);
        await at.sql.query(ADDED, [at.sha256], "factor-added");
        return true;
      }),
  };
}

function passkeys(
  going: InSession,
  { newId, site }: FactorVisitsDeps,
): Part<"passkeyOptions" | "addPasskey"> {
  return {
    passkeyOptions: (session) =>
      going(session, async ({ row, sha256, sql }) => {
        const { account_id: accountId, email, name } = row;
        const existing = await readPasskeys(sql, accountId);
        const person = { accountId, name: email ?? name };
        const { challenge, options } = await creationChallenge(site, person, existing);
        const text = "update app.factor_session set challenge = $2 where session_sha256 = $1";
        await sql.query(text, [sha256, challenge], "factor-challenge");
        return options;
      }),

    addPasskey: (session, answer) =>
      going(session, async (at) => {
        const { challenge } = at.row;
        if (challenge === null) return false;
        const passkey = await createdPasskey(answer, challenge, site);
        if (passkey === undefined) return false;
        await addPasskey(at.sql, { ...newFactor(at, newId()), passkey }, newId);
        await at.sql.query(ADDED, [at.sha256], "factor-added");
        return true;
      }),
  };
}

/** What people do with their own factors, each in their own browser. */
export function createFactorVisits(deps: FactorVisitsDeps): FactorVisits {
  const doors = new FactorDoors(deps);
  const going = sessionsOf(deps);
  return {
    isOpen: (token) => doors.isOpen(token),
    begin: (occasion) => doors.enter(occasion),
    ...authenticators(going, deps),
    ...passkeys(going, deps),
    remove: (session, given) =>
      going(session, async ({ at, corporationId, row, sql }) => {
        const factorId = canonicalUuid(given);
        if (factorId === undefined) return;
        const { account_id: accountId } = row;
        const actor = `account:${accountId}`;
        const removing = { accountId, actor, at, corporationId, factorId };
        await removeFactor(sql, removing, deps.newId);
      }),
  };
}

/** What happened is in the audit log: a session that is over is of no more use. */
const REMEMBERED_MS = 24 * 60 * 60_000;

/** Forgets links and sessions that ended more than a day ago. `database` as suido_worker. */
export async function forgetFactorVisits(
  database: Pick<Database, "query">,
  now: Date,
): Promise<void> {
  const before = new Date(now.getTime() - REMEMBERED_MS);
  await database.query("select app.forget_factor_visits($1)", [before]);
}
