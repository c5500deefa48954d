import { type Actor, record } from "../../audit/record.ts";
import type { NewId } from "../../pki/uuid.ts";
import { ConflictError } from "../../registry/errors.ts";
import { uniqueViolation } from "../../storage/errors.ts";
import type { Sql } from "../../storage/sql.ts";
import type { FactorHow, FactorKind, FactorPerson } from "./factor-rows.ts";
import type { Passkey } from "./passkeys.ts";

/** Who changes somebody's factors, and how the person was known. */
export interface Changing extends FactorPerson {
  readonly actor: Actor;
}

export interface Adding extends Changing {
  readonly id: string;
  readonly how: FactorHow;
  /** Who says so. */
  readonly by: string;
}

/** Tells the person, whoever has done it. */
async function tell(
  sql: Sql,
  { accountId, at }: FactorPerson,
  { id, kind, change }: { id: string; kind: FactorKind; change: "added" | "removed" },
): Promise<void> {
  await sql.query(
    "select app.plan_factor_mail($1, 'factor-change', $2, $3, $4)",
    [`${change}:${id}`, accountId, JSON.stringify({ kind, change, at: at.toISOString() }), at],
    "factor-tell",
  );
}

async function noteAdded(sql: Sql, adding: Adding & { kind: FactorKind }, newId: NewId) {
  const { accountId, actor, at, corporationId, how, id, kind } = adding;
  const subject = `account/${accountId}`;
  const detail = { factorId: id, kind, how };
  const fact = { at, actor, action: "second-factor.added", subject, corporationId, detail };
  await record(sql, fact, newId);
  await tell(sql, adding, { id, kind, change: "added" });
}

const INSERT_AUTHENTICATOR = `insert into app.second_factor
    (id, corporation_id, account_id, kind, added_how, added_by, created_at, sealed, last_step)
  values ($1, $2, $3, 'authenticator', $4, $5, $6, $7, $8)`;

/** Adds an authenticator that a code has confirmed. One that was there before is removed: a person has one. */
export async function addAuthenticator(
  sql: Sql,
  adding: Adding & { readonly sealed: Uint8Array; readonly step: number },
  newId: NewId,
): Promise<void> {
  const { accountId, at, by, corporationId, how, id, sealed, step } = adding;
  const [before] = await sql.query<{ id: string }>(
    "select id from app.second_factor where account_id = $1 and kind = 'authenticator' for update",
    [accountId],
  );
  if (before !== undefined) await removeFactor(sql, { ...adding, factorId: before.id }, newId);
  await sql.query(
    INSERT_AUTHENTICATOR,
    [id, corporationId, accountId, how, by, at, sealed, step],
    "factor-add-authenticator",
  );
  await noteAdded(sql, { ...adding, kind: "authenticator" }, newId);
}

const INSERT_PASSKEY = `insert into app.second_factor
    (id, corporation_id, account_id, kind, added_how, added_by, created_at, credential_id, public_key, sign_count, transports)
  values ($1, $2, $3, 'passkey', $4, $5, $6, $7, $8, $9, $10)`;

/** More than a person has, and less than fills a page. */
const MOST_PASSKEYS = 10;

/** Adds a passkey. Throws ConflictError where it is somebody's already, or where there are as many as may be. */
export async function addPasskey(
  sql: Sql,
  adding: Adding & { readonly passkey: Passkey },
  newId: NewId,
): Promise<void> {
  const { accountId, at, by, corporationId, how, id, passkey } = adding;
  const [counted] = await sql.query<{ count: string }>(
    "select count(*) from app.second_factor where account_id = $1 and kind = 'passkey'",
    [accountId],
  );
  if (Number(counted?.count) >= MOST_PASSKEYS) throw new ConflictError("there are ten passkeys");
  const { credentialId, publicKey, signCount, transports } = passkey;
  try {
    await sql.query(
      INSERT_PASSKEY,
      [id, corporationId, accountId, how, by, at, credentialId, publicKey, signCount, transports],
      "factor-add-passkey",
    );
  } catch (error) {
    if (uniqueViolation(error) !== "second_factor_credential") throw error;
    throw new ConflictError("this passkey is enrolled already");
  }
  await noteAdded(sql, { ...adding, kind: "passkey" }, newId);
}

/** Removes a factor of the account. False where it has no such one. */
export async function removeFactor(
  sql: Sql,
  removing: Changing & { readonly factorId: string },
  newId: NewId,
): Promise<boolean> {
  const { accountId, actor, at, corporationId, factorId } = removing;
  const [removed] = await sql.query<{ kind: FactorKind }>(
    "delete from app.second_factor where id = $1 and account_id = $2 returning kind",
    [factorId, accountId],
    "factor-remove",
  );
  if (removed === undefined) return false;
  const { kind } = removed;
  const subject = `account/${accountId}`;
  const fact = { at, actor, action: "second-factor.removed", subject, corporationId };
  await record(sql, { ...fact, detail: { factorId, kind } }, newId);
  await tell(sql, removing, { id: factorId, kind, change: "removed" });
  return true;
}
