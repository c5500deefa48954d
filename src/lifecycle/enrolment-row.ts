import { serialOf } from "../ca/certificate-record.ts";
import type { Serial } from "../pki/serial.ts";
import type { Work } from "../registry/tenant.ts";

/** `invited` until somebody presses 「はじめる」; the last three are ends. */
export const ENROLMENT_STATES = [
  "invited",
  "started",
  "identified",
  "issued",
  "proven",
  "expired",
  "withdrawn",
] as const;
export type EnrolmentState = (typeof ENROLMENT_STATES)[number];

/** Whether it can still lead to a certificate. */
export function isOpen(state: EnrolmentState): boolean {
  return state !== "proven" && state !== "expired" && state !== "withdrawn";
}

/** Why somebody is asked. The mail says it. */
export const ENROLMENT_REASONS = ["first", "replacement", "renewal", "support"] as const;
export type EnrolmentReason = (typeof ENROLMENT_REASONS)[number];

/**
 * What becomes of the certificates that a device has: `instead` ends all of them after the proof of the new one, `further`
 * leaves them, because another Windows user or browser of the same device gets the new one.
 */
export const PLACE_CHOICES = ["instead", "further"] as const;
export type PlaceChoice = (typeof PLACE_CHOICES)[number];

/** How support knew whom it spoke with. */
export const CONFIRMED_HOW = ["telephone", "video-call", "in-person"] as const;
export type ConfirmedHow = (typeof CONFIRMED_HOW)[number];

/** How a person was identified: by support, or in one of the ways that need nobody else. */
export const IDENTIFIED_HOW = [
  ...CONFIRMED_HOW,
  "mailed-code",
  "sign-in",
  "manager",
  "certificate",
  "two-factors",
] as const;
export type IdentifiedHow = (typeof IDENTIFIED_HOW)[number];

/** One way of a certificate onto a device: who is asked, and how far they are. */
export interface Enrolment {
  readonly id: string;
  readonly corporationId: string;
  readonly pharmacyId: string;
  /** Absent where the machine is registered with its first certificate, which it has not got yet. */
  readonly deviceId?: string;
  /** As the person has named it before there is a device. */
  readonly deviceName?: string;
  readonly accountId: string;
  readonly state: EnrolmentState;
  readonly reason: EnrolmentReason;
  /** Absent of a renewal, of a device without a certificate, and until the person has said. */
  readonly place?: PlaceChoice;
  /** The certificate that the new one follows, once that is known. */
  readonly replaces?: Serial;
  readonly duringCall: boolean;
  readonly requestedBy?: string;
  /** Six digits (お問い合わせ番号), no other open one's. Absent some time after the end. */
  readonly supportNumber?: string;
  readonly askedBy: string;
  /** Whether there was an address to send the link to. */
  readonly mailed: boolean;
  readonly createdAt: Date;
  readonly expiresAt: Date;
  readonly startedAt?: Date;
  readonly identifiedAt?: Date;
  /** Who pressed 「本人を確認しました」, or the enrolment itself. */
  readonly identifiedBy?: string;
  readonly identifiedHow?: IdentifiedHow;
  readonly endedAt?: Date;
  /** The newer one of the same device that it was withdrawn for. */
  readonly replacedBy?: string;
}

/** As the table has it, told at a time. */
export interface EnrolmentRow {
  readonly id: string;
  readonly corporation_id: string;
  readonly pharmacy_id: string;
  readonly device_id: string | null;
  readonly device_name: string | null;
  readonly account_id: string;
  readonly told_state: EnrolmentState;
  readonly reason: EnrolmentReason;
  readonly place: PlaceChoice | null;
  readonly replaces: Uint8Array | null;
  readonly during_call: boolean;
  /** How often somebody has begun it: each time in another browser. */
  readonly begun: number;
  readonly requested_by: string | null;
  readonly support_number: string | null;
  readonly asked_by: string;
  readonly mailed: boolean;
  readonly created_at: Date;
  readonly expires_at: Date;
  readonly started_at: Date | null;
  readonly identified_at: Date | null;
  readonly identified_by: string | null;
  readonly identified_how: IdentifiedHow | null;
  readonly ended_at: Date | null;
  readonly replaced_by: string | null;
}

/** For a query that calls app.enrolment `e`, and whose first value is the time. */
export const ENROLMENT_COLUMNS = `e.id, e.corporation_id, e.pharmacy_id, e.device_id, e.device_name, e.account_id, app.enrolment_state(e, $1::timestamptz) as told_state,
  e.reason, e.place, e.replaces, e.during_call, e.begun, e.requested_by, e.support_number, e.asked_by, e.mailed, e.created_at, e.expires_at, e.started_at,
  e.identified_at, e.identified_by, e.identified_how, e.ended_at, e.replaced_by`;

/** Of one that is over although nobody has written it down yet, the end is when its time was over. */
export function endOf({ ended_at, expires_at, told_state }: EnrolmentRow): Date | undefined {
  if (ended_at !== null) return ended_at;
  return told_state === "expired" ? expires_at : undefined;
}

function progressOf(row: EnrolmentRow): Partial<Enrolment> {
  const endedAt = endOf(row);
  return {
    ...(row.started_at !== null && { startedAt: row.started_at }),
    ...(row.identified_at !== null && { identifiedAt: row.identified_at }),
    ...(row.identified_by !== null && { identifiedBy: row.identified_by }),
    ...(row.identified_how !== null && { identifiedHow: row.identified_how }),
    ...(endedAt !== undefined && { endedAt }),
    ...(row.replaced_by !== null && { replacedBy: row.replaced_by }),
  };
}

/** The row as it is told. */
export function enrolmentOf(row: EnrolmentRow): Enrolment {
  return {
    id: row.id,
    corporationId: row.corporation_id,
    pharmacyId: row.pharmacy_id,
    ...(row.device_id !== null && { deviceId: row.device_id }),
    ...(row.device_id === null && row.device_name !== null && { deviceName: row.device_name }),
    accountId: row.account_id,
    state: row.told_state,
    reason: row.reason,
    ...(row.place !== null && { place: row.place }),
    ...(row.replaces !== null && { replaces: serialOf(row.replaces) }),
    duringCall: row.during_call,
    ...(row.requested_by !== null && { requestedBy: row.requested_by }),
    ...(row.support_number !== null && { supportNumber: row.support_number }),
    askedBy: row.asked_by,
    mailed: row.mailed,
    createdAt: row.created_at,
    expiresAt: row.expires_at,
    ...progressOf(row),
  };
}

/** One that the transaction has locked. */
export async function readEnrolment({ sql, now }: Work, id: string): Promise<EnrolmentRow> {
  const text = `select ${ENROLMENT_COLUMNS} from app.enrolment e where e.id = $2::uuid`;
  const [row] = await sql.query<EnrolmentRow>(text, [now.toISOString(), id]);
  if (row === undefined) throw new Error("an enrolment that was locked is gone");
  return row;
}

/** Those with these ids, in their order, which the transaction has made or locked. */
export async function readEnrolments(
  { sql, now }: Work,
  ids: readonly string[],
): Promise<readonly EnrolmentRow[]> {
  const text = `select ${ENROLMENT_COLUMNS} from jsonb_array_elements_text($2::jsonb) with ordinality as wanted (id, place)
    join app.enrolment e on e.id = wanted.id::uuid order by wanted.place`;
  return sql.query<EnrolmentRow>(text, [now.toISOString(), JSON.stringify(ids)]);
}
