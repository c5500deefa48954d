import type { Logger } from "pino";

import { record } from "../audit/record.ts";
import type { Profile } from "../pki/profile.ts";
import { serialBytes } from "../pki/serial.ts";
import type { Database } from "../storage/database.ts";
import type { Sql } from "../storage/sql.ts";
import { type BulkOutcome, type BulkWish, reserveAll } from "./bulk-reservation.ts";
import { serialOf } from "./certificate-record.ts";
import {
  IssuingStoppedError,
  NotCollectedError,
  QuarantineError,
  SignerUnavailableError,
} from "./errors.ts";
import type { ReservationDeps } from "./reservation.ts";
import type { SignerClient } from "./signer-client.ts";

export interface BulkIssueWorkDeps extends ReservationDeps {
  /** As suido_app: a certificate of many is reserved as every other one is. */
  readonly database: Database;
  /** As suido_worker, which sees what is open in every corporation. */
  readonly worker: Pick<Database, "query">;
  readonly signer: Pick<SignerClient, "issue">;
  readonly profiles: ReadonlyMap<string, Profile>;
  readonly log: Pick<Logger, "info" | "warn">;
}

/** A bulk issue that has not ended. */
export interface OpenBulkIssue {
  readonly id: string;
  readonly corporation_id: string;
}

/** Certificates of one transaction, and of one question to the signer. */
const GROUP = 200;

/** Work pauses after so long, in milliseconds, and goes on at the job's next turn: a stop must not wait for ten thousand. */
const TURN_MS = 20_000;

/** Bundles are collected within so many days, or not at all. */
export const COLLECTED_WITHIN_DAYS = 30;

/** A claim whose holder has said nothing for so long is void: it died with the key that it was making. */
export const CLAIM_MINUTES = 10;

const DAY_MS = 86_400_000;

type Locked = {
  readonly profile: string;
  readonly asked_by: string;
  readonly created_at: Date;
  readonly left: number;
};

const LOCK = `select profile, asked_by, created_at, total - issued - failed as left from app.bulk_issue
  where id = $1 and ended_at is null for update`;

/**
 * Takes the row of a bulk issue to the end of the transaction. Undefined where it has ended, or, with `skip`, where another
 * worker has it.
 */
export async function lockBulkIssue(
  sql: Sql,
  { id }: OpenBulkIssue,
  how: "wait" | "skip",
): Promise<Locked | undefined> {
  const [row] = await sql.query<Locked>(
    how === "skip" ? `${LOCK} skip locked` : LOCK,
    [id],
    `ca-bulk-issue-lock-${how}`,
  );
  return row;
}

interface WaitingRow {
  readonly place: number;
  readonly device_id: string;
  readonly account_id: string;
  readonly spki: Uint8Array;
  readonly spki_sha256: Uint8Array;
  readonly request_hash: Uint8Array;
}

const wishOf = (row: WaitingRow): BulkWish => ({
  deviceId: row.device_id,
  accountId: row.account_id,
  key: {
    spki: row.spki,
    spkiSha256: row.spki_sha256,
    keyOrigin: "subject",
    requestHash: row.request_hash,
  },
});

/** What a row becomes. */
export interface Settled {
  readonly place: number;
  readonly state: "waiting" | "reserved" | "issued" | "failed";
  readonly serial: Buffer | null;
  readonly problem: string | null;
  readonly detail: string | null;
}

/** A row that has a certificate, or the reservation of one. */
export const held = (place: number, state: "reserved" | "issued", serial: Uint8Array): Settled => ({
  place,
  state,
  serial: Buffer.from(serial),
  problem: null,
  detail: null,
});

/** A row that will have none. */
export const failed = (place: number, problem: string, detail: string): Settled => ({
  place,
  state: "failed",
  serial: null,
  problem,
  detail,
});

const settledOf = (outcome: BulkOutcome, place: number): Settled =>
  outcome.kind === "refused"
    ? failed(place, outcome.error.code, outcome.error.message)
    : held(place, "reserved", serialBytes(outcome.serial));

const SETTLE = `with item as (
    select * from unnest($2::integer[], $3::text[], $4::bytea[], $5::text[], $6::text[]) as item (place, state, serial, problem, detail)
  ), changed as (
    update app.bulk_issue_item i set state = item.state, serial = item.serial, problem = item.problem, detail = item.detail
    from item where i.bulk_issue_id = $1 and i.place = item.place returning i.state, i.spki is null as is_bundle
  )
  update app.bulk_issue b set started_at = coalesce(b.started_at, $7::timestamptz), held_up_by = null,
    issued = b.issued + (select count(*) from changed where state = 'issued'),
    failed = b.failed + (select count(*) from changed where state = 'failed'),
    uncollected = b.uncollected - (select count(*) from changed where is_bundle and state in ('issued', 'failed'))
  where b.id = $1`;

/** Writes what became of these rows, and the counts with it. The row of the bulk issue is locked. */
export async function settle(
  sql: Sql,
  { id }: OpenBulkIssue,
  { now, rows }: { readonly now: Date; readonly rows: readonly Settled[] },
): Promise<void> {
  await sql.query(
    SETTLE,
    [
      id,
      rows.map(({ place }) => place),
      rows.map(({ state }) => state),
      rows.map(({ serial }) => serial),
      rows.map(({ problem }) => problem),
      rows.map(({ detail }) => detail),
      now,
    ],
    "ca-bulk-issue-settle",
  );
}

interface ReservedRow {
  readonly place: number;
  readonly serial: Uint8Array;
  readonly state: "reserved" | "good" | "hold" | "revoked" | "refused" | "abandoned";
  readonly findings: readonly string[] | null;
}

const RESERVED = `select item.place, item.serial, i.state, i.findings
  from app.bulk_issue_item item join ca.issued i on i.serial = item.serial
  where item.bulk_issue_id = $1 and item.state = 'reserved' order by item.place limit ${GROUP}`;

const UNCOLLECTED = `select place from app.bulk_issue_item where bulk_issue_id = $1 and state = 'waiting' and spki is null
    and (claimed_at is null or claimed_at < $2::timestamptz - interval '${CLAIM_MINUTES} minutes')
  order by place limit ${GROUP} for update skip locked`;

/** What a reserved row has become, by its certificate; undefined while that is not signed. */
function becameOf({ findings, place, serial, state }: ReservedRow): Settled | undefined {
  switch (state) {
    case "reserved":
      return undefined;
    case "good":
    case "hold":
    case "revoked":
      return held(place, "issued", serial);
    case "refused":
      return failed(place, "lint-failed", (findings ?? []).join("; "));
    case "abandoned":
      // The signer gives up a row that waits too long; its key is free for another.
      return { place, state: "waiting", serial: null, problem: null, detail: null };
  }
}

const EVERY_PROFILE = "";

/** A turn of the job. */
class BulkIssueWork {
  readonly #deps: BulkIssueWorkDeps;
  /** What was met in this turn, by the profile that it concerns. */
  readonly #holding = new Map<string, HoldUp>();

  constructor(deps: BulkIssueWorkDeps) {
    this.#deps = deps;
  }

  /** A group of one bulk issue. False where nothing more can be done now. Throws what holds it up. */
  async advance(open: OpenBulkIssue): Promise<boolean> {
    this.#throwHolding(EVERY_PROFILE);
    const before = await this.#reserved(open);
    if (before.length === 0 && !(await this.#reserveNext(open))) return false;
    const reserved = before.length > 0 ? before : await this.#reserved(open);
    if (reserved.length === 0) return true;
    await this.#deps.signer.issue(reserved.map(({ serial }) => serialOf(serial)));
    return this.#settleReserved(open);
  }

  /** Nothing is reserved in this turn for what is held up by the same. */
  #throwHolding(profile: string): void {
    const error = this.#holding.get(profile);
    if (error !== undefined) throw error;
  }

  #inTenant<T>({ corporation_id }: OpenBulkIssue, work: (sql: Sql) => Promise<T>): Promise<T> {
    return this.#deps.database.tenant(corporation_id, work);
  }

  #reserved(open: OpenBulkIssue): Promise<readonly ReservedRow[]> {
    return this.#inTenant(open, (sql) =>
      sql.query<ReservedRow>(RESERVED, [open.id], "ca-bulk-issue-reserved"),
    );
  }

  #settleReserved(open: OpenBulkIssue): Promise<boolean> {
    return this.#inTenant(open, async (sql) => {
      if ((await lockBulkIssue(sql, open, "skip")) === undefined) return false;
      const rows = await sql.query<ReservedRow>(RESERVED, [open.id], "ca-bulk-issue-reserved");
      const settled = rows.map(becameOf).filter((row) => row !== undefined);
      await settle(sql, open, { now: this.#deps.clock(), rows: settled });
      return settled.length > 0;
    });
  }

  /** Reserves the next ones, in one commit with what becomes of their rows: whenever we die, none is reserved twice. */
  #reserveNext(open: OpenBulkIssue): Promise<boolean> {
    const { clock, profiles } = this.#deps;
    return this.#inTenant(open, async (sql) => {
      const locked = await lockBulkIssue(sql, open, "skip");
      if (locked === undefined) return false;
      if (locked.left === 0) return this.#end(sql, open, locked);
      this.#throwHolding(locked.profile);
      const rows = await sql.query<WaitingRow>(
        `select place, device_id, account_id, spki, spki_sha256, request_hash from app.bulk_issue_item
         where bulk_issue_id = $1 and state = 'waiting' and spki is not null order by place limit ${GROUP}`,
        [open.id],
        "ca-bulk-issue-waiting",
      );
      // The others wait for who collects them.
      if (rows.length === 0) return this.#giveUpUncollected(sql, open, locked);
      const profile = profiles.get(locked.profile);
      if (profile === undefined)
        throw new IssuingStoppedError(`there is no profile "${locked.profile}" any more`);
      const outcomes = await reserveAll(this.#deps, sql, {
        corporationId: open.corporation_id,
        actor: locked.asked_by,
        profile,
        wishes: rows.map(wishOf),
      });
      const settled = outcomes.map((outcome, i) => settledOf(outcome, rows[i]?.place ?? -1));
      await settle(sql, open, { now: clock(), rows: settled });
      return true;
    });
  }

  /** Nobody comes for these any more, and what never ends is never forgotten either. */
  async #giveUpUncollected(sql: Sql, open: OpenBulkIssue, { created_at }: Locked) {
    const now = this.#deps.clock();
    if (now.getTime() - created_at.getTime() < COLLECTED_WITHIN_DAYS * DAY_MS) return false;
    const rows = await sql.query<{ place: number }>(UNCOLLECTED, [open.id, now]);
    const { code: problem, message: detail } = new NotCollectedError(COLLECTED_WITHIN_DAYS);
    const settled = rows.map(({ place }) => failed(place, problem, detail));
    await settle(sql, open, { now, rows: settled });
    return rows.length > 0;
  }

  async #end(sql: Sql, { id, corporation_id: corporationId }: OpenBulkIssue, { asked_by }: Locked) {
    const { clock, newId } = this.#deps;
    const at = clock();
    const [row] = await sql.query<{ issued: number; failed: number }>(
      "update app.bulk_issue set ended_at = $2, held_up_by = null, started_at = coalesce(started_at, $2) where id = $1 returning issued, failed",
      [id, at],
    );
    const detail = { issued: row?.issued ?? 0, failed: row?.failed ?? 0, askedBy: asked_by };
    const subject = `bulk-issue/${id}`;
    const action = "bulk-issue.ended";
    await record(sql, { at, actor: "worker", action, subject, corporationId, detail }, newId);
    return false;
  }

  /** Notes what holds it up, for who looks at it and for the others of this turn. */
  async heldUp(open: OpenBulkIssue, error: HoldUp): Promise<void> {
    const [row] = await this.#inTenant(open, async (sql) => {
      const profiles = await sql.query<{ profile: string }>(
        "select profile from app.bulk_issue where id = $1",
        [open.id],
      );
      const changed = await sql.query(
        "update app.bulk_issue set held_up_by = $2 where id = $1 and ended_at is null and held_up_by is distinct from $2 returning id",
        [open.id, error.code],
      );
      return profiles.map(({ profile }) => ({ profile, isNew: changed.length > 0 }));
    });
    const concerned = error instanceof IssuingStoppedError ? row?.profile : undefined;
    this.#holding.set(concerned ?? EVERY_PROFILE, error);
    if (row?.isNew === true)
      this.#deps.log.warn({ err: error, bulkIssueId: open.id }, "a bulk issue is held up");
  }
}

type HoldUp = IssuingStoppedError | QuarantineError | SignerUnavailableError;

/** What passes by itself: work goes on at a later turn. */
export function holdsUp(error: unknown): error is HoldUp {
  return (
    error instanceof IssuingStoppedError ||
    error instanceof QuarantineError ||
    error instanceof SignerUnavailableError
  );
}

/**
 * Works on what is open, a group of each bulk issue in turn, until nothing is left, something holds all of it up, the
 * turn is over or the signal says so. Safe to repeat, beside others and after a crash at any moment: a certificate is
 * reserved in the commit that notes its serial, and the signer signs a serial once.
 */
export async function workOnBulkIssues(
  deps: BulkIssueWorkDeps,
  signal: AbortSignal,
): Promise<void> {
  const { clock, worker } = deps;
  const until = clock().getTime() + TURN_MS;
  const work = new BulkIssueWork(deps);
  let open = await worker.query<OpenBulkIssue>(
    "select id, corporation_id from app.open_bulk_issues()",
  );
  while (open.length > 0) {
    const next: OpenBulkIssue[] = [];
    for (const one of open) {
      if (signal.aborted || clock().getTime() > until) return;
      try {
        if (await work.advance(one)) next.push(one);
      } catch (error) {
        if (!holdsUp(error)) throw error;
        await work.heldUp(one, error);
      }
    }
    open = next;
  }
}
