import { InvalidStateError } from "../ca/errors.ts";
import { NotAMemberError } from "../registry/errors.ts";
import type { Sql } from "../storage/sql.ts";

/** Who is to have a certificate, and where. */
export interface Parties {
  readonly accountId: string;
  /** Null while it has no row. */
  readonly deviceId: string | null;
  /** Where there is no device yet. */
  readonly pharmacyId?: string;
}

/** What of a device and a person an enrolment needs. */
export interface Standing {
  readonly pharmacy_id: string;
  readonly is_retired: boolean;
  readonly is_disabled: boolean;
  readonly is_member: boolean;
}

/** Whether the device, or a new one of the pharmacy, may have a certificate of this person's now. Throws InvalidStateError, NotAMemberError. */
export async function standingOf(
  sql: Sql,
  { deviceId, accountId, pharmacyId }: Parties,
  now: Date,
): Promise<Standing> {
  const [standing] = await sql.query<Standing>(
    `select p.id as pharmacy_id, d.retired_at is not null as is_retired, a.disabled_at is not null as is_disabled,
       exists (
         select from app.membership m where m.account_id = a.id and m.pharmacy_id = p.id
           and m.valid_from <= $3::timestamptz and (m.valid_to is null or m.valid_to > $3::timestamptz)) as is_member
     from app.account a left join app.device d on d.id = $1::uuid
     join app.pharmacy p on p.id = coalesce(d.pharmacy_id, case when $1::uuid is null then $4::uuid end)
     where a.id = $2::uuid`,
    [deviceId, accountId, now.toISOString(), pharmacyId ?? null],
  );
  if (standing === undefined) throw new Error("a device or an account that was locked is gone");
  if (standing.is_retired)
    throw new InvalidStateError("the device is retired", { field: "deviceId" });
  if (standing.is_disabled)
    throw new InvalidStateError("the account is disabled", { field: "accountId" });
  if (!standing.is_member) throw new NotAMemberError("accountId");
  return standing;
}
