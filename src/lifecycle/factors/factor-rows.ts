import { record } from "../../audit/record.ts";
import type { NewId } from "../../pki/uuid.ts";
import type { Sql } from "../../storage/sql.ts";
import { stepOfCode } from "./authenticator.ts";
import { credentialIdOf, type Passkey, type RelyingSite, usedPasskey } from "./passkeys.ts";
import type { FactorSeal } from "./seal.ts";

/** What a person may have beside what they know. */
export const FACTOR_KINDS = ["authenticator", "passkey"] as const;
export type FactorKind = (typeof FACTOR_KINDS)[number];

/** How a person was known who added a factor. Not by a code to their mailbox: that is what the factor stands beside. */
export const FACTOR_HOW = ["telephone", "video-call", "in-person", "sign-in", "manager"] as const;
export type FactorHow = (typeof FACTOR_HOW)[number];

/** A factor as support sees it: no secret, and nothing that it could be recognised by elsewhere. */
export interface SecondFactor {
  readonly id: string;
  readonly kind: FactorKind;
  readonly addedHow: FactorHow;
  readonly createdAt: Date;
  readonly lastUsedAt?: Date;
  /** After wrong codes. */
  readonly lockedUntil?: Date;
}

interface FactorRow {
  readonly id: string;
  readonly kind: FactorKind;
  readonly added_how: FactorHow;
  readonly created_at: Date;
  readonly last_used_at: Date | null;
  readonly locked_until: Date | null;
}

function factorOf(row: FactorRow, now: Date): SecondFactor {
  const { added_how: addedHow, id, kind, locked_until: lockedUntil } = row;
  return {
    id,
    kind,
    addedHow,
    createdAt: row.created_at,
    ...(row.last_used_at !== null && { lastUsedAt: row.last_used_at }),
    ...(lockedUntil !== null && lockedUntil > now && { lockedUntil }),
  };
}

/** The factors of an account, the oldest first. */
export async function readFactors(
  sql: Sql,
  accountId: string,
  now: Date,
): Promise<readonly SecondFactor[]> {
  const rows = await sql.query<FactorRow>(
    `select id, kind, added_how, created_at, last_used_at, locked_until from app.second_factor
     where account_id = $1 order by created_at, id`,
    [accountId],
    "factors-of",
  );
  return rows.map((row) => factorOf(row, now));
}

/** A person, in a transaction of their tenant. */
export interface FactorPerson {
  readonly corporationId: string;
  readonly accountId: string;
  readonly at: Date;
}

interface PasskeyRow {
  readonly id: string;
  readonly credential_id: string;
  readonly public_key: Uint8Array;
  readonly sign_count: string;
  readonly transports: readonly string[];
}

/** Their passkeys, locked to the end of the transaction where one is to be used. */
export async function readPasskeys(
  sql: Sql,
  accountId: string,
  lock: "" | "for update" = "",
): Promise<readonly (Passkey & { readonly id: string })[]> {
  const rows = await sql.query<PasskeyRow>(
    `select id, credential_id, public_key, sign_count, transports from app.second_factor
     where account_id = $1 and kind = 'passkey' order by id ${lock}`,
    [accountId],
  );
  return rows.map(({ id, credential_id, public_key, sign_count, transports }) => ({
    id,
    credentialId: credential_id,
    publicKey: public_key,
    signCount: Number(sign_count),
    transports,
  }));
}

/** For what a secret is sealed. */
export const factorContext = (factorId: string): string => `factor ${factorId}`;

/** What came of a factor that somebody has shown. `none`: there is none that could be tried. */
export type FactorVerdict = "right" | "wrong" | "locked" | "none";

/** Five in a quarter of an hour, and each lock is twice as long as the one before, up to sixteen hours. */
const MOST_WRONG = 5;
const LOCK_MS = 15 * 60_000;
const MOST_DOUBLINGS = 6;

interface AuthenticatorRow {
  readonly id: string;
  readonly sealed: Uint8Array;
  readonly last_step: string;
  readonly wrong: number;
  readonly locks: number;
  readonly locked_until: Date | null;
}

const WRONG = `update app.second_factor set wrong = $2, locks = $3, locked_until = $4 where id = $1`;

async function noteWrong(
  sql: Sql,
  { accountId, at, corporationId, id, locks, wrong }: FactorPerson & AuthenticatorRow,
  newId: NewId,
): Promise<void> {
  const isLocking = wrong + 1 >= MOST_WRONG;
  const until = new Date(at.getTime() + LOCK_MS * 2 ** Math.min(locks, MOST_DOUBLINGS));
  await sql.query(
    WRONG,
    [id, isLocking ? 0 : wrong + 1, isLocking ? locks + 1 : locks, isLocking ? until : null],
    "factor-wrong",
  );
  const told = {
    at,
    actor: `account:${accountId}`,
    subject: `account/${accountId}`,
    corporationId,
  };
  const detail = { factorId: id, kind: "authenticator" };
  await record(sql, { ...told, action: "second-factor.wrong", detail }, newId);
  if (!isLocking) return;
  const locked = { factorId: id, until: until.toISOString() };
  await record(sql, { ...told, action: "second-factor.locked", detail: locked }, newId);
}

export interface FactorDeps {
  readonly newId: NewId;
  readonly seal: FactorSeal;
  readonly site: RelyingSite;
}

/**
 * Whether the code is the one that the person's app shows. Each code is right once, and none before it afterwards; after
 * five wrong ones none is, for a while. The transaction has to commit whatever the verdict is.
 */
export async function judgeAuthenticator(
  sql: Sql,
  person: FactorPerson & { readonly text: string },
  { seal, newId }: Pick<FactorDeps, "seal" | "newId">,
): Promise<FactorVerdict> {
  const { accountId, at, text } = person;
  const [row] = await sql.query<AuthenticatorRow>(
    `select id, sealed, last_step, wrong, locks, locked_until from app.second_factor
     where account_id = $1 and kind = 'authenticator' for update`,
    [accountId],
    "factor-authenticator",
  );
  const secret = row && seal.open(row.sealed, factorContext(row.id));
  if (row === undefined || secret === undefined) return "none";
  if (row.locked_until !== null && row.locked_until > at) return "locked";
  const step = await stepOfCode(secret, text, at);
  if (step === undefined || step <= Number(row.last_step)) {
    await noteWrong(sql, { ...person, ...row }, newId);
    return "wrong";
  }
  await sql.query(
    `update app.second_factor set last_step = $2, last_used_at = $3, wrong = 0, locks = 0, locked_until = null where id = $1`,
    [row.id, step, at],
    "factor-right",
  );
  return "right";
}

/** Whether the answer is one of a passkey of theirs to this challenge. */
export async function judgePasskey(
  sql: Sql,
  person: FactorPerson & { readonly answer: unknown; readonly challenge: string },
  { newId, site }: Pick<FactorDeps, "newId" | "site">,
): Promise<FactorVerdict> {
  const { accountId, answer, at, challenge, corporationId } = person;
  const named = credentialIdOf(answer);
  const passkeys = await readPasskeys(sql, accountId, "for update");
  const passkey = passkeys.find(({ credentialId }) => credentialId === named);
  if (passkey === undefined) return "none";
  const signCount = await usedPasskey(answer, { challenge, passkey }, site);
  if (signCount !== undefined) {
    await sql.query(
      "update app.second_factor set sign_count = $2, last_used_at = $3 where id = $1",
      [passkey.id, signCount, at],
      "factor-passkey",
    );
    return "right";
  }
  const told = {
    at,
    actor: `account:${accountId}`,
    subject: `account/${accountId}`,
    corporationId,
  };
  const detail = { factorId: passkey.id, kind: "passkey" };
  await record(sql, { ...told, action: "second-factor.wrong", detail }, newId);
  return "wrong";
}
