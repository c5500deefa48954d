import { InvalidValueError } from "./errors.ts";
import { createOnce, type IdempotentRequest } from "./idempotency.ts";
import { listPage, type Page, type PageRequest } from "./page.ts";
import { changesOf } from "./patch.ts";
import { type Principal, type Reference } from "./principal.ts";
import {
  found,
  lockRow,
  recordDeny,
  type RegistryDeps,
  type Work,
  withinTenantOf,
} from "./tenant.ts";
import type { MembershipRole } from "./vocabulary.ts";

/** That an account works in a pharmacy, from a time, and to a time once it has an end. */
export interface Membership {
  readonly id: string;
  readonly corporationId: string;
  readonly accountId: string;
  readonly pharmacyId: string;
  readonly role: MembershipRole;
  /** Named to do in an emergency what the manager does. */
  readonly deputy: boolean;
  readonly from: Date;
  readonly to?: Date;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

export interface MembershipInput {
  readonly accountId: string;
  readonly pharmacyId: string;
  readonly role: MembershipRole;
  readonly deputy?: boolean;
  /** Now, if absent. */
  readonly from?: Date;
  readonly to?: Date;
}

export interface MembershipPatch {
  readonly role?: MembershipRole;
  readonly deputy?: boolean;
  /** Null takes away an end that has not come yet. */
  readonly to?: Date | null;
}

export interface MembershipQuery extends PageRequest {
  readonly corporationId?: string;
  readonly accountId?: string;
  readonly pharmacyId?: string;
}

export interface Memberships {
  create(
    principal: Principal,
    input: MembershipInput,
    idempotency?: IdempotentRequest,
  ): Promise<Membership>;
  get(principal: Principal, id: string): Promise<Membership>;
  list(principal: Principal, query: MembershipQuery): Promise<Page<Membership>>;
  update(principal: Principal, id: string, patch: MembershipPatch): Promise<Membership>;
  /** Ends it now. It stays as history; only one that has not begun is deleted. */
  remove(principal: Principal, id: string): Promise<void>;
}

interface Row {
  readonly id: string;
  readonly corporationId: string;
  readonly accountId: string;
  readonly pharmacyId: string;
  readonly role: string;
  readonly deputy: boolean;
  readonly validFrom: Date;
  readonly validTo: Date | null;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

const TAKEN = {
  membership_one_open: {
    field: "accountId",
    says: "the account has an open membership in this pharmacy already",
  },
};

/** A check constraint of the table holds the roles. */
function membershipOf({ validFrom: from, validTo: to, role, ...rest }: Row): Membership {
  return { ...rest, role: role as MembershipRole, from, ...(to === null ? {} : { to }) };
}

function self(id: string): Reference {
  return { kind: "membership", id };
}

export function createMemberships(deps: RegistryDeps): Memberships {
  const within = withinTenantOf(deps, TAKEN);
  return {
    create: (principal, input, idempotency) =>
      within(principal, accountOf(input), (work) =>
        createOnce<Membership>(
          work.sql,
          { idempotency, now: work.now, dates: ["from", "to", "createdAt", "updatedAt"] },
          () => create(work, deps.newId(), input),
        ),
      ),
    get: (principal, id) =>
      within(principal, self(id), async ({ tx }) =>
        membershipOf(found(await tx.membership.findUnique({ where: { id } }), "membership")),
      ),
    list: (principal, query) => list(deps, principal, query),
    update: (principal, id, patch) =>
      within(principal, self(id), (work) => update(work, id, patch)),
    remove: (principal, id) => within(principal, self(id), (work) => end(work, id)),
  };
}

function list(
  { store }: RegistryDeps,
  principal: Principal,
  { corporationId, accountId, pharmacyId, ...page }: MembershipQuery,
): Promise<Page<Membership>> {
  const narrowed = { corporation: corporationId, account: accountId, pharmacy: pharmacyId };
  return listPage(store, principal, {
    collection: "memberships",
    page,
    references: (["corporation", "account", "pharmacy"] as const).flatMap((kind) => {
      const id = narrowed[kind];
      return id === undefined ? [] : [{ kind, id }];
    }),
    within: async (tx, { after, size }) => {
      const where = {
        ...(after === null ? {} : { id: { gt: after } }),
        ...(accountId === undefined ? {} : { accountId }),
        ...(pharmacyId === undefined ? {} : { pharmacyId }),
      };
      return (await tx.membership.findMany({ where, orderBy: { id: "asc" }, take: size })).map(
        membershipOf,
      );
    },
    across: async (sql, { after, size }) => {
      const rows = await sql.query<Row>(
        `select id, corporation_id as "corporationId", account_id as "accountId", pharmacy_id as "pharmacyId", role, deputy,
           valid_from as "validFrom", valid_to as "validTo", created_at as "createdAt", updated_at as "updatedAt"
         from app.staff_memberships($1::uuid, $2::integer)`,
        [after, size],
      );
      return rows.map(membershipOf);
    },
  });
}

function accountOf({ accountId }: MembershipInput): Reference {
  return { kind: "account", id: accountId, field: "accountId" };
}

async function create(
  { tx, sql, corporationId, now, record }: Work,
  id: string,
  input: MembershipInput,
): Promise<Membership> {
  const accountId = await lockRow(sql, accountOf(input), "keep");
  const pharmacyId = await lockRow(
    sql,
    { kind: "pharmacy", id: input.pharmacyId, field: "pharmacyId" },
    "keep",
  );
  const { role, deputy = false, from = now, to } = input;
  demandAfter(from, to);
  const membership = await tx.membership.create({
    data: {
      id,
      corporationId,
      accountId,
      pharmacyId,
      role,
      deputy,
      validFrom: from,
      validTo: to ?? null,
      createdAt: now,
      updatedAt: now,
    },
  });
  await record("membership.created", `membership/${id}`, { accountId, pharmacyId, role, deputy });
  return membershipOf(membership);
}

async function update(
  work: Work,
  membershipId: string,
  patch: MembershipPatch,
): Promise<Membership> {
  const { tx, sql, now, record } = work;
  const id = await lockRow(sql, self(membershipId), "change");
  const current = await tx.membership.findUniqueOrThrow({ where: { id } });
  const { data, fields } = changesOf<Pick<Row, "role" | "deputy" | "validTo">>(current, {
    role: patch.role,
    deputy: patch.deputy,
    validTo: patch.to,
  });
  if (fields.length === 0) return membershipOf(current);
  if (hasEnded(current, now))
    throw new InvalidValueError("to", "has passed: who comes back gets a new membership");
  demandAfter(current.validFrom, data.validTo ?? undefined);
  const changed = await tx.membership.update({ where: { id }, data: { ...data, updatedAt: now } });
  const names = fields.map((field) => (field === "validTo" ? "to" : field));
  await record("membership.updated", `membership/${id}`, { changed: names, ...endDetail(changed) });
  if (data.validTo instanceof Date) await recordDeny(sql, `membership:${id}`, data.validTo);
  return membershipOf(changed);
}

/** Ending twice is ending once. */
async function end({ tx, sql, now, record }: Work, membershipId: string): Promise<void> {
  const id = await lockRow(sql, self(membershipId), "change");
  const current = await tx.membership.findUniqueOrThrow({ where: { id } });
  if (hasEnded(current, now)) return;
  const begun = current.validFrom < now;
  if (begun) await tx.membership.update({ where: { id }, data: { validTo: now, updatedAt: now } });
  else await tx.membership.delete({ where: { id } });
  await record(begun ? "membership.ended" : "membership.deleted", `membership/${id}`, {
    accountId: current.accountId,
    pharmacyId: current.pharmacyId,
  });
  await recordDeny(sql, `membership:${id}`, now);
}

function hasEnded({ validTo }: Row, now: Date): boolean {
  return validTo !== null && validTo <= now;
}

function endDetail({ validTo }: Row): { readonly to?: string } {
  return validTo === null ? {} : { to: validTo.toISOString() };
}

function demandAfter(from: Date, to: Date | undefined): void {
  if (to !== undefined && to <= from) throw new InvalidValueError("to", "is not after from");
}
