import { recordAll } from "../audit/record.ts";
import type { Random } from "../pki/crypto.ts";
import type { NewId } from "../pki/uuid.ts";
import type { Sql } from "../storage/sql.ts";
import type { EnrolmentReason, PlaceChoice } from "./enrolment-row.ts";
import { newSixDigits } from "./enrolment-session.ts";

/** One that is to be open. */
export interface Opening {
  readonly id: string;
  readonly pharmacyId: string;
  /** Absent where whoever stands before the machine is to name it. */
  readonly deviceId?: string;
  readonly accountId: string;
  readonly reason: EnrolmentReason;
  readonly duringCall?: boolean;
  /** Whom the mail names as having asked. */
  readonly requestedBy?: string;
  readonly expiresAt: Date;
  /** The certificate that is renewed, in hexadecimal digits. */
  readonly replaces?: string;
  /** Absent of a renewal, and where the person is to say. */
  readonly place?: PlaceChoice;
  /** Those that are asked for together, whose links are in one mail. */
  readonly requestId?: string;
}

/** Several of one tenant, asked for by one actor at one time. */
export interface Openings {
  readonly corporationId: string;
  readonly actor: string;
  readonly at: Date;
  /** No two of the same device. */
  readonly openings: readonly Opening[];
}

const HOUR_MS = 3_600_000;
const LIFE_MS = 14 * 24 * HOUR_MS;
/** Whoever is on the telephone begins at once. */
const LIFE_DURING_CALL_MS = 72 * HOUR_MS;

/** How long an invitation can be begun, in milliseconds. */
export function lifeOf(duringCall = false): number {
  return duringCall ? LIFE_DURING_CALL_MS : LIFE_MS;
}

/** Of the million support numbers most are free; so many draws without a free one mean that they are used up. */
const MOST_DRAWS = 50;

const REPLACE = `update app.enrolment e set
    state = case when e.expires_at <= $2::timestamptz then 'expired' else 'withdrawn' end,
    ended_at = least(e.expires_at, $2::timestamptz),
    replaced_by = case when e.expires_at <= $2::timestamptz then null else o.id end
  from jsonb_to_recordset($1::jsonb) as o (id uuid, device_id uuid, replaces text, place text)
  where e.device_id = o.device_id and e.id <> o.id and e.state in ('invited', 'started', 'identified', 'issued')
    and app.gives_way(e, decode(o.replaces, 'hex'), o.place)
  returning e.id, e.state, o.id as by`;

/** Where another open one has the number that was drawn, nothing: it is drawn anew. */
const INSERT = `insert into app.enrolment (id, corporation_id, pharmacy_id, device_id, account_id, state, reason, during_call, requested_by,
    support_number, asked_by, mailed, created_at, expires_at, replaces, request_id, place)
  select o.id, $2::uuid, o.pharmacy_id, o.device_id, o.account_id, 'invited', o.reason, o.during_call, o.requested_by,
    o.support_number, $3::text, false, $4::timestamptz, o.expires_at, decode(o.replaces, 'hex'), o.request_id, o.place
  from jsonb_to_recordset($1::jsonb) as o (id uuid, pharmacy_id uuid, device_id uuid, account_id uuid, reason text, during_call boolean,
    requested_by text, support_number text, expires_at timestamptz, replaces text, request_id uuid, place text)
  on conflict (support_number) where state in ('invited', 'started', 'identified', 'issued') do nothing returning id`;

type Wanted = Pick<Opening, "id" | "replaces" | "place"> & { readonly deviceId: string };

interface Replacing extends Omit<Openings, "openings"> {
  readonly wanted: readonly Wanted[];
}

/**
 * Ends what is open for devices, whose rows are locked, as far as the new one is in its place: one whose time was over has expired, any other is withdrawn for the
 * newer one.
 */
export async function replaceOpen(
  sql: Sql,
  { corporationId, actor, at, wanted }: Replacing,
  newId: NewId,
): Promise<void> {
  if (wanted.length === 0) return;
  const rows = await sql.query<{ id: string; state: string; by: string }>(
    REPLACE,
    [
      JSON.stringify(wanted.map(({ deviceId, ...each }) => ({ ...each, device_id: deviceId }))),
      at.toISOString(),
    ],
    "enrolment-replace",
  );
  const facts = rows.map(({ id, state, by }) => ({
    at,
    actor,
    corporationId,
    action: `enrolment.${state}`,
    subject: `enrolment/${id}`,
    detail: state === "withdrawn" ? { replacedBy: by } : {},
  }));
  if (facts.length > 0) await recordAll(sql, facts, newId);
}

function insertable(opening: Opening, random: Random): object {
  return {
    id: opening.id,
    pharmacy_id: opening.pharmacyId,
    device_id: opening.deviceId,
    account_id: opening.accountId,
    reason: opening.reason,
    during_call: opening.duringCall ?? false,
    requested_by: opening.requestedBy,
    support_number: newSixDigits(random),
    expires_at: opening.expiresAt.toISOString(),
    replaces: opening.replaces,
    request_id: opening.requestId,
    place: opening.place,
  };
}

/**
 * Inserts enrolments, each in place of what is open for its device or place, which is recorded. The caller has locked the rows of the
 * devices in this transaction, has judged who may have what, and records that they were made.
 */
export async function openEnrolments(
  sql: Sql,
  opening: Openings,
  { random, newId }: { readonly random: Random; readonly newId: NewId },
): Promise<void> {
  const { corporationId, actor, at, openings } = opening;
  const wanted = openings.flatMap(({ id, deviceId, replaces, place }): readonly Wanted[] =>
    deviceId === undefined
      ? []
      : [
          {
            id,
            deviceId,
            ...(replaces !== undefined && { replaces }),
            ...(place !== undefined && { place }),
          },
        ],
  );
  await replaceOpen(sql, { corporationId, actor, at, wanted }, newId);
  let left = openings;
  for (let draw = 0; left.length > 0; draw += 1) {
    if (draw === MOST_DRAWS) throw new Error("no support number is free");
    const rows = left.map((each) => insertable(each, random));
    const made = await sql.query<{ id: string }>(
      INSERT,
      [JSON.stringify(rows), corporationId, actor, at.toISOString()],
      "enrolment-insert",
    );
    const done = new Set(made.map(({ id }) => id));
    left = left.filter(({ id }) => !done.has(id));
  }
}
