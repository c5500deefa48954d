import { NotFoundError } from "../registry/errors.ts";
import type { Sql } from "../storage/sql.ts";

/** Somebody who is signed in, at the screen for a pharmacy's devices. */
export interface DeskPerson {
  readonly accountId: string;
  readonly corporationId: string;
}

/** A pharmacy that somebody works in, or answers for from the head office. */
export interface DeskPharmacy {
  readonly id: string;
  readonly name: string;
  /** Whether they may say who a colleague is, and lift a hold. */
  readonly isManager: boolean;
  /** How many of its people wait to be identified. */
  readonly waiting: number;
}

/** More than a page of names that somebody finds theirs in. */
const MOST_PHARMACIES = 500;

/** The head office answers for every pharmacy of the corporation, everybody else for those they work in. */
const PHARMACIES = `with mine as (
    select m.pharmacy_id, m.role from app.membership m join app.account a on a.id = m.account_id
    where m.account_id = $1 and a.disabled_at is null and m.valid_from <= $2 and (m.valid_to is null or m.valid_to > $2)
  ), head as (select exists (select from mine where role = 'headOffice') as is_head)
  select p.id, p.name, head.is_head or exists (select from mine where pharmacy_id = p.id and role = 'manager') as "isManager",
    (select count(*)::integer from app.enrolment e where e.pharmacy_id = p.id and e.state = 'started' and e.expires_at > $2) as waiting
  from app.pharmacy p cross join head
  where (head.is_head or p.id in (select pharmacy_id from mine))`;

/** Those of somebody, by name. */
export function pharmaciesOf(
  sql: Sql,
  { accountId }: DeskPerson,
  at: Date,
): Promise<DeskPharmacy[]> {
  const text = `${PHARMACIES} order by p.name, p.id limit ${MOST_PHARMACIES}`;
  return sql.query<DeskPharmacy>(text, [accountId, at], "desk-pharmacies");
}

/** The pharmacy, if it is one of theirs. To everybody else there is none: NotFoundError. */
export async function pharmacyOf(
  sql: Sql,
  { accountId }: DeskPerson,
  { pharmacyId, at }: { readonly pharmacyId: string; readonly at: Date },
): Promise<DeskPharmacy> {
  const text = `${PHARMACIES} and p.id = $3`;
  const [pharmacy] = await sql.query<DeskPharmacy>(
    text,
    [accountId, at, pharmacyId],
    "desk-pharmacy",
  );
  if (pharmacy === undefined) throw new NotFoundError("pharmacy");
  return pharmacy;
}
