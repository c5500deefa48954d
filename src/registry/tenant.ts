import { type JsonObject, record } from "../audit/record.ts";
import type { Clock } from "../pki/clock.ts";
import type { NewId } from "../pki/uuid.ts";
import { foreignKeyViolation, uniqueViolation } from "../storage/errors.ts";
import { type PrismaStore, sqlOf, type Tx } from "../storage/prisma.ts";
import type { Sql } from "../storage/sql.ts";
import { ConflictError, NotFoundError, StillInUseError } from "./errors.ts";
import { canonicalId, type Kind, type Principal, type Reference, tenantOf } from "./principal.ts";

/** What every part of the registry needs. */
export interface RegistryDeps {
  readonly store: PrismaStore;
  readonly clock: Clock;
  readonly newId: NewId;
}

/** The scope of one call: the transaction, its tenant, who asked, and the one time that all its rows carry. */
export interface Work {
  readonly tx: Tx;
  readonly sql: Sql;
  readonly corporationId: string;
  readonly principal: Principal;
  readonly now: Date;
  /** Audit row and event of something that this call did to `subject`. */
  readonly record: (action: string, subject: string, detail?: JsonObject) => Promise<void>;
}

/** Statements outside of any tenant. A transaction is opened only when something is asked. */
export function lookUp(store: PrismaStore): Sql {
  return { query: (text, values) => store.across((tx) => sqlOf(tx).query(text, values)) };
}

/** Does work in the tenant of the thing referred to, in one transaction. Throws NotFoundError. */
export type WithinTenantOf = <T>(
  principal: Principal,
  reference: Reference,
  work: (scope: Work) => Promise<T>,
) => Promise<T>;

/** What a unique constraint is about: the field of the request, and what is double, in a sentence. */
export type Taken = Readonly<Record<string, { readonly field: string; readonly says: string }>>;

/** A unique constraint that the work runs into becomes the conflict that `taken` names for it. */
export function withinTenantOf(deps: RegistryDeps, taken: Taken = {}): WithinTenantOf {
  return (principal, reference, work) =>
    orConflict(taken, async () => {
      const corporationId = await tenantOf(lookUp(deps.store), principal, reference);
      return inTenant(deps, { principal, corporationId }, work);
    });
}

/** Does the work in a tenant that is known to be the principal's to work in. */
export function inTenant<T>(
  { store, clock, newId }: RegistryDeps,
  { principal, corporationId }: { readonly principal: Principal; readonly corporationId: string },
  work: (scope: Work) => Promise<T>,
): Promise<T> {
  return store.tenant(corporationId, (tx) => {
    const sql = sqlOf(tx);
    const now = clock();
    return work({
      tx,
      sql,
      corporationId,
      principal,
      now,
      record: (action, subject, detail = {}) =>
        record(
          sql,
          { at: now, actor: principal.actor, action, subject, corporationId, detail },
          newId,
        ),
    });
  });
}

const LOCKS = { keep: "for key share", change: "for update" };

/**
 * Locks a row of the tenant to the end of the transaction: against removal only (`keep`), or against everything
 * (`change`). Returns its id. Throws NotFoundError where row-level security shows none.
 */
export async function lockRow(
  sql: Sql,
  reference: Reference,
  lock: keyof typeof LOCKS,
): Promise<string> {
  const { kind, field } = reference;
  // Neither part comes from outside: `kind` is a closed union of table names.
  const text = `select id from app.${kind} where id = $1::uuid ${LOCKS[lock]}`;
  const [row] = await sql.query<{ id: string }>(text, [canonicalId(reference)]);
  if (row === undefined) throw new NotFoundError(kind, field);
  return row.id;
}

/** The row, or NotFoundError where row-level security shows none. */
export function found<Row>(row: Row | null, kind: Kind): Row {
  if (row === null) throw new NotFoundError(kind);
  return row;
}

/** Does the work; a unique constraint that it runs into becomes the conflict that `taken` names for it. */
async function orConflict<T>(taken: Taken, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const conflict = taken[uniqueViolation(error) ?? ""];
    if (conflict === undefined) throw error;
    throw new ConflictError(conflict.says, conflict.field);
  }
}

/** Does the removal; a foreign key that it runs into means that something else still refers to the thing. */
export async function orStillInUse<T>(kind: Kind, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (foreignKeyViolation(error) === undefined) throw error;
    throw new StillInUseError(kind, "something else refers to it");
  }
}

/** Makes the refusal of a right (API key, account, membership) outlive a restored database (`ca.record_deny`). */
export async function recordDeny(sql: Sql, subject: string, at: Date): Promise<void> {
  await sql.query("select ca.record_deny($1::text, $2::timestamptz)", [subject, at.toISOString()]);
}
