import { type Serial, serialBytes } from "../pki/serial.ts";
import type { Principal } from "../registry/principal.ts";
import type { Database } from "../storage/database.ts";
import type { Clock } from "../pki/clock.ts";
import {
  CLAIM_MINUTES,
  failed,
  held,
  holdsUp,
  lockBulkIssue,
  type OpenBulkIssue,
  settle,
  type Settled,
} from "./bulk-issue-work.ts";
import { isRefusal } from "./errors.ts";
import type { Issuance, Pkcs12Answer } from "./issuance.ts";

/** One bundle, or why there is none. */
export type BulkBundle = {
  readonly place: number;
  readonly deviceId: string;
  readonly accountId: string;
} & (
  | {
      readonly serialNumber: Serial;
      readonly notAfter: Date;
      /** Given once, and kept by nobody. */
      readonly pkcs12: Pkcs12Answer;
    }
  /** What a single request would have been answered with. */
  | { readonly problem: string; readonly detail: string }
);

export interface BulkCollectDeps {
  /** As suido_app. */
  readonly database: Database;
  readonly issuance: Pick<Issuance, "issue">;
  readonly clock: Clock;
}

export interface Collection {
  readonly bulkIssue: OpenBulkIssue;
  readonly profile: string;
  /** How many at most. */
  readonly limit: number;
}

interface ClaimedRow {
  readonly place: number;
  readonly device_id: string;
  readonly account_id: string;
}

const CLAIM = `update app.bulk_issue_item set claimed_at = $2 where bulk_issue_id = $1 and place = (
    select place from app.bulk_issue_item
    where bulk_issue_id = $1 and state = 'waiting' and spki is null
      and (claimed_at is null or claimed_at < $2::timestamptz - interval '${CLAIM_MINUTES} minutes')
    order by place limit 1 for update skip locked
  ) returning place, device_id, account_id`;

/** Throws what holds up all of them. */
async function issueOne(
  { issuance }: BulkCollectDeps,
  principal: Principal,
  { profile, row }: { readonly profile: string; readonly row: ClaimedRow },
): Promise<BulkBundle> {
  const { place, device_id: deviceId, account_id: accountId } = row;
  const item = { place, deviceId, accountId };
  try {
    const { notAfter, pkcs12, serialNumber } = await issuance.issue(principal, {
      deviceId,
      accountId,
      profile,
    });
    if (pkcs12 === undefined) throw new Error("a certificate without a request has a bundle");
    return { ...item, serialNumber, notAfter, pkcs12 };
  } catch (error) {
    if (!isRefusal(error) || holdsUp(error)) throw error;
    return { ...item, problem: error.code, detail: error.message };
  }
}

const settledOf = (bundle: BulkBundle): Settled =>
  "problem" in bundle
    ? failed(bundle.place, bundle.problem, bundle.detail)
    : held(bundle.place, "issued", serialBytes(bundle.serialNumber));

/**
 * Issues the certificates without a request one after the other, each with a key that is made for it and goes out at once.
 * Whoever stops reading leaves the rest waiting; of the one under way the certificate is noted, and its bundle lost: that
 * one is a reissue. Throws what holds up all of them, and then the one under way waits again.
 *
 * @yields each bundle, noted and not kept
 */
export async function* collectBundles(
  deps: BulkCollectDeps,
  principal: Principal,
  { bulkIssue, limit, profile }: Collection,
): AsyncGenerator<BulkBundle> {
  const { clock, database } = deps;
  const { corporation_id: corporationId, id } = bulkIssue;
  for (let made = 0; made < limit; made++) {
    const [row] = await database.tenant(corporationId, (sql) =>
      sql.query<ClaimedRow>(CLAIM, [id, clock()], "ca-bulk-claim"),
    );
    if (row === undefined) return;
    const bundle = await issueOne(deps, principal, { profile, row }).catch(
      async (error: unknown) => {
        await database.tenant(corporationId, (sql) =>
          sql.query(
            "update app.bulk_issue_item set claimed_at = null where bulk_issue_id = $1 and place = $2",
            [id, row.place],
          ),
        );
        throw error;
      },
    );
    await database.tenant(corporationId, async (sql) => {
      await lockBulkIssue(sql, bulkIssue, "wait");
      await settle(sql, bulkIssue, {
        now: clock(),
        rows: [settledOf(bundle)],
      });
    });
    yield bundle;
  }
}
