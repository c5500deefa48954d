import { recordAll } from "../audit/record.ts";
import { toHex } from "../pki/bytes.ts";
import { type Serial, serialBytes, serialFromInteger } from "../pki/serial.ts";
import type { NewId } from "../pki/uuid.ts";
import type { Sql } from "../storage/sql.ts";
import type { KeyClaim } from "./certificate-record.ts";
import { revokeCompromised } from "./compromised-key.ts";
import type { IssuedEntry } from "./journal-record.ts";
import { LedgerLostError } from "./ledger.ts";

type IssuedState = "reserved" | "good" | "hold" | "revoked" | "refused" | "abandoned";

/** A row of ca.issued and its open binding: everything that a certificate is built from. */
export interface SigningRow {
  readonly serial: Buffer;
  readonly issuer_id: string;
  readonly profile: string;
  readonly profile_hash: Buffer;
  readonly shard: number;
  readonly state: IssuedState;
  readonly common_name: string;
  readonly device_uri: string | null;
  readonly dns_names: readonly string[] | null;
  readonly spki: Buffer;
  readonly spki_sha256: Buffer;
  readonly not_before: Date;
  readonly not_after: Date;
  readonly key_origin: "subject" | "server";
  readonly request_hash: Buffer | null;
  readonly replaces: Buffer | null;
  readonly identified_how: string | null;
  readonly key_claim: KeyClaim | null;
  readonly reserved_at: Date;
  readonly findings: readonly string[] | null;
  readonly account_id: string | null;
  readonly device_id: string | null;
  readonly pharmacy_id: string | null;
  readonly corporation_id: string | null;
}

/** The rows of these serials, as far as there are any. */
export async function readSigningRows(
  sql: Sql,
  serials: readonly Serial[],
): Promise<ReadonlyMap<Serial, SigningRow>> {
  const rows = await sql.query<SigningRow>(
    `select i.serial, i.issuer_id, i.profile, i.profile_hash, i.shard, i.state, i.common_name, i.device_uri, i.dns_names, i.spki,
       i.spki_sha256, i.not_before, i.not_after, i.key_origin, i.request_hash, i.replaces, i.identified_how, i.key_claim, i.reserved_at, i.findings,
       b.account_id, b.device_id, b.pharmacy_id, b.corporation_id
     from ca.issued i
     -- By its index for each, whatever a planner without figures thinks of the size of the tables.
     left join lateral (select * from app.binding b where b.serial = i.serial and b.bound_to is null limit 1) b on true
     where i.serial = any($1::bytea[])`,
    [serials.map((serial) => Buffer.from(serialBytes(serial)))],
    "issued-rows",
  );
  return new Map(rows.map((row) => [serialFromInteger(row.serial), row]));
}

/** The journal's entry of a row, once it is signed. */
export function issuedEntry(row: SigningRow, der: Uint8Array): IssuedEntry {
  const {
    account_id: accountId,
    device_id: deviceId,
    pharmacy_id: pharmacyId,
    corporation_id: corporationId,
  } = row;
  const isBound =
    accountId !== null && deviceId !== null && pharmacyId !== null && corporationId !== null;
  return {
    kind: "issued",
    serial: serialFromInteger(row.serial),
    issuerId: row.issuer_id,
    profile: row.profile,
    profileHash: toHex(row.profile_hash),
    shard: row.shard,
    commonName: row.common_name,
    ...(row.device_uri !== null && { deviceUri: row.device_uri }),
    ...(row.dns_names !== null && { dnsNames: row.dns_names }),
    spkiSha256: toHex(row.spki_sha256),
    keyOrigin: row.key_origin,
    ...(row.request_hash !== null && { requestHash: toHex(row.request_hash) }),
    ...(row.replaces !== null && { replaces: serialFromInteger(row.replaces) }),
    ...(row.identified_how !== null && { identifiedHow: row.identified_how }),
    ...(row.key_claim !== null && { keyClaim: row.key_claim }),
    reservedAt: row.reserved_at.toISOString(),
    ...(isBound && { binding: { accountId, deviceId, pharmacyId, corporationId } }),
    der: Buffer.from(der).toString("base64"),
  };
}

export interface CommitContext {
  readonly sha256: (der: Uint8Array) => Uint8Array;
  readonly newId: NewId;
}

/**
 * reserved → good, with the certificate, its audit row and its event; and on to revoked, where the key has become known
 * as compromised. Throws LedgerLostError when one of the rows is not there to become good: the database is not the one
 * that the certificates were reserved in.
 */
export async function commitIssued(
  sql: Sql,
  entries: readonly (IssuedEntry & { readonly at: Date })[],
  { sha256, newId }: CommitContext,
): Promise<void> {
  if (entries.length === 0) return;
  const certificates = entries.map(({ der }) => Buffer.from(der, "base64"));
  const rows = await sql.query(
    `update ca.issued i set state = 'good', der = signed.der, der_sha256 = signed.sha256, issued_at = signed.at, good_xid = pg_current_xact_id()
     from unnest($1::bytea[], $2::bytea[], $3::bytea[], $4::timestamptz[]) as signed (serial, der, sha256, at)
     where i.serial = signed.serial and i.state = 'reserved' returning i.serial`,
    [
      entries.map(({ serial }) => Buffer.from(serialBytes(serial))),
      certificates,
      certificates.map((der) => Buffer.from(sha256(der))),
      entries.map(({ at }) => at.toISOString()),
    ],
    "commit-issued",
  );
  if (rows.length !== entries.length) {
    throw new LedgerLostError(
      "a certificate was signed whose reserved row is gone: the database was restored or changed by hand",
    );
  }
  await recordAll(
    sql,
    entries.map((entry) => ({
      at: entry.at,
      actor: "signer",
      action: "certificate.issued",
      subject: `certificate/${entry.serial}`,
      ...(entry.binding !== undefined && { corporationId: entry.binding.corporationId }),
      detail: {
        issuerId: entry.issuerId,
        profile: entry.profile,
        keyOrigin: entry.keyOrigin,
        ...(entry.binding !== undefined && {
          deviceId: entry.binding.deviceId,
          accountId: entry.binding.accountId,
          pharmacyId: entry.binding.pharmacyId,
        }),
        ...(entry.replaces !== undefined && { replaces: entry.replaces }),
        ...(entry.identifiedHow !== undefined && { identifiedHow: entry.identifiedHow }),
        ...(entry.keyClaim !== undefined && { keyClaim: entry.keyClaim }),
      },
    })),
    newId,
  );
  const at = new Date(Math.max(...entries.map((entry) => entry.at.getTime())));
  await revokeCompromised(sql, { serials: entries.map(({ serial }) => serial), at }, newId);
}
