import type { Clock } from "../pki/clock.ts";
import type { Random } from "../pki/crypto.ts";
import type { NewId } from "../pki/uuid.ts";
import { NotFoundError } from "../registry/errors.ts";
import { createOnce, type IdempotentRequest } from "../registry/idempotency.ts";
import { listPage, type Page, type PageRequest } from "../registry/page.ts";
import { canonicalId, type Principal, type Reference, tenantOf } from "../registry/principal.ts";
import type { Database } from "../storage/database.ts";
import { type PrismaStore, sqlOf } from "../storage/prisma.ts";
import type { Sql } from "../storage/sql.ts";
import type { BatchFault } from "./batch-fault.ts";
import {
  type BatchLine,
  type CheckedLines,
  checkLines,
  findReplaced,
  type Holding,
  type Replaced,
} from "./enrolment-batch-check.ts";
import { countMails } from "./enrolment-batch-mails.ts";
import { placeInvitations } from "./enrolment-batch-places.ts";
import {
  type BatchProgress,
  type BatchReportLine,
  readProgress,
  reportLines,
} from "./enrolment-batch-report.ts";
import { writeBatch } from "./enrolment-batch-write.ts";
import { BatchRefusedError } from "./errors.ts";
import { lifeOf } from "./open-enrolment.ts";

/** Invitations of one corporation that are wanted together. */
export interface BatchRequest {
  readonly corporationId: string;
  /** Whom the mails name as having asked. */
  readonly requestedBy?: string;
  readonly lines: readonly BatchLine[];
}

/** What would become of a batch: nothing was written. */
export interface BatchPreview {
  readonly enrolments: number;
  /** How many people are asked. */
  readonly accounts: number;
  readonly mails: number;
  /** To how many of them no mail can go. */
  readonly withoutAddress: number;
  readonly replaces: readonly Replaced[];
  /** In the order of the lines. */
  readonly faults: readonly BatchFault[];
}

/** Invitations that were made together. */
export interface EnrolmentBatch {
  readonly id: string;
  readonly corporationId: string;
  readonly askedBy: string;
  readonly requestedBy?: string;
  readonly lines: number;
  readonly enrolments: number;
  /** Open ones of the same devices that were withdrawn for them. */
  readonly replaced: number;
  readonly createdAt: Date;
  readonly expiresAt: Date;
}

export interface EnrolmentBatches {
  /** Looks at all lines and writes nothing. Throws NotFoundError for a corporation that is not there. */
  preview(principal: Principal, request: BatchRequest): Promise<BatchPreview>;
  /** Makes all of them and plans their mails, or nothing. Throws BatchRefusedError with the faults, NotFoundError. */
  create(
    principal: Principal,
    request: BatchRequest,
    idempotency?: IdempotentRequest,
  ): Promise<EnrolmentBatch>;
  get(
    principal: Principal,
    id: string,
  ): Promise<EnrolmentBatch & { readonly progress: BatchProgress }>;
  list(principal: Principal, page: PageRequest): Promise<Page<EnrolmentBatch>>;
  /** What became of each, in the order of the file, as it is read. Throws NotFoundError before anything is read. */
  report(principal: Principal, id: string): Promise<AsyncIterable<BatchReportLine>>;
}

export interface EnrolmentBatchesDeps {
  /** As suido_app. */
  readonly database: Database;
  readonly store: PrismaStore;
  readonly clock: Clock;
  readonly newId: NewId;
  readonly random: Random;
  /** In so many places a device may have a certificate. */
  readonly placesPerDevice: number;
}

const COLUMNS =
  "b.id, b.corporation_id, b.asked_by, b.requested_by, b.lines, b.enrolments, b.replaced, b.created_at, b.expires_at";

interface Row {
  readonly id: string;
  readonly corporation_id: string;
  readonly asked_by: string;
  readonly requested_by: string | null;
  readonly lines: number;
  readonly enrolments: number;
  readonly replaced: number;
  readonly created_at: Date;
  readonly expires_at: Date;
}

function batchOf(row: Row): EnrolmentBatch {
  return {
    id: row.id,
    corporationId: row.corporation_id,
    askedBy: row.asked_by,
    ...(row.requested_by !== null && { requestedBy: row.requested_by }),
    lines: row.lines,
    enrolments: row.enrolments,
    replaced: row.replaced,
    createdAt: row.created_at,
    expiresAt: row.expires_at,
  };
}

const self = (id: string): Reference => ({ kind: "enrolment-batch", id });

async function readOne(sql: Sql, id: string): Promise<EnrolmentBatch> {
  const text = `select ${COLUMNS} from app.enrolment_batch b where b.id = $1`;
  const [row] = await sql.query<Row>(text, [id]);
  if (row === undefined) throw new NotFoundError("enrolment batch");
  return batchOf(row);
}

/** The tenant in which the lines are looked at: what they name of another is not found. */
function tenantOfRequest(
  { database }: EnrolmentBatchesDeps,
  principal: Principal,
  { corporationId: id }: BatchRequest,
): Promise<string> {
  return tenantOf(database, principal, { kind: "corporation", id, field: "corporationId" });
}

interface Looked extends CheckedLines {
  readonly replaces: readonly Replaced[];
}

async function lookAt(
  sql: Sql,
  { lines }: BatchRequest,
  how: { readonly now: Date; readonly holding: Holding; readonly most: number },
): Promise<Looked> {
  const checked = await checkLines(sql, lines, how);
  const { invitations, faults } = await placeInvitations(sql, checked, how);
  const replaces = await findReplaced(sql, invitations, how);
  return { invitations, faults: faults.toSorted((a, b) => a.line - b.line), replaces };
}

async function preview(
  deps: EnrolmentBatchesDeps,
  principal: Principal,
  request: BatchRequest,
): Promise<BatchPreview> {
  const corporationId = await tenantOfRequest(deps, principal, request);
  const how = { now: deps.clock(), holding: "look", most: deps.placesPerDevice } as const;
  const looked = await deps.database.tenant(corporationId, (sql) => lookAt(sql, request, how));
  const { invitations, faults, replaces } = looked;
  const people = new Map(invitations.map(({ accountId, hasAddress }) => [accountId, hasAddress]));
  return {
    enrolments: invitations.reduce((sum, { count }) => sum + count, 0),
    accounts: people.size,
    mails: countMails(invitations),
    withoutAddress: [...people.values()].filter((hasAddress) => !hasAddress).length,
    replaces,
    faults,
  };
}

async function create(
  deps: EnrolmentBatchesDeps,
  principal: Principal,
  { request, idempotency }: { request: BatchRequest; idempotency: IdempotentRequest | undefined },
): Promise<EnrolmentBatch> {
  const { clock, database, newId, placesPerDevice: most } = deps;
  const corporationId = await tenantOfRequest(deps, principal, request);
  const now = clock();
  const once = { idempotency, now, dates: ["createdAt", "expiresAt"] as const };
  return database.tenant(corporationId, (sql) =>
    createOnce<EnrolmentBatch>(sql, once, async () => {
      const { invitations, faults, replaces } = await lookAt(sql, request, {
        now,
        holding: "hold",
        most,
      });
      if (faults.length > 0) throw new BatchRefusedError(faults);
      const id = newId();
      const batch = {
        id,
        corporationId,
        actor: principal.actor,
        requestedBy: request.requestedBy,
        now,
        expiresAt: new Date(now.getTime() + lifeOf()),
        invitations,
        lines: request.lines.length,
        replaced: replaces.length,
      };
      await writeBatch(sql, batch, deps);
      return readOne(sql, id);
    }),
  );
}

export function createEnrolmentBatches(deps: EnrolmentBatchesDeps): EnrolmentBatches {
  const { clock, database, store } = deps;
  const within = async <T>(
    principal: Principal,
    id: string,
    work: (sql: Sql, id: string) => Promise<T>,
  ): Promise<T> => {
    const corporationId = await tenantOf(database, principal, self(id));
    return database.tenant(corporationId, (sql) => work(sql, canonicalId(self(id))));
  };
  return {
    preview: (principal, request) => preview(deps, principal, request),
    create: (principal, request, idempotency) => create(deps, principal, { request, idempotency }),
    get: (principal, wanted) =>
      within(principal, wanted, async (sql, id) => ({
        ...(await readOne(sql, id)),
        progress: await readProgress(sql, id, clock()),
      })),
    list: (principal, page) =>
      listPage(store, principal, {
        collection: "enrolmentBatches",
        page,
        references: [],
        within: async (tx, { after, size }) => {
          const text = `select ${COLUMNS} from app.enrolment_batch b where ($1::uuid is null or b.id > $1::uuid) order by b.id limit $2::integer`;
          return (await sqlOf(tx).query<Row>(text, [after, size])).map(batchOf);
        },
        across: async (sql, { after, size }) => {
          const text = `select ${COLUMNS} from app.staff_enrolment_batches($1::uuid, $2::integer) b order by b.id`;
          return (await sql.query<Row>(text, [after, size])).map(batchOf);
        },
      }),
    report: async (principal, id) =>
      reportLines(database, await within(principal, id, readOne), clock()),
  };
}
