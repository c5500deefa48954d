import { record } from "../audit/record.ts";
import type { Clock } from "../pki/clock.ts";
import type { Digest, Verify } from "../pki/crypto.ts";
import { pemEncode } from "../pki/pem.ts";
import type { Profile } from "../pki/profile.ts";
import type { Serial } from "../pki/serial.ts";
import type { NewId } from "../pki/uuid.ts";
import { NotFoundError } from "../registry/errors.ts";
import { createOnce, type IdempotentRequest } from "../registry/idempotency.ts";
import { listPage, type Page, type PageRequest } from "../registry/page.ts";
import { canonicalId, type Principal, type Reference, tenantOf } from "../registry/principal.ts";
import type { Database } from "../storage/database.ts";
import { type PrismaStore, sqlOf } from "../storage/prisma.ts";
import type { Sql } from "../storage/sql.ts";
import { type BulkBundle, collectBundles } from "./bulk-collect.ts";
import {
  type BulkItem,
  checkDevices,
  type CheckedItem,
  ITEMS_A_STATEMENT,
  readItems,
} from "./bulk-issue-check.ts";
import { serialOf } from "./certificate-record.ts";
import { DEFAULT_PROFILE, profileAskedFor } from "./device-profiles.ts";
import type { Issuance } from "./issuance.ts";

/** Certificates of one corporation that are wanted together. */
export interface BulkIssueRequest {
  readonly corporationId: string;
  /** Absent: `device-client`. */
  readonly profile?: string;
  readonly items: readonly BulkItem[];
}

/** How far a bulk issue is. */
export interface BulkIssue {
  readonly id: string;
  readonly corporationId: string;
  readonly profile: string;
  readonly askedBy: string;
  /** `waiting` until the first certificate is reserved, `ended` when each is issued or has failed. */
  readonly state: "waiting" | "running" | "ended";
  readonly total: number;
  readonly issued: number;
  readonly failed: number;
  /** Those without a request that nobody has collected yet. */
  readonly uncollected: number;
  readonly createdAt: Date;
  readonly startedAt?: Date;
  readonly endedAt?: Date;
  /** The problem that holds it up, while one does. It goes on by itself. */
  readonly heldUpBy?: string;
}

export const BULK_ITEM_STATES = ["waiting", "reserved", "issued", "failed"] as const;

/** What became of one of them. */
export interface BulkIssueLine {
  /** Its place in the request, from 0. */
  readonly place: number;
  readonly deviceId: string;
  readonly accountId: string;
  readonly state: (typeof BULK_ITEM_STATES)[number];
  readonly serialNumber?: Serial;
  readonly notAfter?: Date;
  /** PEM. */
  readonly certificate?: string;
  /** The code of the problem that a single request would have been answered with. */
  readonly problem?: string;
  readonly detail?: string;
}

export interface BulkIssues {
  /** Takes all of them or none. Throws BulkRefusedError with the faults, ProfileUnknownError, NotFoundError. */
  create(
    principal: Principal,
    request: BulkIssueRequest,
    idempotency?: IdempotentRequest,
  ): Promise<BulkIssue>;
  get(principal: Principal, id: string): Promise<BulkIssue>;
  list(principal: Principal, page: PageRequest): Promise<Page<BulkIssue>>;
  /** Makes the bundles of those without a request, one after the other, as they are read. Throws NotFoundError. */
  collect(principal: Principal, id: string, limit: number): Promise<AsyncIterable<BulkBundle>>;
  /** What became of each, in the order of the request, as it is read. Throws NotFoundError before anything is read. */
  report(principal: Principal, id: string): Promise<AsyncIterable<BulkIssueLine>>;
}

export interface BulkIssuesDeps {
  /** As suido_app. */
  readonly database: Database;
  readonly store: PrismaStore;
  readonly issuance: Pick<Issuance, "issue">;
  readonly profiles: ReadonlyMap<string, Profile>;
  readonly clock: Clock;
  readonly newId: NewId;
  readonly digest: Digest;
  readonly verify: Verify;
}

const COLUMNS =
  "b.id, b.corporation_id, b.profile, b.asked_by, b.total, b.issued, b.failed, b.uncollected, b.created_at, b.started_at, b.ended_at, b.held_up_by";

interface Row {
  readonly id: string;
  readonly corporation_id: string;
  readonly profile: string;
  readonly asked_by: string;
  readonly total: number;
  readonly issued: number;
  readonly failed: number;
  readonly uncollected: number;
  readonly created_at: Date;
  readonly started_at: Date | null;
  readonly ended_at: Date | null;
  readonly held_up_by: string | null;
}

function stateOf({ ended_at, started_at }: Row): BulkIssue["state"] {
  if (ended_at !== null) return "ended";
  return started_at === null ? "waiting" : "running";
}

function bulkIssueOf(row: Row): BulkIssue {
  return {
    id: row.id,
    corporationId: row.corporation_id,
    profile: row.profile,
    askedBy: row.asked_by,
    state: stateOf(row),
    total: row.total,
    issued: row.issued,
    failed: row.failed,
    uncollected: row.uncollected,
    createdAt: row.created_at,
    ...(row.started_at !== null && { startedAt: row.started_at }),
    ...(row.ended_at !== null && { endedAt: row.ended_at }),
    ...(row.held_up_by !== null && { heldUpBy: row.held_up_by }),
  };
}

const self = (id: string): Reference => ({ kind: "bulk-issue", id });

async function readOne(sql: Sql, id: string): Promise<BulkIssue> {
  const [row] = await sql.query<Row>(
    `select ${COLUMNS} from app.bulk_issue b where b.id = $1::uuid`,
    [id],
  );
  if (row === undefined) throw new NotFoundError("bulk issue");
  return bulkIssueOf(row);
}

interface NewBulkIssue {
  readonly id: string;
  readonly corporationId: string;
  readonly profile: Profile;
  readonly askedBy: string;
  readonly now: Date;
  readonly items: readonly CheckedItem[];
}

const INSERT_ITEMS = `insert into app.bulk_issue_item (bulk_issue_id, corporation_id, place, device_id, account_id, spki, spki_sha256, request_hash, state)
  select $1::uuid, $2::uuid, $3::integer + item.place - 1, item.device_id, item.account_id, item.spki, item.spki_sha256, item.request_hash, 'waiting'
  from unnest($4::uuid[], $5::uuid[], $6::bytea[], $7::bytea[], $8::bytea[]) with ordinality as item (device_id, account_id, spki, spki_sha256, request_hash, place)`;

const bytes = (octets: Uint8Array | undefined): Buffer | null =>
  octets === undefined ? null : Buffer.from(octets);

async function insert(sql: Sql, { id, corporationId, profile, askedBy, now, items }: NewBulkIssue) {
  await sql.query(
    `insert into app.bulk_issue (id, corporation_id, profile, asked_by, total, uncollected, created_at)
     values ($1, $2, $3, $4, $5, $6, $7)`,
    [
      id,
      corporationId,
      profile.name,
      askedBy,
      items.length,
      items.filter(({ key }) => key === undefined).length,
      now,
    ],
  );
  for (let from = 0; from < items.length; from += ITEMS_A_STATEMENT) {
    const some = items.slice(from, from + ITEMS_A_STATEMENT);
    await sql.query(
      INSERT_ITEMS,
      [
        id,
        corporationId,
        from,
        some.map(({ deviceId }) => deviceId),
        some.map(({ accountId }) => accountId),
        some.map(({ key }) => bytes(key?.spki)),
        some.map(({ key }) => bytes(key?.spkiSha256)),
        some.map(({ key }) => bytes(key?.requestHash)),
      ],
      "ca-bulk-issue-items",
    );
  }
}

async function create(
  deps: BulkIssuesDeps,
  principal: Principal,
  { request, idempotency }: { request: BulkIssueRequest; idempotency?: IdempotentRequest },
): Promise<BulkIssue> {
  const { clock, database, newId } = deps;
  const profile = profileAskedFor(deps, request.profile ?? DEFAULT_PROFILE);
  const corporation = { kind: "corporation", id: request.corporationId } as const;
  const field = "corporationId";
  const corporationId = await tenantOf(database, principal, { ...corporation, field });
  const items = await readItems(request.items, profile, deps);
  const { actor } = principal;
  const id = newId();
  const now = clock();
  return database.tenant(corporationId, (sql) =>
    createOnce(sql, { idempotency, now, dates: ["createdAt"] }, async () => {
      await checkDevices(sql, items, now);
      await insert(sql, { id, corporationId, profile, askedBy: actor, now, items });
      const detail = { profile: profile.name, total: items.length };
      const subject = `bulk-issue/${id}`;
      const fact = {
        at: now,
        actor,
        action: "bulk-issue.requested",
        subject,
        corporationId,
        detail,
      };
      await record(sql, fact, newId);
      return readOne(sql, id);
    }),
  );
}

interface LineRow {
  readonly place: number;
  readonly device_id: string;
  readonly account_id: string;
  readonly state: BulkIssueLine["state"];
  readonly problem: string | null;
  readonly detail: string | null;
  readonly serial: Uint8Array | null;
  readonly not_after: Date | null;
  readonly der: Uint8Array | null;
}

const LINES = `select item.place, item.device_id, item.account_id, item.state, item.problem, item.detail, item.serial, i.not_after, i.der
  from app.bulk_issue_item item left join ca.issued i on i.serial = item.serial and item.state = 'issued'
  where item.bulk_issue_id = $1 and item.place > $2 order by item.place limit $3`;

const LINES_AT_ONCE = 500;

function lineOf(row: LineRow): BulkIssueLine {
  const { der, detail, not_after: notAfter, problem, serial } = row;
  return {
    place: row.place,
    deviceId: row.device_id,
    accountId: row.account_id,
    state: row.state,
    ...(serial !== null && { serialNumber: serialOf(serial) }),
    ...(notAfter !== null && { notAfter }),
    ...(der !== null && { certificate: pemEncode("CERTIFICATE", der) }),
    ...(problem !== null && { problem }),
    ...(detail !== null && { detail }),
  };
}

async function* linesOf(
  { database }: BulkIssuesDeps,
  { corporationId, id }: BulkIssue,
): AsyncGenerator<BulkIssueLine> {
  let last = -1;
  for (;;) {
    const rows = await database.tenant(corporationId, (sql) =>
      sql.query<LineRow>(LINES, [id, last, LINES_AT_ONCE], "ca-bulk-issue-lines"),
    );
    yield* rows.map(lineOf);
    last = rows.at(-1)?.place ?? last;
    if (rows.length < LINES_AT_ONCE) return;
  }
}

export function createBulkIssues(deps: BulkIssuesDeps): BulkIssues {
  const { database, store } = deps;
  const get = async (principal: Principal, id: string): Promise<BulkIssue> => {
    const corporationId = await tenantOf(database, principal, self(id));
    return database.tenant(corporationId, (sql) => readOne(sql, canonicalId(self(id))));
  };
  return {
    create: (principal, request, idempotency) =>
      create(deps, principal, { request, ...(idempotency !== undefined && { idempotency }) }),
    get,
    list: (principal, page) =>
      listPage(store, principal, {
        collection: "bulkIssues",
        page,
        references: [],
        within: async (tx, { after, size }) => {
          const text = `select ${COLUMNS} from app.bulk_issue b where ($1::uuid is null or b.id > $1::uuid) order by b.id limit $2::integer`;
          return (await sqlOf(tx).query<Row>(text, [after, size])).map(bulkIssueOf);
        },
        across: async (sql, { after, size }) => {
          const text = `select ${COLUMNS} from app.staff_bulk_issues($1::uuid, $2::integer) b order by b.id`;
          return (await sql.query<Row>(text, [after, size])).map(bulkIssueOf);
        },
      }),
    collect: async (principal, id, limit) => {
      const { corporationId, profile, ...found } = await get(principal, id);
      const bulkIssue = { id: found.id, corporation_id: corporationId };
      return collectBundles(deps, principal, { bulkIssue, profile, limit });
    },
    report: async (principal, id) => linesOf(deps, await get(principal, id)),
  };
}

/** Forgets those that ended longer than 90 days ago. Their certificates stay. Returns how many. */
export async function forgetBulkIssues(
  database: Pick<Database, "query">,
  now: Date,
): Promise<number> {
  const before = new Date(now);
  before.setUTCDate(before.getUTCDate() - REMEMBERED_DAYS);
  const [row] = await database.query<{ forgotten: number }>(
    "select app.forget_bulk_issues($1) as forgotten",
    [before],
  );
  return row?.forgotten ?? 0;
}

const REMEMBERED_DAYS = 90;
