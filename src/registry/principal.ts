import type { Actor } from "../audit/record.ts";
import { gathered } from "../storage/gathered.ts";
import type { Sql } from "../storage/sql.ts";
import { NotFoundError } from "./errors.ts";

/** What an API key may be for. `staff/roles.ts` says what each may do. */
export const ROLES = ["admin", "operator", "support", "auditor", "product", "proxy"] as const;
export type Role = (typeof ROLES)[number];

/** Who asks. One that is bound to a corporation only ever sees that corporation. */
export interface Principal {
  /** The id of its API key. */
  readonly id: string;
  readonly actor: Actor;
  readonly role: Role;
  readonly corporationId?: string;
  /** The relying party that a proxy's key is bound to. */
  readonly relyingPartyId?: string;
}

/** What belongs to a corporation and has an id of its own (`app.tenant_of`). */
export type Kind =
  | "corporation"
  | "pharmacy"
  | "account"
  | "membership"
  | "device"
  | "stage"
  | "bulk-issue"
  | "enrolment"
  | "enrolment-batch";

/** A reference to a thing: in the address of the request, or in the field of its body that is named. */
export interface Reference {
  readonly kind: Kind;
  readonly id: string;
  readonly field?: string;
}

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** A UUID in the spelling that PostgreSQL gives back (RFC 9562 §4), or undefined for any other text. */
export function canonicalUuid(text: string): string | undefined {
  const lower = text.toLowerCase();
  return UUID.test(lower) ? lower : undefined;
}

/** The id of a reference. What is no UUID names nothing: NotFoundError. */
export function canonicalId({ kind, id, field }: Reference): string {
  const uuid = canonicalUuid(id);
  if (uuid === undefined) throw new NotFoundError(kind, field);
  return uuid;
}

/** The corporation that a thing belongs to; null where there is no such thing. */
export type FindTenant = (thing: Pick<Reference, "kind" | "id">) => Promise<string | null>;

/** More things than are asked about at once. */
const MOST_THINGS = 256;

async function readTenants(
  sql: Sql,
  things: readonly Pick<Reference, "kind" | "id">[],
): Promise<readonly (string | null)[]> {
  const rows = await sql.query<{ tenant: string | null }>(
    `select app.tenant_of(thing.kind, thing.id) as tenant
     from unnest($1::text[], $2::uuid[]) with ordinality as thing (kind, id, place) order by thing.place`,
    [things.map(({ kind }) => kind), things.map(({ id }) => id)],
    "tenants-of",
  );
  return rows.map(({ tenant }) => tenant);
}

/** Asks the database, with one statement for all who ask at the same time. */
export function findTenants(sql: Sql): FindTenant {
  return gathered({ many: (things) => readTenants(sql, things), most: MOST_THINGS, atOnce: 1 });
}

/**
 * The corporation in whose scope the principal may look for this thing. A bound principal's is always its own, without
 * asking: row-level security then finds another's things as little as missing ones. Throws NotFoundError.
 */
export async function tenantFoundBy(
  find: FindTenant,
  principal: Principal,
  reference: Reference,
): Promise<string> {
  const { kind, field } = reference;
  const id = canonicalId(reference);
  const own = principal.corporationId;
  if (own !== undefined) {
    if (kind === "corporation" && id !== own) throw new NotFoundError(kind, field);
    return own;
  }
  const tenant = await find({ kind, id });
  if (tenant === null) throw new NotFoundError(kind, field);
  return tenant;
}

/** The same, where nobody else asks at the same time. */
export function tenantOf(sql: Sql, principal: Principal, reference: Reference): Promise<string> {
  const find: FindTenant = async (thing) => (await readTenants(sql, [thing]))[0] ?? null;
  return tenantFoundBy(find, principal, reference);
}
