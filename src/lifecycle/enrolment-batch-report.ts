import { toHex } from "../pki/bytes.ts";
import type { Database } from "../storage/database.ts";
import type { Sql } from "../storage/sql.ts";
import { ENROLMENT_STATES, type EnrolmentState, type IdentifiedHow } from "./enrolment-row.ts";

/** What became of an invitation's mail; `none` where the account has no address. */
export const BATCH_MAIL_STATES = ["none", "waiting", "accepted", "returned", "dropped"] as const;
export type BatchMailState = (typeof BATCH_MAIL_STATES)[number];

/** How far the invitations of a batch are. */
export interface BatchProgress {
  readonly states: Readonly<Record<EnrolmentState, number>>;
  readonly mails: Readonly<Record<BatchMailState, number>>;
}

/** What became of one of them. */
export interface BatchReportLine {
  /** In the file, from 1. */
  readonly line: number;
  readonly enrolmentId: string;
  readonly pharmacyId: string;
  readonly pharmacy: string;
  /** Absent while a machine that nobody had registered has no certificate. */
  readonly deviceId?: string;
  /** Absent while nobody has named it. */
  readonly device?: string;
  readonly accountId: string;
  readonly account: string;
  readonly email?: string;
  readonly state: EnrolmentState;
  readonly mail: BatchMailState;
  readonly supportNumber: string;
  readonly expiresAt: Date;
  readonly startedAt?: Date;
  readonly identifiedAt?: Date;
  readonly identifiedHow?: IdentifiedHow;
  readonly endedAt?: Date;
  /** Of the certificate that was proven. */
  readonly serialNumber?: string;
}

/** The mail of an enrolment `e`, alone or together with others, in our words. */
const MAIL = `case when not e.mailed then 'none' else case m.state
    when 'due' then 'waiting' when 'sent' then 'accepted' when 'returned' then 'returned' when 'failed' then 'returned' else 'dropped' end end`;

/**
 * The key of an enrolment's mail, as it was planned. It is made before the mails are joined, in a CTE that is not inlined: the
 * mails are under row-level security, and no key that is made in the join itself may be looked up by their index.
 */
const KEY = `coalesce('enrolment-request:' || e.request_id, 'enrolment:' || e.id) as mail_key`;

const PROGRESS = `with told as materialized (
    select app.enrolment_state(e, $2::timestamptz) as state, e.mailed, ${KEY} from app.enrolment e where e.batch_id = $1::uuid)
  select e.state, ${MAIL} as mail, count(*)::integer as count
  from told e left join app.mail m on m.key = e.mail_key group by 1, 2`;

/** Counts the invitations of a batch of the tenant. */
export async function readProgress(sql: Sql, batchId: string, now: Date): Promise<BatchProgress> {
  const rows = await sql.query<{ state: EnrolmentState; mail: BatchMailState; count: number }>(
    PROGRESS,
    [batchId, now.toISOString()],
  );
  const count = (isOne: (row: (typeof rows)[number]) => boolean): number =>
    rows.filter(isOne).reduce((sum, row) => sum + row.count, 0);
  const of = <Word extends string>(
    words: readonly Word[],
    wordOf: (row: (typeof rows)[number]) => string,
  ): Record<Word, number> =>
    Object.fromEntries(words.map((word) => [word, count((row) => wordOf(row) === word)])) as Record<
      Word,
      number
    >;
  return {
    states: of(ENROLMENT_STATES, ({ state }) => state),
    mails: of(BATCH_MAIL_STATES, ({ mail }) => mail),
  };
}

interface LineRow {
  readonly id: string;
  readonly batch_line: number;
  readonly pharmacy_id: string;
  readonly pharmacy: string;
  readonly device_id: string | null;
  readonly device: string | null;
  readonly account_id: string;
  readonly account: string;
  readonly email: string | null;
  readonly state: EnrolmentState;
  readonly mail: BatchMailState;
  readonly support_number: string;
  readonly expires_at: Date;
  readonly started_at: Date | null;
  readonly identified_at: Date | null;
  readonly identified_how: IdentifiedHow | null;
  readonly ended_at: Date | null;
  readonly serial: Uint8Array | null;
}

const LINES = `with told as materialized (
    select e.*, app.enrolment_state(e, $2) as told_state, ${KEY} from app.enrolment e
    where e.batch_id = $1 and (e.batch_line, e.id) > ($3, $4) order by e.batch_line, e.id limit $5)
  select e.id, e.batch_line, e.pharmacy_id, p.name as pharmacy, e.device_id, coalesce(d.name, e.device_name) as device, e.account_id, a.name as account, a.email,
    e.told_state as state, ${MAIL} as mail, e.support_number, e.expires_at, e.started_at, e.identified_at, e.identified_how,
    case when e.told_state = 'expired' then e.expires_at else e.ended_at end as ended_at, proven.serial
  from told e
  join app.pharmacy p on p.id = e.pharmacy_id
  left join app.device d on d.id = e.device_id
  join app.account a on a.id = e.account_id
  left join app.mail m on m.key = e.mail_key
  left join lateral (
    select b.serial from app.binding b join ca.issued i on i.serial = b.serial
    where b.enrolment_id = e.id and i.proven_at is not null order by b.bound_from desc limit 1
  ) proven on e.state = 'proven'
  order by e.batch_line, e.id`;

const LINES_AT_ONCE = 500;

const NO_ID = "00000000-0000-0000-0000-000000000000";

function lineOf(row: LineRow): BatchReportLine {
  return {
    line: row.batch_line,
    enrolmentId: row.id,
    pharmacyId: row.pharmacy_id,
    pharmacy: row.pharmacy,
    ...(row.device_id !== null && { deviceId: row.device_id }),
    ...(row.device !== null && { device: row.device }),
    accountId: row.account_id,
    account: row.account,
    ...(row.email !== null && { email: row.email }),
    state: row.state,
    mail: row.mail,
    supportNumber: row.support_number,
    expiresAt: row.expires_at,
    ...(row.started_at !== null && { startedAt: row.started_at }),
    ...(row.identified_at !== null && { identifiedAt: row.identified_at }),
    ...(row.identified_how !== null && { identifiedHow: row.identified_how }),
    ...(row.ended_at !== null && { endedAt: row.ended_at }),
    ...(row.serial !== null && { serialNumber: toHex(row.serial) }),
  };
}

/**
 * What became of each, in the order of the file, as it is read.
 * @yields one line of the file, or one of its machines
 */
export async function* reportLines(
  database: Database,
  batch: { readonly id: string; readonly corporationId: string },
  now: Date,
): AsyncGenerator<BatchReportLine> {
  let last = { line: 0, id: NO_ID };
  for (;;) {
    const rows = await database.tenant(batch.corporationId, (sql) =>
      sql.query<LineRow>(LINES, [batch.id, now, last.line, last.id, LINES_AT_ONCE]),
    );
    yield* rows.map(lineOf);
    const final = rows.at(-1);
    if (final === undefined || rows.length < LINES_AT_ONCE) return;
    last = { line: final.batch_line, id: final.id };
  }
}
