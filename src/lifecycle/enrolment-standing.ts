import { InvalidStateError } from "../ca/errors.ts";
import { NotAMemberError } from "../registry/errors.ts";
import type { Sql } from "../storage/sql.ts";

/** What of a device and a person an enrolment needs. */
export interface Standing {
  readonly pharmacy_id: string;
  readonly is_retired: boolean;
  readonly is_disabled: boolean;
  readonly is_member: boolean;
}

/** Whether the device may have a certificate of this person's now. Throws InvalidStateError, NotAMemberError. */
export async function standingOf(
  sql: Sql,
  { deviceId, accountId }: { readonly deviceId: string; readonly accountId: string },
  now: Date,
): Promise<Standing> {
  const [standing] = await sql.query<Standing>(
    `select d.pharmacy_id, d.retired_at is not null as is_retired, a.disabled_at is not null as is_disabled,
       exists (
         select from app.membership m where m.account_id = a.id and m.pharmacy_id = d.pharmacy_id
           and m.valid_from <= $3::timestamptz and (m.valid_to is null or m.valid_to > $3::timestamptz)) as is_member
     from app.device d, app.account a where d.id = $1::uuid and a.id = $2::uuid`,
    [deviceId, accountId, now.toISOString()],
  );
  if (standing === undefined) throw new Error("a device or an account that was locked is gone");
  if (standing.is_retired)
    throw new InvalidStateError("the device is retired", { field: "deviceId" });
  if (standing.is_disabled)
    throw new InvalidStateError("the account is disabled", { field: "accountId" });
  if (!standing.is_member) throw new NotAMemberError("accountId");
  return standing;
}
