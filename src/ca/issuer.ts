import { parseCertificate } from "../pki/certificate-view.ts";
import type { IssuerFacts, IssuerUrls, SignatureAlgorithm } from "../pki/certificate.ts";
import { keyKind, parsePublicKey } from "../pki/key.ts";
import { type Serial, serialFromInteger } from "../pki/serial.ts";
import type { Sql } from "../storage/sql.ts";

export type IssuerKind = "root" | "issuing";

/** Announced: known to everybody, and issues nothing yet. Retiring: issues no more, and answers for what it has issued. */
export type IssuerState = "announced" | "active" | "retiring" | "ended";

/** A certification authority of one generation, as ca.issuer keeps it. */
export interface Issuer {
  /** `<name>-g<generation>`; its key in the key store has the same name. */
  readonly id: string;
  readonly kind: IssuerKind;
  readonly state: IssuerState;
  readonly stateSince: Date;
  /** Its own certificate is revoked: nothing of it is good any more (RFC 6960 §2.7). */
  readonly isRevoked: boolean;
  readonly generation: number;
  /** Of its own certificate. */
  readonly serial: Serial;
  readonly parentId: string;
  readonly certificate: Uint8Array;
  readonly spki: Uint8Array;
  /** The address that everything it signs carries. */
  readonly vaUrl: string;
  readonly notAfter: Date;
  /** What its certificates and lists say of it. */
  readonly facts: IssuerFacts;
}

interface IssuerRow {
  readonly id: string;
  readonly kind: IssuerKind;
  readonly state: IssuerState;
  readonly state_since: Date;
  readonly is_revoked: boolean;
  readonly generation: number;
  readonly serial: Buffer;
  readonly parent_id: string;
  readonly certificate: Buffer;
  readonly subject: Buffer;
  readonly key_identifier: Buffer;
  readonly va_url: string;
  readonly not_after: Date;
}

const ISSUERS = `select id, kind, state, state_since, generation, serial, parent_id, certificate, subject, key_identifier, va_url, not_after,
  exists (select from ca.issued where issued.serial = issuer.serial and issued.state = 'revoked') as is_revoked from ca.issuer`;

/** What a CA with this key signs with. */
export function signatureAlgorithmFor(spki: Uint8Array): SignatureAlgorithm {
  switch (keyKind(parsePublicKey(spki))) {
    case "P-256":
      return "ecdsa-with-SHA256";
    case "P-384":
      return "ecdsa-with-SHA384";
    default:
      return "sha256WithRSAEncryption";
  }
}

/** Where relying parties find what an issuer publishes (docs/decisions.md). */
export function issuerUrls(vaUrl: string, issuerId: string): IssuerUrls {
  return {
    crl: `${vaUrl}/crl/${issuerId}.crl`,
    ocsp: `${vaUrl}/ocsp`,
    caIssuers: `${vaUrl}/ca/${issuerId}.cer`,
  };
}

/** The scope of a shard: two hex digits. */
export function shardScope(shard: number): string {
  return shard.toString(16).padStart(2, "0");
}

/** The address of one shard, as its certificates and its distribution point spell it. */
export function shardUrl(vaUrl: string, issuerId: string, scope: string): string {
  return `${vaUrl}/crl/${issuerId}-${scope}.crl`;
}

function issuerOf(row: IssuerRow): Issuer {
  const { spki } = parseCertificate(row.certificate).view;
  return {
    id: row.id,
    kind: row.kind,
    state: row.state,
    stateSince: row.state_since,
    isRevoked: row.is_revoked,
    generation: row.generation,
    serial: serialFromInteger(row.serial),
    parentId: row.parent_id,
    certificate: row.certificate,
    spki,
    vaUrl: row.va_url,
    notAfter: row.not_after,
    facts: {
      subject: row.subject,
      keyIdentifier: row.key_identifier,
      signatureAlgorithm: signatureAlgorithmFor(spki),
      notAfter: row.not_after,
      urls: issuerUrls(row.va_url, row.id),
    },
  };
}

/** All issuers, roots first, the oldest generation first. */
export async function readIssuers(sql: Sql): Promise<readonly Issuer[]> {
  const rows = await sql.query<IssuerRow>(
    `${ISSUERS} order by kind desc, generation, id`,
    [],
    "issuers",
  );
  return rows.map(issuerOf);
}

/** One issuer, or undefined. */
export async function readIssuer(sql: Sql, id: string): Promise<Issuer | undefined> {
  const [row] = await sql.query<IssuerRow>(`${ISSUERS} where id = $1`, [id]);
  return row && issuerOf(row);
}
