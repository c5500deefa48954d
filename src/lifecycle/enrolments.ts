import { serialOf } from "../ca/certificate-record.ts";
import type { Serial } from "../pki/serial.ts";
import { ConflictError } from "../registry/errors.ts";
import { createOnce } from "../registry/idempotency.ts";
import { listPage, type Page, type PageRequest } from "../registry/page.ts";
import type { Principal, Reference } from "../registry/principal.ts";
import { lockRow, type RegistryDeps, type Work, withinTenantOf } from "../registry/tenant.ts";
import { sqlOf } from "../storage/prisma.ts";
import {
  type Handing,
  type HandingDeps,
  handOver,
  type MadeEnrolment,
} from "./enrolment-handing.ts";
import { type EnrolmentRequest, pharmacyOf, requestEnrolments } from "./enrolment-request.ts";
import {
  endOf,
  type Enrolment,
  ENROLMENT_COLUMNS,
  enrolmentOf,
  type EnrolmentReason,
  type EnrolmentRow,
  type EnrolmentState,
  type ConfirmedHow,
  type PlaceChoice,
  readEnrolment,
} from "./enrolment-row.ts";
import { renewableOf } from "./renewable.ts";
import { standingOf } from "./enrolment-standing.ts";
import { lifeOf, openEnrolments } from "./open-enrolment.ts";
import { checkRoom, newestOf } from "./places.ts";

export interface EnrolmentInput {
  readonly accountId: string;
  readonly deviceId: string;
  /** 72 hours instead of 14 days. */
  readonly duringCall?: boolean;
  /** `first`, if absent. */
  readonly reason?: EnrolmentReason;
  /** If absent, the person is asked where the device has a certificate in use. Of a renewal there is none. */
  readonly place?: PlaceChoice;
  /** Of a renewal, the certificate of the place that is renewed; if absent, the person's newest. */
  readonly replaces?: Serial;
  /** Whom the mail names as having asked. */
  readonly requestedBy?: string;
}

export interface EnrolmentQuery extends PageRequest {
  readonly deviceId?: string;
  readonly accountId?: string;
  readonly pharmacyId?: string;
  readonly state?: EnrolmentState;
  readonly supportNumber?: string;
}

export interface Enrolments {
  /**
   * Makes one, and plans its mail where the account has an address. An open one of the same device is withdrawn; one
   * for a further place leaves a renewal of another place alone. Asked for
   * again with the same key it is the same one with a fresh link. Throws NotFoundError, NotAMemberError, InvalidStateError.
   */
  create(principal: Principal, input: EnrolmentInput, handing: Handing): Promise<MadeEnrolment>;
  /**
   * Makes several for machines that nobody has registered, and plans the one mail that lists them. Asked for again with the
   * same key they are the same ones with fresh links. Throws what `create` does.
   */
  request(
    principal: Principal,
    request: EnrolmentRequest,
    handing: Handing,
  ): Promise<readonly MadeEnrolment[]>;
  get(principal: Principal, id: string): Promise<Enrolment>;
  list(principal: Principal, query: EnrolmentQuery): Promise<Page<Enrolment>>;
  /** Its links and codes open nothing from then on. Withdrawn twice is withdrawn once. Throws ConflictError after its end. */
  withdraw(principal: Principal, id: string): Promise<Enrolment>;
  /**
   * 「本人を確認しました」: the principal has spoken with the person and knows who it is. Of a started one only, where
   * somebody waits for it; said twice by the same principal it is said once. Throws ConflictError, and what `create` does.
   */
  confirm(principal: Principal, id: string, said: Confirmation): Promise<Enrolment>;
}

/** What staff say of a caller. */
export interface Confirmation {
  readonly how: ConfirmedHow;
  /** As the caller read it. Needed once an enrolment was begun more than once: it tells whose page is meant. */
  readonly supportNumber?: string;
}

export interface EnrolmentsDeps extends RegistryDeps, HandingDeps {
  /** In so many places a device may have a certificate. */
  readonly placesPerDevice: number;
}

function self(id: string): Reference {
  return { kind: "enrolment", id };
}

export function createEnrolments(deps: EnrolmentsDeps): Enrolments {
  const within = withinTenantOf(deps);
  return {
    create: (principal, input, handing) =>
      within(principal, deviceOf(input), async (work) => {
        const { idempotency } = handing;
        const once = { idempotency, now: work.now, dates: ["createdAt", "expiresAt"] as const };
        const enrolment = await createOnce<Enrolment>(work.sql, once, () =>
          create(work, deps, input),
        );
        return handOver(work, deps, { enrolment, handing });
      }),
    request: (principal, request, handing) =>
      within(principal, pharmacyOf(request), (work) =>
        requestEnrolments(work, deps, { request, handing }),
      ),
    get: (principal, id) =>
      within(principal, self(id), async (work) => {
        await lockRow(work.sql, self(id), "keep");
        return enrolmentOf(await readEnrolment(work, id));
      }),
    list: (principal, query) => list(deps, principal, query),
    withdraw: (principal, id) =>
      within(principal, self(id), async (work) => enrolmentOf(await withdraw(work, id))),
    confirm: (principal, id, said) =>
      within(principal, self(id), async (work) => enrolmentOf(await confirm(work, id, said))),
  };
}

function list(
  { store, clock }: RegistryDeps,
  principal: Principal,
  { deviceId, accountId, pharmacyId, state, supportNumber, ...page }: EnrolmentQuery,
): Promise<Page<Enrolment>> {
  const at = clock().toISOString();
  const references = Object.entries({ device: deviceId, account: accountId, pharmacy: pharmacyId })
    .filter((entry): entry is ["device" | "account" | "pharmacy", string] => entry[1] !== undefined)
    .map(([kind, id]): Reference => ({ kind, id }));
  return listPage(store, principal, {
    collection: "enrolments",
    page,
    references,
    within: async (tx, { after, size }) => {
      const rows = await sqlOf(tx).query<EnrolmentRow>(
        `select ${ENROLMENT_COLUMNS} from app.enrolment e
         where ($2::uuid is null or e.id > $2::uuid) and ($4::uuid is null or e.device_id = $4::uuid)
           and ($5::uuid is null or e.account_id = $5::uuid) and ($6::uuid is null or e.pharmacy_id = $6::uuid)
           and ($7::text is null or app.enrolment_state(e, $1::timestamptz) = $7::text)
           and ($8::text is null or e.support_number = $8::text)
         order by e.id limit $3::integer`,
        [
          at,
          after,
          size,
          deviceId ?? null,
          accountId ?? null,
          pharmacyId ?? null,
          state ?? null,
          supportNumber ?? null,
        ],
      );
      return rows.map(enrolmentOf);
    },
    across: async (sql, { after, size }) => {
      const rows = await sql.query<EnrolmentRow>(
        `select ${ENROLMENT_COLUMNS} from app.staff_enrolments($1::timestamptz, $2::uuid, $3::integer, $4::text, $5::text) e order by e.id`,
        [at, after, size, state ?? null, supportNumber ?? null],
      );
      return rows.map(enrolmentOf);
    },
  });
}

function deviceOf({ deviceId }: EnrolmentInput): Reference {
  return { kind: "device", id: deviceId, field: "deviceId" };
}

/** What becomes of the device's certificates, and which of them the new one follows. Throws what `renewableOf` does, and ConflictError. */
async function placing(
  { sql, now }: Work,
  { accountId, deviceId, place, reason, replaces: wanted }: EnrolmentInput,
  most: number,
): Promise<{ readonly replaces?: string; readonly place?: PlaceChoice }> {
  if (reason === "renewal") {
    const renewable = { deviceId, accountId, ...(wanted !== undefined && { wanted }) };
    const replaces = await renewableOf(sql, renewable, now);
    return replaces === undefined ? {} : { replaces };
  }
  if (place === undefined) return {};
  if (place === "further") {
    await checkRoom(sql, { deviceId, at: now, most });
    return { place };
  }
  const newest = await newestOf(sql, deviceId);
  return { place, ...(newest !== null && { replaces: serialOf(newest) }) };
}

/** Whoever makes one for the same device meanwhile waits for the lock of the device's row, and then replaces this one. */
async function create(work: Work, deps: EnrolmentsDeps, input: EnrolmentInput): Promise<Enrolment> {
  const { sql, now, record } = work;
  const deviceId = await lockRow(sql, deviceOf(input), "change");
  const account: Reference = { kind: "account", id: input.accountId, field: "accountId" };
  const accountId = await lockRow(sql, account, "keep");
  const standing = await standingOf(sql, { deviceId, accountId }, now);
  const reason = input.reason ?? "first";
  const placed = await placing(work, { ...input, deviceId, accountId }, deps.placesPerDevice);
  const { place: _, replaces: __, ...asked } = input;
  const id = deps.newId();
  const opening = {
    ...asked,
    ...placed,
    id,
    deviceId,
    accountId,
    pharmacyId: standing.pharmacy_id,
    reason,
    expiresAt: new Date(now.getTime() + lifeOf(input.duringCall)),
  };
  const { corporationId, principal } = work;
  const { actor } = principal;
  await openEnrolments(sql, { corporationId, actor, at: now, openings: [opening] }, deps);
  await sql.query(
    "update app.enrolment set mailed = app.plan_enrolment_mail(id, $2::timestamptz) where id = $1::uuid",
    [id, now.toISOString()],
  );
  const row = await readEnrolment(work, id);
  await record("enrolment.created", `enrolment/${id}`, {
    deviceId,
    accountId,
    pharmacyId: row.pharmacy_id,
    reason: row.reason,
    ...(row.place !== null && { place: row.place }),
    duringCall: row.during_call,
    mailed: row.mailed,
  });
  return enrolmentOf(row);
}

async function withdraw(work: Work, enrolmentId: string): Promise<EnrolmentRow> {
  const { now, record, sql } = work;
  const id = await lockRow(sql, self(enrolmentId), "change");
  const row = await readEnrolment(work, id);
  if (row.told_state === "withdrawn") return row;
  if (endOf(row) !== undefined) throw new ConflictError(`it is ${row.told_state} already`, "id");
  await sql.query(
    "update app.enrolment set state = 'withdrawn', ended_at = $2::timestamptz where id = $1::uuid",
    [id, now.toISOString()],
  );
  await record("enrolment.withdrawn", `enrolment/${id}`);
  return readEnrolment(work, id);
}

/** What was begun anew meanwhile is somebody else's page, whose number is another. */
function checkCaller(row: EnrolmentRow, { supportNumber }: Confirmation): void {
  if (supportNumber === undefined && row.begun > 1)
    throw new ConflictError(
      "it was begun more than once: the number that the caller reads is needed",
      "supportNumber",
    );
  if (supportNumber !== undefined && supportNumber !== row.support_number)
    throw new ConflictError(
      "it was begun anew in another browser, whose number is another: ask the caller again",
      "supportNumber",
    );
}

async function confirm(work: Work, enrolmentId: string, said: Confirmation): Promise<EnrolmentRow> {
  const { how } = said;
  const { now, principal, record, sql } = work;
  const id = await lockRow(sql, self(enrolmentId), "change");
  const row = await readEnrolment(work, id);
  checkCaller(row, said);
  if (row.told_state === "identified" && row.identified_by === principal.actor) return row;
  if (row.told_state !== "started")
    throw new ConflictError(`it is ${row.told_state}, and nobody waits to be identified`, "id");
  const { account_id: accountId, device_id: deviceId, pharmacy_id: pharmacyId } = row;
  await standingOf(sql, { deviceId, pharmacyId, accountId }, now);
  await sql.query(
    `update app.enrolment set state = 'identified', identified_at = $2::timestamptz, identified_by = $3::text, identified_how = $4::text
     where id = $1::uuid`,
    [id, now.toISOString(), principal.actor, how],
  );
  await record("enrolment.identified", `enrolment/${id}`, { how });
  return readEnrolment(work, id);
}
