import type { Actor } from "../audit/record.ts";
import type { Sql } from "../storage/sql.ts";

/** What an operator wants of the signer. */
export type WantedOrder =
  /** A new generation of the issuing CA, announced. */
  | { readonly kind: "rotate" }
  /** An announced CA is to issue; with `by`, though somebody may not have it yet. */
  | { readonly kind: "activate"; readonly issuerId: string; readonly by: readonly string[] }
  /** The certificate of an issuing CA is to be revoked. `reason` is a CRLReason (RFC 5280 §5.3.1). */
  | {
      readonly kind: "revoke";
      readonly issuerId: string;
      readonly reason: number;
      readonly by: readonly string[];
    };

/** An order in its place. */
export type IssuerOrder = WantedOrder & { readonly id: string; readonly actor: Actor };

/** How an order has ended: the CA that it was about or has made, or the sentence that says why nothing was done. */
export type OrderOutcome = { readonly issuerId: string } | { readonly refused: string };

interface Row {
  readonly id: string;
  readonly kind: WantedOrder["kind"];
  readonly issuer_id: string | null;
  readonly reason: number | null;
  readonly by: readonly string[];
  readonly actor: string;
}

/** Writes an order down. The signer hears of it. */
export async function placeOrder(sql: Sql, order: IssuerOrder, at: Date): Promise<void> {
  await sql.query(
    "insert into ca.issuer_order (id, kind, issuer_id, reason, by, actor, ordered_at) values ($1, $2, $3, $4, $5, $6, $7)",
    [
      order.id,
      order.kind,
      order.kind === "rotate" ? null : order.issuerId,
      order.kind === "revoke" ? order.reason : null,
      order.kind === "rotate" ? [] : order.by,
      order.actor,
      at,
    ],
  );
}

/** What is still to be done, the oldest first. */
export async function openOrders(sql: Sql): Promise<readonly IssuerOrder[]> {
  const rows = await sql.query<Row>(
    "select id, kind, issuer_id, reason, by, actor from ca.issuer_order where done_at is null order by ordered_at",
    [],
    "issuer-orders",
  );
  return rows.map(orderOf);
}

function orderOf({ id, actor, kind, issuer_id: issuer, reason, by }: Row): IssuerOrder {
  const issuerId = issuer ?? "";
  switch (kind) {
    case "rotate":
      return { id, actor, kind };
    case "activate":
      return { id, actor, kind, issuerId, by };
    case "revoke":
      return { id, actor, kind, issuerId, by, reason: reason ?? 0 };
  }
}

/** Ends an order, once. */
export async function finishOrder(
  sql: Sql,
  { id }: Pick<IssuerOrder, "id">,
  outcome: OrderOutcome & { readonly at: Date },
): Promise<void> {
  const [issuerId, refused] =
    "refused" in outcome ? [null, outcome.refused] : [outcome.issuerId, null];
  await sql.query(
    "update ca.issuer_order set done_at = $2, outcome = $3, refused = $4 where id = $1 and done_at is null",
    [id, outcome.at, issuerId, refused],
  );
}

/** How it has ended; undefined while it has not. */
export async function outcomeOf(sql: Sql, id: string): Promise<OrderOutcome | undefined> {
  const [row] = await sql.query<{ outcome: string | null; refused: string | null }>(
    "select outcome, refused from ca.issuer_order where id = $1 and done_at is not null",
    [id],
  );
  if (row === undefined) return undefined;
  return row.outcome === null ? { refused: row.refused ?? "" } : { issuerId: row.outcome };
}
