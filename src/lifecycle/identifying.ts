import { type Actor, type JsonObject, record } from "../audit/record.ts";
import type { NewId } from "../pki/uuid.ts";
import type { Sql } from "../storage/sql.ts";
import type { IdentifiedHow } from "./enrolment-row.ts";

/** An enrolment that somebody waits at, and who has said who that is. */
export interface Identifying {
  readonly enrolmentId: string;
  readonly corporationId: string;
  readonly at: Date;
  readonly by: Actor;
  readonly how: IdentifiedHow;
  readonly detail?: JsonObject;
}

const IDENTIFY = `update app.enrolment set state = 'identified', identified_at = $2, identified_by = $3, identified_how = $4,
    code_sha256 = null, code_until = null where id = $1`;

/** Notes that the person is known, of a started enrolment that the transaction has locked: their page goes on by itself. */
export async function identify(
  sql: Sql,
  { enrolmentId, corporationId, at, by, how, detail }: Identifying,
  newId: NewId,
): Promise<void> {
  await sql.query(IDENTIFY, [enrolmentId, at, by, how]);
  const [action, subject] = ["enrolment.identified", `enrolment/${enrolmentId}`] as const;
  const fact = { at, actor: by, action, subject, corporationId, detail: { how, ...detail } };
  await record(sql, fact, newId);
}

/** Whether an account may have a certificate at a pharmacy now. For a query with the time as its second value. */
export const MAY_HAVE_ONE = `a.disabled_at is null and exists (
    select from app.membership m where m.account_id = a.id and m.pharmacy_id = e.pharmacy_id
      and m.valid_from <= $2 and (m.valid_to is null or m.valid_to > $2))`;

/**
 * The state of an enrolment `e` as its person is told it, at the time of a query's second value: one whose account `a` or device `d` is
 * out meanwhile is as good as taken back.
 */
export const TOLD_STATE = `case when app.enrolment_state(e, $2) in ('invited', 'started', 'identified', 'issued')
    and not (d.retired_at is null and ${MAY_HAVE_ONE}) then 'withdrawn' else app.enrolment_state(e, $2) end`;
