import { type Fact, record } from "../audit/record.ts";
import { toHex, utf8Bytes } from "../pki/bytes.ts";
import type { Clock } from "../pki/clock.ts";
import type { Digest, Random } from "../pki/crypto.ts";
import type { NewId } from "../pki/uuid.ts";
import type { Database } from "../storage/database.ts";
import type { Sql } from "../storage/sql.ts";
import type { Proof } from "./openid.ts";

/** Somebody who has signed in: one account of one corporation. */
export interface Person {
  readonly accountId: string;
  readonly corporationId: string;
  readonly name: string;
  readonly corporationName: string;
  /** When the provider knew who it is, how (RFC 8176), and how far that goes. */
  readonly authenticatedAt: Date;
  readonly amr: readonly string[];
  readonly acr?: string;
}

/** An account that a provider's name for somebody leads to. */
export interface FoundAccount {
  readonly accountId: string;
  readonly corporationId: string;
  /** Neither disabled nor without a pharmacy. */
  readonly maySignIn: boolean;
}

/** Another account of whoever is signed in. */
export interface OtherAccount {
  readonly accountId: string;
  readonly corporationName: string;
}

/** Signing in and out. Secrets are the browsers'; hashes of them are kept. */
export interface PersonSessions {
  /** All accounts of all corporations that this is the identity of, the oldest first. */
  accountsOf(proof: Pick<Proof, "issuer" | "subject">): Promise<readonly FoundAccount[]>;
  /** Begins a session of this account and returns its secret. */
  begin(account: FoundAccount, proof: Proof): Promise<string>;
  /** Whose session it is; undefined once it is over: 30 minutes without use, 8 hours, or a right that has ended. */
  find(secret: string): Promise<Person | undefined>;
  /** With which other accounts the same person may go on. None of a session that is over. */
  others(secret: string): Promise<readonly OtherAccount[]>;
  /** Goes on with one of them, for as long as this session still would. Returns the new secret; undefined where it is none. */
  change(secret: string, accountId: string): Promise<string | undefined>;
  /** Ending it twice is ending it once. */
  end(secret: string): Promise<void>;
  /** Puts on record that somebody signed in whom nobody has registered. */
  noteStranger(proof: Pick<Proof, "issuer" | "subject">): Promise<void>;
}

export interface PersonSessionsDeps {
  /** As suido_app. */
  readonly database: Database;
  readonly clock: Clock;
  readonly random: Random;
  readonly digest: Digest;
  readonly newId: NewId;
}

/** 128 bits and more. */
const SECRET_OCTETS = 32;
const SECRET = /^[0-9a-f]{64}$/;

interface PersonRow {
  readonly account_id: string;
  readonly corporation_id: string;
  readonly name: string;
  readonly corporation_name: string;
  readonly authenticated_at: Date;
  readonly amr: readonly string[];
  readonly acr: string | null;
  readonly issuer: string;
  readonly subject: string;
}

interface OtherRow {
  readonly account_id: string;
  readonly corporation_id: string;
  readonly corporation_name: string;
  readonly began_at: Date;
}

function personOf(row: PersonRow): Person {
  return {
    accountId: row.account_id,
    corporationId: row.corporation_id,
    name: row.name,
    corporationName: row.corporation_name,
    authenticatedAt: row.authenticated_at,
    amr: row.amr,
    ...(row.acr !== null && { acr: row.acr }),
  };
}

const FIND = "select * from app.person_of_session($1, $2)";

const ACCOUNTS = `select account_id as "accountId", corporation_id as "corporationId", may_sign_in as "maySignIn"
  from app.accounts_of_identity($1, $2, $3)`;

const BEGIN = `insert into app.person_session (sha256, corporation_id, account_id, issuer, subject, epoch, authenticated_at, amr, acr, created_at, seen_at)
  select $1, c.id, $2, $3, $4, c.epoch, $5, $6, $7, $9, $8 from app.corporation c`;

const OTHERS = "select * from app.other_accounts_of_session($1, $2)";

const END = "delete from app.person_session where sha256 = $1 returning account_id";

type Who = Pick<FoundAccount, "accountId" | "corporationId">;

/** What an account has done by itself. */
function factOf({ accountId, corporationId }: Who, at: Date, action: string): Fact {
  const [actor, subject] = [`account:${accountId}`, `account/${accountId}`] as const;
  return { at, actor, action, subject, corporationId };
}

interface Beginning {
  readonly accountId: string;
  readonly sha256: Uint8Array;
  readonly at: Date;
  /** From when its eight hours count. */
  readonly since: Date;
}

/** Writes the row of a session, of an account whose row the tenant has. */
async function insert(
  sql: Sql,
  { accountId, sha256, at, since }: Beginning,
  { issuer, subject, authenticatedAt, amr, acr }: Proof,
): Promise<void> {
  const values = [sha256, accountId, issuer, subject, authenticatedAt, amr, acr ?? null, at, since];
  await sql.query(BEGIN, values);
}

const othersOf = (
  { clock, database }: PersonSessionsDeps,
  sha256: Uint8Array,
): Promise<OtherRow[]> => database.query<OtherRow>(OTHERS, [sha256, clock()], "other-accounts");

async function noteStranger(
  { clock, database, digest, newId }: PersonSessionsDeps,
  { issuer, subject }: Pick<Proof, "issuer" | "subject">,
): Promise<void> {
  // Whoever it was is found again by their provider's name for them, and cannot be read out of the log.
  const identity = toHex(digest("sha256", utf8Bytes(`${issuer} ${subject}`)));
  const fact = { at: clock(), actor: "sign-in", action: "sign-in.refused", subject: "sign-in" };
  await database.transaction((sql) =>
    record(sql, { ...fact, detail: { reason: "unknown", identity } }, newId),
  );
}

/** Ends the session that has this hash, and puts that on record. */
async function endSession(
  { clock, database, newId }: PersonSessionsDeps,
  sha256: Uint8Array,
  person: Who,
): Promise<void> {
  await database.tenant(person.corporationId, async (sql) => {
    const ended = await sql.query(END, [sha256]);
    if (ended.length === 0) return;
    await record(sql, factOf(person, clock(), "account.signed-out"), newId);
  });
}

export function createPersonSessions(deps: PersonSessionsDeps): PersonSessions {
  const { clock, database, digest, newId, random } = deps;
  const kept = (secret: string): Uint8Array => digest("sha256", utf8Bytes(`person:${secret}`));
  const rowOf = async (secret: string): Promise<PersonRow | undefined> => {
    if (!SECRET.test(secret)) return undefined;
    const values = [kept(secret), clock()];
    const [row] = await database.query<PersonRow>(FIND, values, "person-of-session");
    return row;
  };
  const find: PersonSessions["find"] = async (secret) => {
    const row = await rowOf(secret);
    return row && personOf(row);
  };
  const start = async (account: Who, proof: Proof, since: Date): Promise<string> => {
    const secret = toHex(random(SECRET_OCTETS));
    const at = clock();
    await database.tenant(account.corporationId, async (sql) => {
      const { accountId } = account;
      await insert(sql, { accountId, sha256: kept(secret), at, since }, proof);
      const detail = { amr: [...proof.amr] };
      await record(sql, { ...factOf(account, at, "account.signed-in"), detail }, newId);
    });
    return secret;
  };
  const end: PersonSessions["end"] = async (secret) => {
    const person = await find(secret);
    if (person !== undefined) await endSession(deps, kept(secret), person);
  };

  return {
    find,
    end,
    begin: (account, proof) => start(account, proof, clock()),

    async others(secret) {
      if ((await rowOf(secret)) === undefined) return [];
      const rows = await othersOf(deps, kept(secret));
      return rows.map(({ account_id: accountId, corporation_name: corporationName }) => ({
        accountId,
        corporationName,
      }));
    },

    async change(secret, accountId) {
      const row = await rowOf(secret);
      if (row === undefined) return undefined;
      const other = (await othersOf(deps, kept(secret))).find(
        (each) => each.account_id === accountId,
      );
      if (other === undefined) return undefined;
      const { acr, amr, authenticated_at: authenticatedAt, issuer, subject } = row;
      const proof = { issuer, subject, authenticatedAt, amr, ...(acr !== null && { acr }) };
      const account = { accountId, corporationId: other.corporation_id };
      const next = await start(account, proof, other.began_at);
      await end(secret);
      return next;
    },

    accountsOf: ({ issuer, subject }) =>
      database.query<FoundAccount>(ACCOUNTS, [issuer, subject, clock()]),

    noteStranger: (proof) => noteStranger(deps, proof),
  };
}

/** Deletes the sessions that nobody can use any more. `database` as suido_worker. */
export async function forgetPersonSessions(
  database: Pick<Database, "query">,
  now: Date,
): Promise<void> {
  await database.query("select app.forget_person_sessions($1)", [now]);
}
