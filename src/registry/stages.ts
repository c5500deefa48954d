import type { JsonObject } from "../audit/record.ts";
import { ConflictError, InvalidValueError, SecondPrincipalNeededError } from "./errors.ts";
import { listPage, type Page, type PageRequest } from "./page.ts";
import type { Principal, Reference } from "./principal.ts";
import { type LackingDevice, lackingDevices } from "./stage-readiness.ts";
import { sqlOf } from "../storage/prisma.ts";
import { lockRow, type RegistryDeps, type Work, withinTenantOf } from "./tenant.ts";
import type { Stage } from "./vocabulary.ts";

/** `waiting` for a second person, `planned` for a later time, `in-force`, `past` since another came, or `withdrawn`. */
export const STAGE_STATES = ["waiting", "planned", "in-force", "past", "withdrawn"] as const;

/** One word on how strictly a product demands certificates: at a pharmacy, or wherever a corporation's have none of their own. */
export interface StageSetting {
  readonly id: string;
  readonly product: string;
  readonly corporationId: string;
  readonly pharmacyId?: string;
  readonly stage: Stage;
  /** From when on it counts; of a waiting one, at the earliest. */
  readonly from: Date;
  readonly state: (typeof STAGE_STATES)[number];
  readonly proposedBy: string;
  readonly confirmedBy?: string;
  /** How many devices it would have stopped when it was proposed. */
  readonly lackingCount: number;
  readonly createdAt: Date;
  readonly decidedAt?: Date;
}

/** The same with those devices, last seen first, 500 at most. Their names are today's. */
export interface StageDetail extends StageSetting {
  readonly lacking: readonly (LackingDevice & {
    readonly deviceName?: string;
    readonly pharmacyName?: string;
  })[];
}

export interface StageInput {
  readonly product: string;
  /** Either this, for all its pharmacies that have no stage of their own, */
  readonly corporationId?: string;
  /** or this. */
  readonly pharmacyId?: string;
  readonly stage: Stage;
  /** Now, if absent. */
  readonly from?: Date;
}

export interface StageQuery extends PageRequest {
  readonly product?: string;
  readonly corporationId?: string;
  readonly pharmacyId?: string;
}

export interface Stages {
  /**
   * Sets a stage. It counts at once or from its time on, and what had been said about any later time is withdrawn; said
   * twice, it is said once. `enforce` waits for a second person where it would stop devices. Everything that is milder
   * needs one only: what stops devices must be reversible at once, by whoever notices.
   */
  put(principal: Principal, input: StageInput): Promise<StageDetail>;
  /** Throws SecondPrincipalNeededError for the key that proposed it, ConflictError for what does not wait. */
  confirm(principal: Principal, id: string): Promise<StageDetail>;
  get(principal: Principal, id: string): Promise<StageDetail>;
  /** All words, in the order in which they were said. */
  list(principal: Principal, query: StageQuery): Promise<Page<StageSetting>>;
}

/** What somebody proposed longer ago names devices that nobody may rely on any more. */
const CONFIRMABLE_MS = 7 * 86_400_000;

const MOST_SHOWN = 500;

/** As it lies in `lacking`: ids only, so that names change and go with the registry. */
type KeptDevice = Omit<LackingDevice, "lastSeenAt"> & { readonly lastSeenAt?: string };

interface Row {
  readonly id: string;
  readonly product: string;
  readonly corporation_id: string;
  readonly pharmacy_id: string | null;
  readonly stage: Stage;
  readonly effective_from: Date;
  readonly state: "waiting" | "in-force" | "withdrawn";
  readonly proposed_by: string;
  readonly confirmed_by: string | null;
  readonly lacking: readonly KeptDevice[];
  readonly created_at: Date;
  readonly decided_at: Date | null;
  readonly is_over: boolean;
}

/** For a query that calls app.stage `s`, and whose first value is the time. */
const COLUMNS = `s.id, s.product, s.corporation_id, s.pharmacy_id, s.stage, s.effective_from, s.state, s.proposed_by, s.confirmed_by,
  s.lacking, s.created_at, s.decided_at, app.stage_is_over(s, $1::timestamptz) as is_over`;

function stateOf({ effective_from, is_over, state }: Row, now: Date): StageSetting["state"] {
  if (state !== "in-force") return state;
  if (effective_from > now) return "planned";
  return is_over ? "past" : "in-force";
}

function settingOf(row: Row, now: Date): StageSetting {
  return {
    id: row.id,
    product: row.product,
    corporationId: row.corporation_id,
    ...(row.pharmacy_id !== null && { pharmacyId: row.pharmacy_id }),
    stage: row.stage,
    from: row.effective_from,
    state: stateOf(row, now),
    proposedBy: row.proposed_by,
    ...(row.confirmed_by !== null && { confirmedBy: row.confirmed_by }),
    lackingCount: row.lacking.length,
    createdAt: row.created_at,
    ...(row.decided_at !== null && { decidedAt: row.decided_at }),
  };
}

function namedDevice(
  { lastSeenAt, ...kept }: KeptDevice,
  devices: ReadonlyMap<string, string>,
  pharmacies: ReadonlyMap<string, string>,
): StageDetail["lacking"][number] {
  const deviceName = devices.get(kept.deviceId ?? "");
  const pharmacyName = pharmacies.get(kept.pharmacyId);
  return {
    ...kept,
    ...(deviceName !== undefined && { deviceName }),
    ...(pharmacyName !== undefined && { pharmacyName }),
    ...(lastSeenAt !== undefined && { lastSeenAt: new Date(lastSeenAt) }),
  };
}

async function detailOf({ sql, now }: Work, row: Row): Promise<StageDetail> {
  const shown = row.lacking.slice(0, MOST_SHOWN);
  const named = async (kind: "device" | "pharmacy", ids: readonly (string | undefined)[]) => {
    // `kind` comes from the two calls below.
    const rows = await sql.query<{ id: string; name: string }>(
      `select id, name from app.${kind} where id = any($1::uuid[])`,
      [[...new Set(ids.filter((id) => id !== undefined))]],
    );
    return new Map(rows.map(({ id, name }) => [id, name]));
  };
  const devices = await named(
    "device",
    shown.map(({ deviceId }) => deviceId),
  );
  const pharmacies = await named(
    "pharmacy",
    shown.map(({ pharmacyId }) => pharmacyId),
  );
  const lacking = shown.map((each) => namedDevice(each, devices, pharmacies));
  return { ...settingOf(row, now), lacking };
}

function self(id: string): Reference {
  return { kind: "stage", id };
}

/** Whom it is about. Throws InvalidValueError. */
function scopeOf({ corporationId, pharmacyId }: StageInput): Reference {
  if (pharmacyId !== undefined && corporationId === undefined)
    return { kind: "pharmacy", id: pharmacyId, field: "pharmacyId" };
  if (corporationId !== undefined && pharmacyId === undefined)
    return { kind: "corporation", id: corporationId, field: "corporationId" };
  throw new InvalidValueError("corporationId", "or pharmacyId is needed, and not both");
}

export function createStages(deps: RegistryDeps): Stages {
  const within = withinTenantOf(deps);
  return {
    put: async (principal, input) =>
      within(principal, scopeOf(input), async (work) =>
        detailOf(work, await put(work, deps.newId(), input)),
      ),
    confirm: (principal, id) =>
      within(principal, self(id), async (work) => detailOf(work, await confirm(work, id))),
    get: (principal, id) =>
      within(principal, self(id), async (work) => {
        await lockRow(work.sql, self(id), "keep");
        return detailOf(work, await readRow(work, id));
      }),
    list: (principal, query) => list(deps, principal, query),
  };
}

function list(
  { store, clock }: RegistryDeps,
  principal: Principal,
  { corporationId, pharmacyId, product, ...page }: StageQuery,
): Promise<Page<StageSetting>> {
  const now = clock();
  const references: Reference[] = [];
  if (corporationId !== undefined) references.push({ kind: "corporation", id: corporationId });
  if (pharmacyId !== undefined) references.push({ kind: "pharmacy", id: pharmacyId });
  const at = now.toISOString();
  return listPage(store, principal, {
    collection: "stages",
    page,
    references,
    within: async (tx, { after, size }) => {
      const rows = await sqlOf(tx).query<Row>(
        `select ${COLUMNS} from app.stage s
         where ($2::uuid is null or s.id > $2::uuid) and ($4::text is null or s.product = $4::text)
           and ($5::uuid is null or s.pharmacy_id = $5::uuid)
         order by s.id limit $3::integer`,
        [at, after, size, product ?? null, pharmacyId ?? null],
      );
      return rows.map((row) => settingOf(row, now));
    },
    across: async (sql, { after, size }) => {
      const rows = await sql.query<Row>(
        `select ${COLUMNS} from app.staff_stages($2::uuid, $3::integer, $4::text) s order by s.id`,
        [at, after, size, product ?? null],
      );
      return rows.map((row) => settingOf(row, now));
    },
  });
}

async function readRow({ sql, now }: Work, id: string): Promise<Row> {
  const text = `select ${COLUMNS} from app.stage s where s.id = $2::uuid`;
  const [row] = await sql.query<Row>(text, [now.toISOString(), id]);
  if (row === undefined) throw new Error("a stage that was locked is gone");
  return row;
}

/** All words of a corporation are taken one after the other. */
async function takeTurns({ corporationId, sql }: Work): Promise<void> {
  await lockRow(sql, { kind: "corporation", id: corporationId }, "change");
}

/** What a word is about. */
interface Scope {
  readonly product: string;
  readonly pharmacyId: string | undefined;
}

/** For a query whose second and third values are the scope's. */
const IN_SCOPE = "s.product = $2::text and s.pharmacy_id is not distinct from $3::uuid";

async function lastWord({ sql, now }: Work, scope: Scope): Promise<Row | undefined> {
  const [row] = await sql.query<Row>(
    `select ${COLUMNS} from app.stage s where ${IN_SCOPE} and s.state <> 'withdrawn'
     order by s.created_at desc, s.id desc limit 1`,
    [now.toISOString(), scope.product, scope.pharmacyId ?? null],
  );
  return row;
}

/** Later than the last word, which it follows, even within one millisecond or by a clock that is behind. */
function saidAfter(last: Row | undefined, now: Date): Date {
  return new Date(Math.max(now.getTime(), (last?.created_at.getTime() ?? -Infinity) + 1));
}

function saysTheSame(row: Row, { from, stage }: StageInput, now: Date): boolean {
  if (row.stage !== stage) return false;
  return from === undefined
    ? row.effective_from <= now
    : row.effective_from.getTime() === from.getTime();
}

/** Withdraws what was said about this time and later ones; with `only`, what waits alone. */
async function withdraw(
  work: Work,
  scope: Scope,
  { from, keep, only }: { readonly from: Date; readonly keep: string; readonly only?: "waiting" },
): Promise<void> {
  const { now, record, sql } = work;
  const rows = await sql.query<{ id: string }>(
    `update app.stage s set state = 'withdrawn', decided_at = $1::timestamptz
     where ${IN_SCOPE} and s.id <> $5::uuid
       and (s.state = 'waiting' and greatest(s.effective_from, $1::timestamptz) >= $4::timestamptz
         or $6::text is null and s.state = 'in-force' and s.effective_from > $1::timestamptz and s.effective_from >= $4::timestamptz)
     returning s.id`,
    [
      now.toISOString(),
      scope.product,
      scope.pharmacyId ?? null,
      from.toISOString(),
      keep,
      only ?? null,
    ],
  );
  for (const { id } of rows)
    await record("stage.withdrawn", `stage/${id}`, { product: scope.product });
}

/** What log and outbox say of a word. Ids and codes only. */
function detail(
  scope: Scope,
  { from, stage, lacking }: StageInput & { lacking: number },
): JsonObject {
  return {
    product: scope.product,
    ...(scope.pharmacyId !== undefined && { pharmacyId: scope.pharmacyId }),
    stage,
    ...(from !== undefined && { from: from.toISOString() }),
    lacking,
  };
}

async function put(work: Work, id: string, input: StageInput): Promise<Row> {
  const { corporationId, now, principal, record, sql } = work;
  const { from = now, product, stage } = input;
  await takeTurns(work);
  const pharmacyId =
    input.pharmacyId === undefined ? undefined : await lockRow(sql, scopeOf(input), "keep");
  if (from < now)
    throw new InvalidValueError("from", "is in the past; leave it out to begin at once");
  const scope = { product, pharmacyId };
  const last = await lastWord(work, scope);
  if (last !== undefined && saysTheSame(last, input, now)) return last;
  const lacking =
    stage === "enforce" ? await lackingDevices(sql, { product, pharmacyId, from, now }) : [];
  const waits = lacking.length > 0;
  await withdraw(work, scope, { from, keep: id, ...(waits && { only: "waiting" }) });
  await sql.query(
    `insert into app.stage (id, product, corporation_id, pharmacy_id, stage, effective_from, state, proposed_by, lacking, created_at, decided_at)
     values ($1::uuid, $2::text, $3::uuid, $4::uuid, $5::text, $6::timestamptz, $7::text, $8::text, $9::jsonb, $10::timestamptz, $11::timestamptz)`,
    [
      id,
      product,
      corporationId,
      pharmacyId ?? null,
      stage,
      from.toISOString(),
      waits ? "waiting" : "in-force",
      principal.actor,
      JSON.stringify(lacking),
      saidAfter(last, now).toISOString(),
      waits ? null : now.toISOString(),
    ],
  );
  await record(
    waits ? "stage.proposed" : "stage.changed",
    `stage/${id}`,
    detail(scope, { product, stage, from, lacking: lacking.length }),
  );
  return readRow(work, id);
}

async function confirm(work: Work, stageId: string): Promise<Row> {
  const { now, principal, record, sql } = work;
  await takeTurns(work);
  const id = await lockRow(sql, self(stageId), "change");
  const row = await readRow(work, id);
  if (row.confirmed_by === principal.actor) return row;
  if (row.state !== "waiting")
    throw new ConflictError(`it is ${stateOf(row, now)}, and waits for nobody`, "id");
  if (row.proposed_by === principal.actor) throw new SecondPrincipalNeededError();
  if (now.getTime() - row.created_at.getTime() > CONFIRMABLE_MS)
    throw new ConflictError(
      "it was proposed more than 7 days ago, and other devices may lack a certificate now: propose it again",
      "id",
    );
  const from = row.effective_from < now ? now : row.effective_from;
  const scope = { product: row.product, pharmacyId: row.pharmacy_id ?? undefined };
  await withdraw(work, scope, { from, keep: id });
  await sql.query(
    `update app.stage set state = 'in-force', confirmed_by = $2::text, decided_at = $3::timestamptz, effective_from = $4::timestamptz
     where id = $1::uuid`,
    [id, principal.actor, now.toISOString(), from.toISOString()],
  );
  await record(
    "stage.changed",
    `stage/${id}`,
    detail(scope, { product: row.product, stage: row.stage, from, lacking: row.lacking.length }),
  );
  return readRow(work, id);
}
