import { createOnce } from "../registry/idempotency.ts";
import type { Reference } from "../registry/principal.ts";
import { lockRow, type RegistryDeps, type Work } from "../registry/tenant.ts";
import {
  type Handing,
  type HandingDeps,
  handOver,
  type MadeEnrolment,
} from "./enrolment-handing.ts";
import { type EnrolmentReason, enrolmentOf, readEnrolments } from "./enrolment-row.ts";
import { standingOf } from "./enrolment-standing.ts";
import { lifeOf, openEnrolments } from "./open-enrolment.ts";

/** As many machines as one person is asked to go to at once. */
export const MOST_DEVICES = 50;

/** Machines of a pharmacy that nobody has registered: whoever stands before each names it. */
export interface EnrolmentRequest {
  readonly accountId: string;
  readonly pharmacyId: string;
  /** 1 to 50. */
  readonly count: number;
  /** 72 hours instead of 14 days. */
  readonly duringCall?: boolean;
  /** `first`, if absent. */
  readonly reason?: EnrolmentReason;
  /** Whom the mail names as having asked. */
  readonly requestedBy?: string;
}

type RequestDeps = HandingDeps & Pick<RegistryDeps, "newId">;

/** The pharmacy, in whose tenant it happens. */
export function pharmacyOf({ pharmacyId }: EnrolmentRequest): Reference {
  return { kind: "pharmacy", id: pharmacyId, field: "pharmacyId" };
}

/** Inserts them, and plans the one mail that lists them. Returns their ids. */
async function insert(
  work: Work,
  deps: RequestDeps,
  request: EnrolmentRequest,
): Promise<readonly string[]> {
  const { corporationId, now, principal, sql } = work;
  const pharmacyId = await lockRow(sql, pharmacyOf(request), "keep");
  const account: Reference = { kind: "account", id: request.accountId, field: "accountId" };
  const accountId = await lockRow(sql, account, "keep");
  await standingOf(sql, { deviceId: null, pharmacyId, accountId }, now);
  const requestId = deps.newId();
  const { count, reason = "first", duringCall = false, requestedBy } = request;
  const openings = Array.from({ length: count }, () => ({
    id: deps.newId(),
    pharmacyId,
    accountId,
    reason,
    duringCall,
    requestId,
    expiresAt: new Date(now.getTime() + lifeOf(duringCall)),
    ...(requestedBy !== undefined && { requestedBy }),
  }));
  await openEnrolments(sql, { corporationId, actor: principal.actor, at: now, openings }, deps);
  const [{ mailed } = { mailed: false }] = await sql.query<{ mailed: boolean }>(
    `with plan as (select app.plan_enrolment_request_mail($1::uuid, $2::timestamptz) as mailed), told as (
       update app.enrolment set mailed = plan.mailed from plan where request_id = $1::uuid)
     select mailed from plan`,
    [requestId, now.toISOString()],
  );
  const detail = { accountId, pharmacyId, reason, duringCall, mailed, requestId };
  for (const { id } of openings) await work.record("enrolment.created", `enrolment/${id}`, detail);
  return openings.map(({ id }) => id);
}

/**
 * Makes several for one person in one pharmacy, whose devices come into being with their certificates. Asked for again with
 * the same key they are the same ones with fresh links. Throws NotFoundError, NotAMemberError, InvalidStateError.
 */
export async function requestEnrolments(
  work: Work,
  deps: RequestDeps,
  asked: { readonly request: EnrolmentRequest; readonly handing: Handing },
): Promise<readonly MadeEnrolment[]> {
  const { idempotency } = asked.handing;
  const once = { idempotency, now: work.now, dates: [] };
  const { ids } = await createOnce<{ readonly ids: readonly string[] }>(
    work.sql,
    once,
    async () => ({ ids: await insert(work, deps, asked.request) }),
  );
  const made: MadeEnrolment[] = [];
  for (const row of await readEnrolments(work, ids))
    made.push(await handOver(work, deps, { enrolment: enrolmentOf(row), handing: asked.handing }));
  return made;
}
