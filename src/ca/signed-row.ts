import type { Digest } from "../pki/crypto.ts";
import { parseCertificate } from "../pki/certificate-view.ts";
import { keyIdentifier } from "../pki/key.ts";
import { serialBytes } from "../pki/serial.ts";
import type { NewId } from "../pki/uuid.ts";
import type { Sql } from "../storage/sql.ts";
import { applyIssuerStates } from "./issuer-state.ts";
import type { IssuedEntry, JournalRecord } from "./journal-record.ts";
import { commitIssued } from "./signing-row.ts";

/** An entry with the time at which it was signed. */
export type SignedEntry = IssuedEntry & { readonly at: Date };

/** The entry of a record. */
export function signedEntry(record: IssuedEntry & { readonly at: string }): SignedEntry {
  return { ...record, at: new Date(record.at) };
}

/**
 * Writes the row of a signed certificate that was never reserved here: a CA's own, or one that a restored database has
 * forgotten. True when it was not there.
 */
export async function insertSigned(sql: Sql, entry: SignedEntry, digest: Digest): Promise<boolean> {
  const der = Buffer.from(entry.der, "base64");
  const { view } = parseCertificate(der);
  if (entry.authority !== undefined) await insertAuthority(sql, entry, digest);
  const rows = await sql.query(
    `insert into ca.issued (serial, issuer_id, profile, profile_hash, shard, state, common_name, device_uri, dns_names, spki, spki_sha256,
       not_before, not_after, key_origin, request_hash, replaces, reserved_at, der, der_sha256, issued_at, good_xid, delivered_at, identified_how, key_claim)
     values ($1, $2, $3, $4, $5, 'good', $6, $7, $8, $9, $10, $11, $12, $13, $14,
       (select serial from ca.issued where serial = $15), $16, $17, $18, $19, pg_current_xact_id(), $19, $20, $21)
     on conflict (serial) do nothing returning serial`,
    [
      Buffer.from(serialBytes(entry.serial)),
      entry.issuerId,
      entry.profile,
      Buffer.from(entry.profileHash, "hex"),
      entry.shard,
      entry.commonName,
      entry.deviceUri ?? null,
      entry.dnsNames ?? null,
      Buffer.from(view.spki),
      Buffer.from(entry.spkiSha256, "hex"),
      view.notBefore.date,
      view.notAfter.date,
      entry.keyOrigin,
      entry.requestHash === undefined ? null : Buffer.from(entry.requestHash, "hex"),
      entry.replaces === undefined ? null : Buffer.from(serialBytes(entry.replaces)),
      entry.reservedAt,
      der,
      Buffer.from(digest("sha256", der)),
      entry.at,
      entry.identifiedHow ?? null,
      entry.keyClaim ?? null,
    ],
    "insert-signed",
  );
  return rows.length === 1;
}

async function insertAuthority(sql: Sql, entry: SignedEntry, digest: Digest): Promise<void> {
  const { authority, issuerId, at } = entry;
  if (authority === undefined) return;
  const der = Buffer.from(entry.der, "base64");
  const { view } = parseCertificate(der);
  await sql.query(
    `insert into ca.issuer (id, kind, generation, state, parent_id, serial, certificate, subject, key_identifier, va_url, not_after, created_at, state_since)
     values ($1, $2, $3, $12, $4, $5, $6, $7, $8, $9, $10, $11, $11) on conflict (id) do nothing`,
    [
      authority.id,
      authority.kind,
      authority.generation,
      issuerId,
      Buffer.from(serialBytes(entry.serial)),
      der,
      Buffer.from(view.subject),
      Buffer.from(keyIdentifier(view.spki, digest)),
      authority.vaUrl,
      view.notAfter.date,
      at,
      authority.state ?? "active",
    ],
  );
}

/** reserved → good, with the CA's row where the certificate is a CA's, as it is after a root session. */
export async function commitReserved(
  sql: Sql,
  entries: readonly SignedEntry[],
  { digest, newId }: { digest: Digest; newId: NewId },
): Promise<void> {
  for (const entry of entries) await insertAuthority(sql, entry, digest);
  await commitIssued(sql, entries, { sha256: (der) => digest("sha256", der), newId });
}

/** Commits what a crash kept from being committed: certificates get their rows, issuers their states; changes have theirs, and a list that was not published never will be. */
export async function applyUnapplied(
  sql: Sql,
  records: readonly JournalRecord[],
  { digest, newId }: { digest: Digest; newId: NewId },
): Promise<void> {
  const reserved: SignedEntry[] = [];
  for (const record of records) {
    if (record.kind !== "issued") continue;
    const entry = signedEntry(record);
    // The row of a CA's certificate is made of the record, but for one that a root session was asked for.
    const isMade = entry.authority !== undefined && (await insertSigned(sql, entry, digest));
    if (!isMade) reserved.push(entry);
  }
  await commitReserved(sql, reserved, { digest, newId });
  await applyIssuerStates(sql, records, newId);
}
