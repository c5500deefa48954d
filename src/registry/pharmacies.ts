import { createOnce, type IdempotentRequest } from "./idempotency.ts";
import { listPage, type Page, type PageRequest } from "./page.ts";
import { changesOf } from "./patch.ts";
import type { Principal, Reference } from "./principal.ts";
import {
  found,
  lockRow,
  orStillInUse,
  type RegistryDeps,
  type Work,
  withinTenantOf,
} from "./tenant.ts";
import { parseName } from "./text.ts";

/** A shop of a corporation (薬局). */
export interface Pharmacy {
  readonly id: string;
  readonly corporationId: string;
  readonly name: string;
  /** What the corporation calls it; unique in the corporation. */
  readonly code?: string;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

export interface PharmacyInput {
  readonly corporationId: string;
  readonly name: string;
  readonly code?: string;
}

export interface PharmacyPatch {
  readonly name?: string;
  /** Null takes it away. */
  readonly code?: string | null;
}

export interface PharmacyQuery extends PageRequest {
  readonly corporationId?: string;
}

export interface Pharmacies {
  create(
    principal: Principal,
    input: PharmacyInput,
    idempotency?: IdempotentRequest,
  ): Promise<Pharmacy>;
  get(principal: Principal, id: string): Promise<Pharmacy>;
  list(principal: Principal, query: PharmacyQuery): Promise<Page<Pharmacy>>;
  update(principal: Principal, id: string, patch: PharmacyPatch): Promise<Pharmacy>;
  /** Throws StillInUseError while it has, or ever had, a device or a membership. */
  remove(principal: Principal, id: string): Promise<void>;
}

interface Row {
  readonly id: string;
  readonly corporationId: string;
  readonly name: string;
  readonly code: string | null;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

const MAX_NAME = 200;
const MAX_CODE = 64;
const TAKEN = {
  pharmacy_corporation_id_code_key: {
    field: "code",
    says: "another pharmacy of the corporation has this code already",
  },
};

function pharmacyOf({ code, ...rest }: Row): Pharmacy {
  return code === null ? rest : { ...rest, code };
}

function self(id: string): Reference {
  return { kind: "pharmacy", id };
}

export function createPharmacies(deps: RegistryDeps): Pharmacies {
  const within = withinTenantOf(deps, TAKEN);
  return {
    create: (principal, input, idempotency) =>
      within(principal, corporationOf(input), (work) =>
        createOnce<Pharmacy>(
          work.sql,
          { idempotency, now: work.now, dates: ["createdAt", "updatedAt"] },
          () => create(work, deps.newId(), input),
        ),
      ),
    get: (principal, id) =>
      within(principal, self(id), async ({ tx }) =>
        pharmacyOf(found(await tx.pharmacy.findUnique({ where: { id } }), "pharmacy")),
      ),
    list: (principal, { corporationId, ...page }) =>
      listPage(deps.store, principal, {
        collection: "pharmacies",
        page,
        references: corporationId === undefined ? [] : [{ kind: "corporation", id: corporationId }],
        within: async (tx, { after, size }) => {
          const where = after === null ? {} : { id: { gt: after } };
          return (await tx.pharmacy.findMany({ where, orderBy: { id: "asc" }, take: size })).map(
            pharmacyOf,
          );
        },
        across: async (sql, { after, size }) => {
          const rows = await sql.query<Row>(
            `select id, corporation_id as "corporationId", name, code, created_at as "createdAt", updated_at as "updatedAt"
             from app.staff_pharmacies($1::uuid, $2::integer)`,
            [after, size],
          );
          return rows.map(pharmacyOf);
        },
      }),
    update: (principal, id, patch) =>
      within(principal, self(id), (work) => update(work, id, patch)),
    remove: (principal, id) =>
      orStillInUse("pharmacy", () => within(principal, self(id), (work) => remove(work, id))),
  };
}

function corporationOf({ corporationId }: PharmacyInput): Reference {
  return { kind: "corporation", id: corporationId, field: "corporationId" };
}

async function create(
  { tx, sql, corporationId, now, record }: Work,
  id: string,
  input: PharmacyInput,
): Promise<Pharmacy> {
  await lockRow(sql, corporationOf(input), "keep");
  const name = parseName(input.name, "name", MAX_NAME);
  const code = input.code === undefined ? null : parseName(input.code, "code", MAX_CODE);
  const pharmacy = await tx.pharmacy.create({
    data: { id, corporationId, name, code, createdAt: now, updatedAt: now },
  });
  await record("pharmacy.created", `pharmacy/${id}`);
  return pharmacyOf(pharmacy);
}

async function update(
  { tx, sql, now, record }: Work,
  pharmacyId: string,
  patch: PharmacyPatch,
): Promise<Pharmacy> {
  const id = await lockRow(sql, self(pharmacyId), "change");
  const current = await tx.pharmacy.findUniqueOrThrow({ where: { id } });
  const { data, fields } = changesOf<Pick<Row, "name" | "code">>(current, {
    name: patch.name === undefined ? undefined : parseName(patch.name, "name", MAX_NAME),
    code: typeof patch.code === "string" ? parseName(patch.code, "code", MAX_CODE) : patch.code,
  });
  if (fields.length === 0) return pharmacyOf(current);
  const changed = await tx.pharmacy.update({ where: { id }, data: { ...data, updatedAt: now } });
  await record("pharmacy.updated", `pharmacy/${id}`, { changed: fields });
  return pharmacyOf(changed);
}

async function remove({ tx, sql, record }: Work, pharmacyId: string): Promise<void> {
  const id = await lockRow(sql, self(pharmacyId), "change");
  await tx.pharmacy.delete({ where: { id } });
  await record("pharmacy.deleted", `pharmacy/${id}`);
}
