import type { Clock } from "../pki/clock.ts";
import type { Verify } from "../pki/crypto.ts";
import { REASON_CODES } from "../pki/revocation-reason.ts";
import type { Database } from "../storage/database.ts";
import { ListRefusedError } from "./errors.ts";
import { type CheckContext, checkLists, type ListToCheck } from "./list-check.ts";
import type { SignerClient } from "./signer-client.ts";

/** How old an issuing CA's lists may grow (docs/decisions.md). */
const ISSUING_PERIOD_MS = 60 * 60 * 1000;

/** How old a root's list may grow: 6 of its 13 months. */
const ROOT_PERIOD_MS = 182 * 24 * 60 * 60 * 1000;

/** Reasons that do not wait for the hourly list. Renewals (`superseded`) do: they alone would make every proxy reload each minute. */
export const URGENT_REASONS: readonly number[] = [
  REASON_CODES.keyCompromise,
  REASON_CODES.certificateHold,
  REASON_CODES.privilegeWithdrawn,
  REASON_CODES.affiliationChanged,
  REASON_CODES.cessationOfOperation,
  REASON_CODES.cACompromise,
];

/**
 * The issuers whose lists should be made now: there is none, it has reached its period, or somebody was revoked for an
 * urgent reason since; a CA's is always one. To be asked at least once a minute. Not those whose key is away: theirs are a
 * root session's matter.
 */
export async function listsDue(database: Database, now: Date): Promise<readonly string[]> {
  const rows = await database.query<{ id: string }>(
    `select i.id from ca.issuer i left join ca.list l on l.issuer_id = i.id and l.scope = 'full' and l.current
     where i.state <> 'ended' and not i.is_key_away and (
       l.number is null
       or l.signed_at <= $1::timestamptz - (case i.kind when 'root' then $2::bigint else $3::bigint end) * interval '1 millisecond'
       or exists (select from ca.change c join ca.issued s on s.serial = c.serial
                  where c.seq > l.watermark and (c.reason = any($4::smallint[]) or i.kind = 'root') and s.issuer_id = i.id))
     order by i.id`,
    [now, ROOT_PERIOD_MS, ISSUING_PERIOD_MS, URGENT_REASONS],
    "lists-due",
  );
  return rows.map(({ id }) => id);
}

/** A check of one issuer's lists that has begun before they are there. */
export interface BegunCheck {
  /** Says what keeps the lists from being published. */
  finish(
    lists: readonly ListToCheck[],
    context: Omit<CheckContext, "verify">,
  ): Promise<readonly string[]>;
  /** There will be no lists. */
  abandon(): Promise<void>;
}

export type BeginCheck = (issuerId: string) => Promise<BegunCheck>;

export interface PublishDeps {
  readonly signer: Pick<SignerClient, "prepareLists" | "commitLists">;
  /** The checker's own: suido_worker's or suido_va's, never the signer's. */
  readonly database: Database;
  readonly clock: Clock;
  readonly verify: Verify;
  /** Another place for the check than this very thread. */
  readonly beginCheck?: BeginCheck;
}

/** What was published. */
export interface PublishedLists {
  readonly issuerId: string;
  readonly number: bigint;
  readonly entries: number;
}

/** The check in this very thread, which begins when the lists are there. */
const checkHere =
  ({ database, verify }: PublishDeps): BeginCheck =>
  async () => ({
    finish: (lists, context) => checkLists(database, lists, { ...context, verify }),
    abandon: () => Promise.resolve(),
  });

/**
 * Makes, checks and publishes the lists of one issuer. Throws ListRefusedError when the check finds anything: the lists
 * published before then stay as they are.
 */
export async function publishLists(issuerId: string, deps: PublishDeps): Promise<PublishedLists> {
  const { signer, database, clock, beginCheck = checkHere(deps) } = deps;
  // Read before the signer takes its snapshot: what is here must be on the lists, whatever watermark they claim.
  const [newest] = await database.query<{ seq: string }>(
    "select coalesce(max(seq), 0) as seq from ca.change",
  );
  const floor = BigInt(newest?.seq ?? 0);
  const check = await beginCheck(issuerId);
  try {
    const { batchId, lists, watermark } = await signer.prepareLists(issuerId);
    const context = { issuerId, watermark, now: clock() };
    const findings = [...(await check.finish(lists, context))];
    if (watermark < floor)
      findings.push(`the lists know changes up to ${watermark} only, there were ${floor}`);
    if (findings.length > 0) throw new ListRefusedError(findings);
    await signer.commitLists(
      batchId,
      lists.map(({ sha256 }) => sha256),
    );
    return { issuerId, number: lists[0]?.number ?? 0n, entries: lists[0]?.entries ?? 0 };
  } finally {
    await check.abandon();
  }
}
