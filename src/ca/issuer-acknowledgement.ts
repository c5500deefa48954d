import type { Sql } from "../storage/sql.ts";

/** What a relying party has said of a CA. */
export interface Acknowledgement {
  readonly relyingPartyId: string;
  readonly name: string;
  /** Since when the CA is in force there; absent where it is not. */
  readonly at?: Date;
}

/** Each registered relying party, and whether it has the CA. */
export async function readAcknowledgements(
  sql: Sql,
  issuerId: string,
): Promise<readonly Acknowledgement[]> {
  const rows = await sql.query<Row>(
    "select relying_party_id, name, acknowledged_at from ca.acknowledgements($1)",
    [issuerId],
  );
  return rows.map(acknowledgementOf);
}

interface Row {
  readonly relying_party_id: string;
  readonly name: string;
  readonly acknowledged_at: Date | null;
}

function acknowledgementOf(row: Row): Acknowledgement {
  const { relying_party_id: relyingPartyId, name, acknowledged_at: at } = row;
  return at === null ? { relyingPartyId, name } : { relyingPartyId, name, at };
}

/** Those that lack it. */
export function lagging(all: readonly Acknowledgement[]): readonly Acknowledgement[] {
  return all.filter(({ at }) => at === undefined);
}
