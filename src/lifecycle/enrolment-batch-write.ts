import { type JsonObject, recordAll } from "../audit/record.ts";
import type { Random } from "../pki/crypto.ts";
import type { NewId } from "../pki/uuid.ts";
import type { Sql } from "../storage/sql.ts";
import type { Invitation } from "./enrolment-batch-check.ts";
import { inMails, type SingleInvitation } from "./enrolment-batch-mails.ts";
import { openEnrolments } from "./open-enrolment.ts";

/** Invitations that are made together. */
export interface BatchWriting {
  readonly id: string;
  readonly corporationId: string;
  readonly actor: string;
  readonly requestedBy: string | undefined;
  readonly now: Date;
  readonly expiresAt: Date;
  readonly lines: number;
  /** How many open ones they replace. */
  readonly replaced: number;
  readonly invitations: readonly Invitation[];
}

interface WritingDeps {
  readonly random: Random;
  readonly newId: NewId;
}

/** An invitation that has its id. */
interface Enrolling extends SingleInvitation {
  readonly id: string;
}

/** So many are written by one statement: on a machine with ten times the work it still ends within its four seconds. */
const AT_ONCE = 250;

const INSERT_BATCH = `insert into app.enrolment_batch (id, corporation_id, asked_by, requested_by, lines, enrolments, replaced, created_at, expires_at)
  values ($1, $2, $3, $4, $5, $6, $7, $8, $9)`;

/** Plans the mails, and notes which of them there are, and of which file and line each is. */
const PLAN_MAILS = `with told as (select t.id from app.plan_enrolment_mails($1::uuid[], $2) as t (id))
  update app.enrolment e set batch_id = $3, batch_line = wish.line, mailed = e.id in (select id from told)
  from unnest($1::uuid[], $4::integer[]) as wish (id, line)
  where e.id = wish.id returning e.id, e.mailed`;

async function planMails(
  sql: Sql,
  { id, now }: BatchWriting,
  some: readonly Enrolling[],
): Promise<ReadonlySet<string>> {
  const rows = await sql.query<{ id: string; mailed: boolean }>(PLAN_MAILS, [
    some.map((each) => each.id),
    now,
    id,
    some.map(({ line }) => line),
  ]);
  return new Set(rows.filter(({ mailed }) => mailed).map((row) => row.id));
}

/** Inserts some of a batch, at most `AT_ONCE`, in place of what is open for their devices. */
async function open(
  sql: Sql,
  batch: BatchWriting,
  { some, deps }: { readonly some: readonly Enrolling[]; readonly deps: WritingDeps },
): Promise<void> {
  const { actor, corporationId, expiresAt, now: at, requestedBy } = batch;
  const openings = some.map((enrolling) =>
    Object.assign({ expiresAt }, enrolling, requestedBy !== undefined && { requestedBy }),
  );
  await openEnrolments(sql, { corporationId, actor, at, openings }, deps);
}

function detailOf(
  { accountId, deviceId, pharmacyId, place, reason, requestId }: Enrolling,
  { mailed, batchId }: { readonly mailed: boolean; readonly batchId: string },
): JsonObject {
  return {
    ...(deviceId !== undefined && { deviceId }),
    accountId,
    pharmacyId,
    reason,
    ...(place !== undefined && { place }),
    duringCall: false,
    mailed,
    ...(requestId !== undefined && { requestId }),
    batchId,
  };
}

/** Plans the mails of some that were inserted, and writes their audit rows and events. */
async function tell(
  sql: Sql,
  batch: BatchWriting,
  { some, deps }: { readonly some: readonly Enrolling[]; readonly deps: WritingDeps },
): Promise<void> {
  const { actor, corporationId, id: batchId, now: at } = batch;
  const mailed = await planMails(sql, batch, some);
  const facts = some.map((single) => ({
    at,
    actor,
    corporationId,
    action: "enrolment.created",
    subject: `enrolment/${single.id}`,
    detail: detailOf(single, { mailed: mailed.has(single.id), batchId }),
  }));
  await recordAll(sql, facts, deps.newId);
}

/** Writes all of a batch: its row, its enrolments in place of those that are open, and the plan of their mails. */
export async function writeBatch(sql: Sql, batch: BatchWriting, deps: WritingDeps): Promise<void> {
  const { actor, corporationId, expiresAt, id, invitations, lines, now, replaced } = batch;
  const singles = inMails(invitations, deps.newId);
  const total = singles.length;
  await sql.query(INSERT_BATCH, [
    id,
    corporationId,
    actor,
    batch.requestedBy ?? null,
    lines,
    total,
    replaced,
    now,
    expiresAt,
  ]);
  const steps: (readonly Enrolling[])[] = [];
  for (let from = 0; from < total; from += AT_ONCE)
    steps.push(
      singles
        .slice(from, from + AT_ONCE)
        .map((single) => Object.assign({ id: deps.newId() }, single)),
    );
  // A mail has what is in several steps: it is planned when all are there.
  for (const some of steps) await open(sql, batch, { some, deps });
  for (const some of steps) await tell(sql, batch, { some, deps });
  const detail = { lines, enrolments: total, replaced };
  const [action, subject] = ["enrolment-batch.created", `enrolment-batch/${id}`];
  await recordAll(sql, [{ at: now, actor, action, subject, corporationId, detail }], deps.newId);
}
