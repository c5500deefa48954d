import { fromHex, toHex } from "../pki/bytes.ts";
import type { Sql } from "../storage/sql.ts";
import { type PrismaStore, sqlOf, type Tx } from "../storage/prisma.ts";
import { type Collection, readCursor, writeCursor } from "./cursor.ts";
import { InvalidValueError, NotFoundError } from "./errors.ts";
import { parseLimit } from "./page-limit.ts";
import { canonicalUuid, type Principal, type Reference, tenantOf } from "./principal.ts";
import { lookUp } from "./tenant.ts";

/** Which page of a list: the one behind a cursor, and how many items at most. */
export interface PageRequest {
  readonly after?: string;
  readonly limit?: number;
}

/** A page, in the order of ids, and where the next one begins, if there is one. */
export interface Page<Item> {
  readonly items: readonly Item[];
  readonly nextCursor?: string;
}

/** What a query must return: the rows with ids above `after`, and one more than the page holds. */
export interface Window {
  readonly after: string | null;
  readonly size: number;
}

/** The id of the 16 octets that a cursor holds; of other octets, a text that is none. */
function idOf(octets: Uint8Array): string {
  return toHex(octets).replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}

/** The window of a request for a page of a collection. Throws InvalidValueError. */
export function windowOf({ after, limit }: PageRequest, collection: Collection): Window {
  const size = parseLimit(limit) + 1;
  if (after === undefined) return { after: null, size };
  const id = canonicalUuid(idOf(readCursor(collection, after)));
  if (id === undefined) throw new InvalidValueError("after", "is no nextCursor of this collection");
  return { after: id, size };
}

/** The page that a window's rows make. */
export function pageOf<Item extends { readonly id: string }>(
  rows: readonly Item[],
  { size }: Window,
  collection: Collection,
): Page<Item> {
  const items = rows.slice(0, size - 1);
  const last = items.at(-1);
  if (rows.length < size || last === undefined) return { items };
  return { items, nextCursor: writeCursor(collection, fromHex(last.id.replaceAll("-", ""))) };
}

/** How one kind of thing is listed. */
export interface Listing<Item> {
  readonly collection: Collection;
  readonly page: PageRequest;
  /** What the list is narrowed to; it must be in one tenant. */
  readonly references: readonly Reference[];
  /** The window of one tenant's items. */
  readonly within: (tx: Tx, window: Window) => Promise<readonly Item[]>;
  /** The window of all tenants' items, for principals who are bound to none. */
  readonly across: (sql: Sql, window: Window) => Promise<readonly Item[]>;
}

/** A page of what the principal may see. What is narrowed to something missing, or to another's, is an empty page. */
export async function listPage<Item extends { readonly id: string }>(
  store: PrismaStore,
  principal: Principal,
  listing: Listing<Item>,
): Promise<Page<Item>> {
  const { collection } = listing;
  const window = windowOf(listing.page, collection);
  const scope = await scopeOf(lookUp(store), principal, listing.references);
  switch (scope.kind) {
    case "nowhere":
      return { items: [] };
    case "everywhere":
      return pageOf(
        await store.across((tx) => listing.across(sqlOf(tx), window)),
        window,
        collection,
      );
    case "tenant":
      return pageOf(
        await store.tenant(scope.corporationId, (tx) => listing.within(tx, window)),
        window,
        collection,
      );
  }
}

type ListScope =
  | { readonly kind: "nowhere" }
  | { readonly kind: "everywhere" }
  | { readonly kind: "tenant"; readonly corporationId: string };

async function scopeOf(
  sql: Sql,
  principal: Principal,
  references: readonly Reference[],
): Promise<ListScope> {
  const tenants = new Set(principal.corporationId === undefined ? [] : [principal.corporationId]);
  try {
    for (const reference of references) tenants.add(await tenantOf(sql, principal, reference));
  } catch (error) {
    if (error instanceof NotFoundError) return { kind: "nowhere" };
    throw error;
  }
  const [corporationId, another] = tenants;
  if (another !== undefined) return { kind: "nowhere" };
  return corporationId === undefined ? { kind: "everywhere" } : { kind: "tenant", corporationId };
}
