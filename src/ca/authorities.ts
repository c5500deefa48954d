import type { Sql } from "../storage/sql.ts";

/** One of our CAs, as the database has it, with the full list that is current. */
export interface Authority {
  readonly id: string;
  readonly kind: "root" | "issuing";
  readonly state: "announced" | "active" | "retiring" | "ended";
  /** Its own certificate is revoked. */
  readonly isRevoked: boolean;
  /** DER. */
  readonly certificate: Uint8Array;
  /** The subject Name's DER. */
  readonly subject: Uint8Array;
  readonly notAfter: Date;
  readonly list?: {
    readonly number: string;
    readonly thisUpdate: Date;
    readonly nextUpdate: Date;
    readonly entries: number;
  };
}

interface Row extends Pick<Authority, "id" | "kind" | "state" | "certificate" | "subject"> {
  readonly not_after: Date;
  readonly is_revoked: boolean;
  readonly number: string | null;
  readonly this_update: Date;
  readonly next_update: Date;
  readonly entries: number;
}

/** All our CAs, for processes that have no VA to ask. */
export async function readAuthorities(sql: Sql): Promise<readonly Authority[]> {
  const rows = await sql.query<Row>(
    `select i.id, i.kind, i.state, i.certificate, i.subject, i.not_after,
       exists (select from ca.issued own where own.serial = i.serial and own.state = 'revoked') as is_revoked, l.number::text as number, l.this_update, l.next_update, l.entries
     from ca.issuer i left join ca.list l on l.issuer_id = i.id and l.scope = 'full' and l.current order by i.id`,
  );
  return rows.map(authorityOf);
}

function authorityOf(row: Row): Authority {
  const { id, kind, state, certificate, subject, not_after: notAfter, number } = row;
  const { is_revoked: isRevoked } = row;
  const authority = { id, kind, state, isRevoked, certificate, subject, notAfter };
  if (number === null) return authority;
  const { this_update: thisUpdate, next_update: nextUpdate, entries } = row;
  return { ...authority, list: { number, thisUpdate, nextUpdate, entries } };
}
