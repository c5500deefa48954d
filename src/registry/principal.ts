import type { Actor } from "../audit/record.ts";
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
  | "bulk-issue";

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

/**
 * The corporation in whose scope the principal may look for this thing. A bound principal's is always its own, without
 * asking: row-level security then finds another's things as little as missing ones. Throws NotFoundError.
 */
export async function tenantOf(
  sql: Sql,
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
  const [row] = await sql.query<{ tenant: string | null }>(
    "select app.tenant_of($1::text, $2::uuid) as tenant",
    [kind, id],
    "tenant-of",
  );
  if (row === undefined || row.tenant === null) throw new NotFoundError(kind, field);
  return row.tenant;
}
