import { toHex } from "../pki/bytes.ts";
import { pemEncode } from "../pki/pem.ts";
import { type RevocationReason, reasonName } from "../pki/revocation-reason.ts";
import { type Serial, serialFromInteger } from "../pki/serial.ts";

/** What people and products are told of a certificate. Where several hold: revoked > expired > hold > good. */
export const CERTIFICATE_STATUSES = ["good", "hold", "revoked", "expired"] as const;
export type CertificateStatus = (typeof CERTIFICATE_STATUSES)[number];

/**
 * Where a script says that it keeps the key which it made, in neither case exportable: in the machine's TPM, or in the store of
 * its system. Nothing proves it, so it is written down as what it is, a claim.
 */
export const KEY_CLAIMS = ["tpm", "software"] as const;
export type KeyClaim = (typeof KEY_CLAIMS)[number];

/** A certificate of a device, as the API shows it. */
export interface CertificateRecord {
  readonly serialNumber: Serial;
  readonly status: CertificateStatus;
  /** Of a revoked or held one. */
  readonly reason?: RevocationReason;
  /** The true time; what is published is backdated. */
  readonly revokedAt?: Date;
  readonly notBefore: Date;
  readonly notAfter: Date;
  readonly issuedAt: Date;
  /** When the device first showed at a check that it has certificate and key. */
  readonly provenAt?: Date;
  /** How the person was identified; `api` where a program vouched for them. Absent where it is not known any more. */
  readonly identifiedHow?: string;
  readonly deviceId: string;
  /** The person who is responsible for it. */
  readonly accountId: string;
  readonly pharmacyId: string;
  readonly corporationId: string;
  readonly profile: string;
  /** SHA-256 of the certificate in DER, lower-case hex. */
  readonly fingerprint: string;
  readonly replaces?: Serial;
  /** The newest good one of those that came after it. */
  readonly replacedBy?: Serial;
  /** Who made the private key: the device, or we (and gave it away). */
  readonly keyOrigin: "subject" | "server";
  /** Where the script that made the key says it is kept. */
  readonly keyClaim?: KeyClaim;
  /** PEM. */
  readonly certificate: string;
  /** PEM, the issuing CA first, the root last. */
  readonly chain: readonly string[];
}

/** The columns of ca.issued that a record is made of. */
export interface IssuedRow {
  readonly serial: Uint8Array;
  readonly issuer_id: string;
  readonly state: "good" | "hold" | "revoked";
  readonly reason: number | null;
  readonly revoked_at: Date | null;
  readonly not_before: Date;
  readonly not_after: Date;
  readonly issued_at: Date;
  readonly proven_at: Date | null;
  readonly identified_how: string | null;
  readonly profile: string;
  readonly key_origin: "subject" | "server";
  readonly key_claim: KeyClaim | null;
  readonly replaces: Uint8Array | null;
  readonly der: Uint8Array;
  readonly der_sha256: Uint8Array;
  /** When its CA was revoked, if it was. */
  readonly ca_revoked_at: Date | null;
}

/** The columns of app.binding beside them, and the successor. */
export interface BoundRow {
  readonly device_id: string;
  readonly account_id: string;
  readonly pharmacy_id: string;
  readonly corporation_id: string;
  readonly replaced_by: Uint8Array | null;
}

/** When the CA of `i` was revoked, or null. */
export const CA_REVOKED_AT = `(select own.revoked_at from ca.issuer above join ca.issued own on own.serial = above.serial
  where above.id = i.issuer_id and own.state = 'revoked')`;

/** The ids of the CAs that are revoked, read once a statement. */
export const REVOKED_CAS = `array(select above.id from ca.issuer above
  join ca.issued own on own.serial = above.serial where own.state = 'revoked')`;

/** For a query that calls ca.issued `i`. */
export const ISSUED_COLUMNS = `i.serial, i.issuer_id, i.state, i.reason, i.revoked_at, i.not_before, i.not_after, i.issued_at,
  i.proven_at, i.identified_how, i.profile, i.key_origin, i.key_claim, i.replaces, i.der, i.der_sha256, ${CA_REVOKED_AT} as ca_revoked_at`;

/** For a query that calls app.binding `b`. */
export const BOUND_COLUMNS = "b.device_id, b.account_id, b.pharmacy_id, b.corporation_id";

/** The newest good certificate that came, directly or not, after `i`; `$1` is the time. Those of one batch are as old as each other. */
export const SUCCESSOR = `(with recursive later as (
    select s.serial, s.issuer_id, s.state, s.not_after, s.issued_at, 1 as depth from ca.issued s where s.replaces = i.serial
    union all
    select s.serial, s.issuer_id, s.state, s.not_after, s.issued_at, later.depth + 1 from later join ca.issued s on s.replaces = later.serial
  ) select later.serial from later where later.state = 'good' and later.not_after >= $1 and later.issuer_id <> all(${REVOKED_CAS})
  order by later.issued_at desc, later.depth desc limit 1)`;

/**
 * The status of a row. A certificate is still good in the second of its notAfter (RFC 5280 §4.1.2.5). Nothing of a CA that
 * was revoked is good any more (RFC 6960 §2.7), as OCSP has it.
 */
export function statusOf(
  { state, not_after, ca_revoked_at }: Pick<IssuedRow, "state" | "not_after" | "ca_revoked_at">,
  now: Date,
): CertificateStatus {
  if (state === "revoked" || ca_revoked_at !== null) return "revoked";
  return not_after < now ? "expired" : state;
}

/** Why and since when a row is revoked or on hold; nothing for others. */
export function revocationOf({
  state,
  reason,
  revoked_at: revokedAt,
  ca_revoked_at: caRevokedAt,
}: Pick<IssuedRow, "state" | "reason" | "revoked_at" | "ca_revoked_at">): {
  reason?: RevocationReason;
  revokedAt?: Date;
} {
  if (state !== "revoked" && caRevokedAt !== null)
    return { reason: "cACompromise", revokedAt: caRevokedAt };
  if (reason === null || revokedAt === null) return {};
  return { reason: reasonName(reason) ?? "unspecified", revokedAt };
}

/** The serial number that a bytea column holds. */
export function serialOf(column: Uint8Array): Serial {
  return serialFromInteger(column);
}

/** A record of its row. */
export function recordOf(
  row: IssuedRow & BoundRow,
  { now, chain }: { readonly now: Date; readonly chain: readonly string[] },
): CertificateRecord {
  return {
    serialNumber: serialOf(row.serial),
    status: statusOf(row, now),
    ...revocationOf(row),
    notBefore: row.not_before,
    notAfter: row.not_after,
    issuedAt: row.issued_at,
    ...(row.proven_at !== null && { provenAt: row.proven_at }),
    ...(row.identified_how !== null && { identifiedHow: row.identified_how }),
    deviceId: row.device_id,
    accountId: row.account_id,
    pharmacyId: row.pharmacy_id,
    corporationId: row.corporation_id,
    profile: row.profile,
    fingerprint: toHex(row.der_sha256),
    ...(row.replaces !== null && { replaces: serialOf(row.replaces) }),
    ...(row.replaced_by !== null && { replacedBy: serialOf(row.replaced_by) }),
    keyOrigin: row.key_origin,
    ...(row.key_claim !== null && { keyClaim: row.key_claim }),
    certificate: pemEncode("CERTIFICATE", row.der),
    chain,
  };
}
