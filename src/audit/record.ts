import type { NewId } from "../pki/uuid.ts";
import type { Sql } from "../storage/sql.ts";

/** What JSON can hold (RFC 8259). */
export type Json = string | number | boolean | null | readonly Json[] | JsonObject;
export interface JsonObject {
  readonly [name: string]: Json;
}

/** Who did it: `api-key:<uuid>`, `cli:<user>`, `signer`, `worker`. */
export type Actor = string;

/** Something that an auditor and other systems want to know. */
export interface Fact {
  readonly at: Date;
  readonly actor: Actor;
  /** `<thing>.<what became of it>`, as in `pharmacy.created`. */
  readonly action: string;
  /** `<thing>/<its id>`, as in `pharmacy/<uuid>` or `certificate/<serial>`. */
  readonly subject: string;
  /** The tenant; it must be the one that the transaction is scoped to. */
  readonly corporationId?: string;
  /** Ids, codes and names of fields, never personal data: the log is append-only, so nothing can be erased from it. */
  readonly detail?: JsonObject;
}

/** CloudEvents 1.0 §3.1: a reverse-DNS prefix names who defines the type. */
const EVENT_TYPE_PREFIX = "jp.suido.";

/**
 * Audit row and event of one fact for each row of `from`, as two parts of a WITH clause: for a statement that writes what
 * the fact tells of. The values are those of `factValues`, the first of them `$<first>`.
 */
export function factParts(from: string, first: number): string {
  const value = (index: number): string => `$${first + index}`;
  return `audit as (
      insert into app.audit (id, at, actor, action, subject, corporation_id, detail)
      select ${value(0)}::uuid, ${value(1)}::timestamptz, ${value(2)}::text, ${value(3)}::text, ${value(4)}::text,
        ${value(5)}::uuid, ${value(6)}::jsonb from ${from}
    ), event as (
      insert into app.event (id, at, type, subject, corporation_id, data)
      select ${value(7)}::uuid, ${value(1)}::timestamptz, ${value(8)}::text, ${value(4)}::text, ${value(5)}::uuid,
        ${value(6)}::jsonb from ${from}
    )`;
}

/** The values that `factParts` asks for. */
export function factValues(fact: Fact, newId: NewId): readonly unknown[] {
  return [
    newId(),
    fact.at.toISOString(),
    fact.actor,
    fact.action,
    fact.subject,
    fact.corporationId ?? null,
    JSON.stringify(fact.detail ?? {}),
    newId(),
    EVENT_TYPE_PREFIX + fact.action,
  ];
}

const RECORD = `with one as (select), ${factParts("one", 1)} select`;

/**
 * Writes the audit row and the event of a fact, in the caller's transaction and in one statement: a mutation that
 * rolls back takes both with it, and a mutation whose audit row fails does not happen.
 */
export async function record(sql: Sql, fact: Fact, newId: NewId): Promise<void> {
  await sql.query(RECORD, factValues(fact, newId), "record");
}

/** The same for many facts at once, still in one statement: the signer's batches. */
export async function recordAll(sql: Sql, facts: readonly Fact[], newId: NewId): Promise<void> {
  const rows = facts.map((fact) => ({
    audit_id: newId(),
    event_id: newId(),
    at: fact.at.toISOString(),
    actor: fact.actor,
    action: fact.action,
    subject: fact.subject,
    corporation_id: fact.corporationId ?? null,
    detail: fact.detail ?? {},
  }));
  await sql.query(
    `with fact as (
       select * from jsonb_to_recordset($1::jsonb) as fact (audit_id uuid, event_id uuid, at timestamptz, actor text,
         action text, subject text, corporation_id uuid, detail jsonb)
     ), audit as (
       insert into app.audit (id, at, actor, action, subject, corporation_id, detail)
       select audit_id, at, actor, action, subject, corporation_id, detail from fact
     )
     insert into app.event (id, at, type, subject, corporation_id, data)
     select event_id, at, $2::text || action, subject, corporation_id, detail from fact`,
    [JSON.stringify(rows), EVENT_TYPE_PREFIX],
    "record-all",
  );
}
