import { pemEncode } from "../pki/pem.ts";
import type { Sql } from "../storage/sql.ts";

/** An issuer and those above it, itself first and its root last. */
export interface IssuerChain {
  readonly pem: readonly string[];
  readonly der: readonly Uint8Array[];
}

/** Gives the chain of an issuer by its id. */
export type ChainOf = (issuerId: string) => Promise<IssuerChain>;

const CHAIN = `with recursive up as (
    select issuer.id, issuer.parent_id, issuer.certificate, 0 as depth from ca.issuer where issuer.id = $1
    union all
    select issuer.id, issuer.parent_id, issuer.certificate, up.depth + 1 from up
    join ca.issuer on issuer.id = up.parent_id and issuer.id <> up.id
  ) select certificate from up order by depth`;

/** Reads chains once each: the certificate of an issuer never changes, and there are a handful in a decade. */
export function createChainOf(database: Sql): ChainOf {
  const known = new Map<string, IssuerChain>();
  return async (issuerId) => {
    const found = known.get(issuerId);
    if (found !== undefined) return found;
    const rows = await database.query<{ certificate: Uint8Array }>(CHAIN, [issuerId]);
    const der = rows.map(({ certificate }) => certificate);
    const chain = { der, pem: der.map((one) => pemEncode("CERTIFICATE", one)) };
    if (der.length > 0) known.set(issuerId, chain);
    return chain;
  };
}
