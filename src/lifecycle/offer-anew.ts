import { record } from "../audit/record.ts";
import type { Random } from "../pki/crypto.ts";
import type { NewId } from "../pki/uuid.ts";
import type { Sql } from "../storage/sql.ts";
import { serialOf } from "../ca/certificate-record.ts";
import type { EnrolmentReason, PlaceChoice } from "./enrolment-row.ts";
import { hiddenAddress } from "./hidden-address.ts";
import { lifeOf, openEnrolments } from "./open-enrolment.ts";

/** Whether a mail with a new invitation is on its way; `enough`: as many were asked for today as may be. */
export type Offered =
  | { readonly kind: "sent"; readonly address: string }
  | { readonly kind: "enough" };

/** One whose time is over and that offers a new one. */
export interface Lapsed {
  readonly enrolmentId: string;
  readonly corporationId: string;
  readonly at: Date;
}

/** A mailbox is nobody's to fill. */
const MOST_A_DAY = 3;

interface Row {
  readonly first_id: string;
  readonly pharmacy_id: string;
  readonly device_id: string | null;
  readonly account_id: string;
  readonly reason: EnrolmentReason;
  /** As it was asked for, or said of this very device. */
  readonly place: PlaceChoice | null;
  /** The certificate that it follows, while that can be renewed. */
  readonly replaces: Uint8Array | null;
  readonly requested_by: string | null;
  readonly email: string;
  readonly today: number;
}

/** Of two who ask at once, at whichever link of the line, the second counts the first one's. */
const LOCK = `select from app.enrolment where id = (select coalesce(first_id, id) from app.enrolment where id = $1) for update`;

const READ = `select coalesce(e.first_id, e.id) as first_id, e.pharmacy_id, e.device_id, e.account_id, e.reason, e.requested_by, a.email,
    case when e.device_id is not null then e.place end as place,
    (select i.serial from ca.issued i where i.serial = e.replaces and (e.place is not null or i.state = 'good' and i.not_after > $2)) as replaces,
    (select count(*)::integer from app.enrolment o
     where o.first_id = coalesce(e.first_id, e.id) and o.created_at > $2::timestamptz - interval '1 day') as today
  from app.enrolment e join app.account a on a.id = e.account_id
  where e.id = $1 and app.enrolment_offers_anew(e, $2)`;

/** Nobody has begun those: whoever had one has the newer. Of a device, its one open one is replaced anyway. */
const WITHDRAW = `update app.enrolment set state = 'withdrawn', ended_at = $2, replaced_by = $3
  where first_id = $1 and state = 'invited' and expires_at > $2 and device_id is null returning id`;

const PLAN = `update app.enrolment set first_id = $2,
    mailed = case when device_id is null then app.plan_enrolment_request_mail(request_id, $3) else app.plan_enrolment_mail(id, $3) end
  where id = $1`;

/**
 * Makes another of the same kind in the place of one whose time is over, and plans its mail to the account's address.
 * Undefined where it is not offered any more.
 */
export async function offerAnew(
  sql: Sql,
  { enrolmentId, corporationId, at }: Lapsed,
  deps: { readonly random: Random; readonly newId: NewId },
): Promise<Offered | undefined> {
  await sql.query(LOCK, [enrolmentId], "offer-lock");
  const [row] = await sql.query<Row>(READ, [enrolmentId, at], "offer-read");
  if (row === undefined) return undefined;
  if (row.today >= MOST_A_DAY) return { kind: "enough" };
  const { device_id: deviceId, account_id: accountId, pharmacy_id: pharmacyId } = row;
  if (deviceId !== null)
    await sql.query("select from app.device where id = $1 for update", [deviceId], "offer-device");
  const id = deps.newId();
  const actor = `enrolment:${enrolmentId}`;
  const told = { at, actor, corporationId };
  const older = await sql.query<{ id: string }>(WITHDRAW, [row.first_id, at, id], "offer-withdraw");
  for (const one of older) {
    const [action, subject] = ["enrolment.withdrawn", `enrolment/${one.id}`] as const;
    await record(sql, { ...told, action, subject, detail: { replacedBy: id } }, deps.newId);
  }
  const { place, reason, replaces, requested_by: requestedBy } = row;
  const opening = {
    id,
    pharmacyId,
    accountId,
    reason,
    expiresAt: new Date(at.getTime() + lifeOf()),
    ...(requestedBy !== null && { requestedBy }),
    ...(place !== null && { place }),
    ...(replaces !== null && { replaces: serialOf(replaces) }),
    ...(deviceId === null ? { requestId: deps.newId() } : { deviceId }),
  };
  await openEnrolments(sql, { ...told, openings: [opening] }, deps);
  await sql.query(PLAN, [id, row.first_id, at], "offer-plan");
  const detail = {
    accountId,
    pharmacyId,
    reason,
    duringCall: false,
    mailed: true,
    ...(deviceId !== null && { deviceId }),
    follows: enrolmentId,
  };
  const made = { action: "enrolment.created", subject: `enrolment/${id}`, detail };
  await record(sql, { ...told, ...made }, deps.newId);
  return { kind: "sent", address: hiddenAddress(row.email) };
}
