import { signatureAlgorithmOf } from "../pki/certificate.ts";
import { type CertificateParts, parseCertificate } from "../pki/certificate-view.ts";
import type { Clock } from "../pki/clock.ts";
import type { Digest, Verify } from "../pki/crypto.ts";
import { MalformedDerError } from "../pki/errors.ts";
import { lifeFault, type RefusalReason, standingFault } from "../pki/refusal-reason.ts";
import { EMERGENCY_PROFILE } from "../pki/profile.ts";
import type { Serial } from "../pki/serial.ts";
import { daysLeft } from "../pki/validity.ts";
import type { Database } from "../storage/database.ts";
import { serialOf } from "./certificate-record.ts";
import {
  type BoundFacts,
  boundFactsOf,
  FACTS_COLUMNS,
  FACTS_TABLES,
  type FactsRow,
} from "./device-status.ts";

export interface IdentificationDeps {
  /** As suido_app. */
  readonly database: Database;
  readonly clock: Clock;
  readonly digest: Digest;
  readonly verify: Verify;
}

export interface Identified extends BoundFacts {
  readonly kind: "identified";
  readonly serialNumber: Serial;
  readonly notAfter: Date;
  readonly daysLeft: number;
  /** Of a machine that stands in for a night. */
  readonly isEmergency: boolean;
}

export interface Refused {
  readonly kind: "refused";
  readonly reason: RefusalReason;
  /** Of a certificate that is in the books. */
  readonly serialNumber?: Serial;
  readonly notAfter?: Date;
}

export type Identification = Identified | Refused;

/** Tells which device stands behind a client certificate, in DER, of a handshake. */
export type Identify = (certificate: Uint8Array) => Promise<Identification>;

function parse(certificate: Uint8Array): CertificateParts | undefined {
  try {
    return parseCertificate(certificate);
  } catch (error) {
    if (error instanceof MalformedDerError) return undefined;
    throw error;
  }
}

/** Whether an issuing CA of ours signed it: one of any generation, as old certificates live on beside a successor. */
async function isOurs(
  { database, verify }: IdentificationDeps,
  { tbs, view, signatureAlgorithm, signature }: CertificateParts,
): Promise<boolean> {
  const algorithm = signatureAlgorithmOf(signatureAlgorithm);
  if (algorithm === undefined) return false;
  const [issuer] = await database.query<{ certificate: Uint8Array }>(
    "select certificate from ca.issuer where subject = $1 and kind = 'issuing'",
    [view.issuer],
    "ca-issuer-of-subject",
  );
  if (issuer === undefined) return false;
  return verify(parseCertificate(issuer.certificate).view.spki, algorithm, tbs, signature);
}

interface BookRow {
  readonly serial: Uint8Array;
  readonly state: "good" | "hold" | "revoked";
  readonly not_before: Date;
  readonly not_after: Date;
  readonly profile: string;
  readonly tenant: string | null;
  /** Null of a CA whose own certificate is not in the books. */
  readonly is_ca_revoked: boolean | null;
}

interface BindingRow extends FactsRow {
  /** Whether the responsible account works in the device's pharmacy now. */
  readonly is_member: boolean;
}

function bindingFault(facts: BindingRow): RefusalReason | undefined {
  return standingFault({
    isRetired: facts.retired_at !== null,
    isPersonal: facts.use === "personal",
    isDisabled: facts.disabled_at !== null,
    isMember: facts.is_member,
  });
}

async function boundFacts(
  { database }: IdentificationDeps,
  { serial, tenant }: BookRow,
  now: Date,
): Promise<BindingRow | undefined> {
  if (tenant === null) return undefined;
  const [facts] = await database.tenant(tenant, (sql) =>
    sql.query<BindingRow>(
      `select ${FACTS_COLUMNS}, exists (select from app.membership where account_id = account.id and membership.pharmacy_id = device.pharmacy_id
         and valid_from <= $2 and (valid_to is null or valid_to > $2)) as is_member
       from app.binding b ${FACTS_TABLES} where b.serial = $1 and b.bound_to is null`,
      [serial, now],
      "ca-bound-facts",
    ),
  );
  return facts;
}

async function lookUp(deps: IdentificationDeps, der: Uint8Array): Promise<Identification> {
  const now = deps.clock();
  // The fingerprint, not the serial number: what was shown must be, octet for octet, what was issued.
  const [row] = await deps.database.query<BookRow>(
    `select i.serial, i.state, i.not_before, i.not_after, i.profile, app.tenant_of_serial(i.serial) as tenant, own.state = 'revoked' as is_ca_revoked
     from ca.issued i join ca.issuer on issuer.id = i.issuer_id left join ca.issued own on own.serial = issuer.serial
     where i.der_sha256 = $1`,
    [deps.digest("sha256", der)],
    "ca-issued-of-fingerprint",
  );
  if (row === undefined) return { kind: "refused", reason: "unknown" };
  const serialNumber = serialOf(row.serial);
  const { state, not_before: notBefore, not_after: notAfter } = row;
  const refused = (reason: RefusalReason): Refused => ({
    kind: "refused",
    reason,
    serialNumber,
    notAfter,
  });
  // RFC 6960 §2.7: nothing of a CA that was revoked is good any more.
  if (row.is_ca_revoked === true) return refused("revoked");
  const dead = lifeFault({ state, notBefore, notAfter }, now);
  if (dead !== undefined) return refused(dead);
  const facts = await boundFacts(deps, row, now);
  if (facts === undefined) return refused("unbound");
  const fault = bindingFault(facts);
  if (fault !== undefined) return refused(fault);
  return {
    kind: "identified",
    serialNumber,
    notAfter,
    daysLeft: daysLeft(notAfter, now),
    isEmergency: row.profile === EMERGENCY_PROFILE,
    ...boundFactsOf(facts),
  };
}

/** Looks up who a certificate stands for. It trusts nothing that a TLS layer may have checked before. */
export function createIdentify(deps: IdentificationDeps): Identify {
  return async (certificate) => {
    const parts = parse(certificate);
    if (parts === undefined) return { kind: "refused", reason: "malformed" };
    if (!(await isOurs(deps, parts))) return { kind: "refused", reason: "foreign-issuer" };
    return lookUp(deps, certificate);
  };
}
