import type { Digest } from "../pki/crypto.ts";
import type { Database } from "../storage/database.ts";
import { type Acknowledgement, readAcknowledgements } from "./issuer-acknowledgement.ts";
import { type IssuerKind, type IssuerState, readIssuers } from "./issuer.ts";
import type { KeyStore } from "./key-store.ts";

/** A CA as `suido ca show` tells it. */
export interface CaDescription {
  readonly id: string;
  readonly kind: IssuerKind;
  readonly state: IssuerState;
  readonly stateSince: Date;
  /** Its own certificate is revoked. */
  readonly isRevoked: boolean;
  /** SHA-256 of the certificate, hex. */
  readonly fingerprint: string;
  readonly keyAlgorithm: string;
  /** Whether this key store has its key. */
  readonly hasKey: boolean;
  readonly vaUrl: string;
  readonly notAfter: Date;
  readonly certificate: Uint8Array;
  /** Of an announced one: the registered relying parties, and since when each has it. */
  readonly acknowledgements?: readonly Acknowledgement[];
  readonly list?: {
    readonly number: bigint;
    readonly entries: number;
    readonly thisUpdate: Date;
    readonly nextUpdate: Date;
  };
}

export interface DescribeDeps {
  /** As suido_signer. */
  readonly database: Database;
  readonly keyStore: KeyStore;
  readonly digest: Digest;
}

/** All CAs, their keys and their current full lists. */
export async function describeCa({
  database,
  keyStore,
  digest,
}: DescribeDeps): Promise<readonly CaDescription[]> {
  const lists = await database.query<{
    issuer_id: string;
    number: string;
    entries: number;
    this_update: Date;
    next_update: Date;
  }>(
    "select issuer_id, number, entries, this_update, next_update from ca.list where current and scope = 'full'",
  );
  const described: CaDescription[] = [];
  for (const issuer of await readIssuers(database)) {
    const list = lists.find((row) => row.issuer_id === issuer.id);
    described.push({
      id: issuer.id,
      kind: issuer.kind,
      state: issuer.state,
      stateSince: issuer.stateSince,
      isRevoked: issuer.isRevoked,
      fingerprint: Buffer.from(digest("sha256", issuer.certificate)).toString("hex"),
      keyAlgorithm: issuer.facts.signatureAlgorithm,
      hasKey: await keyStore.has(issuer.id),
      vaUrl: issuer.vaUrl,
      notAfter: issuer.notAfter,
      certificate: issuer.certificate,
      ...(issuer.state === "announced" && {
        acknowledgements: await readAcknowledgements(database, issuer.id),
      }),
      ...(list && {
        list: {
          number: BigInt(list.number),
          entries: list.entries,
          thisUpdate: list.this_update,
          nextUpdate: list.next_update,
        },
      }),
    });
  }
  return described;
}
