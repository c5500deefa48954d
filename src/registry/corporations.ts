import { OutsideScopeError } from "./errors.ts";
import { createOnce, type IdempotentRequest } from "./idempotency.ts";
import { listPage, type Page, type PageRequest } from "./page.ts";
import { changesOf } from "./patch.ts";
import type { Principal, Reference } from "./principal.ts";
import {
  found,
  inTenant,
  lockRow,
  orStillInUse,
  type RegistryDeps,
  type Work,
  withinTenantOf,
} from "./tenant.ts";
import { parseName } from "./text.ts";

/** A legal entity that runs pharmacies (法人): a tenant. */
export interface Corporation {
  readonly id: string;
  readonly name: string;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

export interface CorporationInput {
  readonly name: string;
}

export interface Corporations {
  /** For principals who are bound to no corporation. Throws OutsideScopeError. */
  create(
    principal: Principal,
    input: CorporationInput,
    idempotency?: IdempotentRequest,
  ): Promise<Corporation>;
  get(principal: Principal, id: string): Promise<Corporation>;
  list(principal: Principal, page: PageRequest): Promise<Page<Corporation>>;
  update(principal: Principal, id: string, patch: Partial<CorporationInput>): Promise<Corporation>;
  /** Throws StillInUseError while it has a pharmacy, an account or an API key. */
  remove(principal: Principal, id: string): Promise<void>;
}

const FIELDS = { id: true, name: true, createdAt: true, updatedAt: true } as const;
const MAX_NAME = 200;

function self(id: string): Reference {
  return { kind: "corporation", id };
}

export function createCorporations(deps: RegistryDeps): Corporations {
  const { store } = deps;
  const within = withinTenantOf(deps);
  return {
    create: (principal, input, idempotency) => create(deps, principal, { input, idempotency }),
    get: (principal, id) =>
      within(principal, self(id), async ({ tx, corporationId }) =>
        found(
          await tx.corporation.findUnique({ where: { id: corporationId }, select: FIELDS }),
          "corporation",
        ),
      ),
    list: (principal, page) =>
      listPage(store, principal, {
        collection: "corporations",
        page,
        references: [],
        within: (tx, { after, size }) =>
          tx.corporation.findMany({
            where: after === null ? {} : { id: { gt: after } },
            orderBy: { id: "asc" },
            take: size,
            select: FIELDS,
          }),
        across: (sql, { after, size }) =>
          sql.query<Corporation>(
            `select id, name, created_at as "createdAt", updated_at as "updatedAt"
             from app.staff_corporations($1::uuid, $2::integer)`,
            [after, size],
          ),
      }),
    update: (principal, id, patch) => within(principal, self(id), (work) => update(work, patch)),
    remove: (principal, id) =>
      orStillInUse("corporation", () => within(principal, self(id), remove)),
  };
}

/** The new corporation is its own tenant, so its row is inserted in its own scope. */
async function create(
  deps: RegistryDeps,
  principal: Principal,
  {
    input,
    idempotency,
  }: { readonly input: CorporationInput; readonly idempotency: IdempotentRequest | undefined },
): Promise<Corporation> {
  if (principal.corporationId !== undefined) {
    throw new OutsideScopeError("a key that is bound to a corporation cannot create another");
  }
  const name = parseName(input.name, "name", MAX_NAME);
  return inTenant(
    deps,
    { principal, corporationId: deps.newId() },
    ({ tx, sql, corporationId, now, record }) =>
      createOnce<Corporation>(
        sql,
        { idempotency, now, dates: ["createdAt", "updatedAt"] },
        async () => {
          const data = { id: corporationId, name, createdAt: now, updatedAt: now };
          const corporation = await tx.corporation.create({ data, select: FIELDS });
          await record("corporation.created", `corporation/${corporationId}`);
          return corporation;
        },
      ),
  );
}

async function update(
  { tx, sql, corporationId: id, now, record }: Work,
  patch: Partial<CorporationInput>,
): Promise<Corporation> {
  await lockRow(sql, self(id), "change");
  const current = await tx.corporation.findUniqueOrThrow({ where: { id }, select: FIELDS });
  const { data, fields } = changesOf<CorporationInput>(current, {
    name: patch.name === undefined ? undefined : parseName(patch.name, "name", MAX_NAME),
  });
  if (fields.length === 0) return current;
  const changed = await tx.corporation.update({
    where: { id },
    data: { ...data, updatedAt: now },
    select: FIELDS,
  });
  await record("corporation.updated", `corporation/${id}`, { changed: fields });
  return changed;
}

async function remove({ tx, sql, corporationId: id, record }: Work): Promise<void> {
  await lockRow(sql, self(id), "change");
  await tx.corporation.delete({ where: { id } });
  await record("corporation.deleted", `corporation/${id}`);
}
