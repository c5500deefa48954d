import { equal } from "../pki/bytes.ts";
import { algorithmIdentifier, type SignatureAlgorithm } from "../pki/certificate.ts";
import { type CertificateParts, parseCertificate } from "../pki/certificate-view.ts";
import type { Clock } from "../pki/clock.ts";
import type { Digest, Verify } from "../pki/crypto.ts";
import { MalformedDerError } from "../pki/errors.ts";
import type { Serial } from "../pki/serial.ts";
import type { Database } from "../storage/database.ts";
import { serialOf, statusOf } from "./certificate-record.ts";
import {
  type BoundFacts,
  boundFactsOf,
  daysLeft,
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

/** Why a certificate that was shown identifies nobody. */
export type RefusalReason =
  | "malformed"
  /** Signed by no issuing CA of ours. */
  | "foreign-issuer"
  /** Signed by ours, but not what we have in the books. */
  | "unknown"
  | "revoked"
  | "expired"
  | "hold"
  | "not-yet-valid"
  /** Ours and alive, but it stands for no device now. */
  | "unbound"
  | "device-retired"
  /** Of a personal device; a shared one works on when somebody leaves. */
  | "account-disabled"
  | "membership-ended";

export interface Identified extends BoundFacts {
  readonly kind: "identified";
  readonly serialNumber: Serial;
  readonly notAfter: Date;
  readonly daysLeft: number;
}

export interface Refused {
  readonly kind: "refused";
  readonly reason: RefusalReason;
  /** Of a certificate that is in the books. */
  readonly serialNumber?: Serial;
}

export type Identification = Identified | Refused;

/** Tells which device stands behind a client certificate, in DER, of a handshake. */
export type Identify = (certificate: Uint8Array) => Promise<Identification>;

const ALGORITHMS: readonly SignatureAlgorithm[] = [
  "ecdsa-with-SHA256",
  "ecdsa-with-SHA384",
  "sha256WithRSAEncryption",
];

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
  const algorithm = ALGORITHMS.find((one) => equal(algorithmIdentifier(one), signatureAlgorithm));
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
  readonly tenant: string | null;
}

function stateFault(row: BookRow, now: Date): RefusalReason | undefined {
  const status = statusOf(row, now);
  if (status !== "good") return status;
  return now < row.not_before ? "not-yet-valid" : undefined;
}

interface BindingRow extends FactsRow {
  /** Whether the responsible account works in the device's pharmacy now. */
  readonly is_member: boolean;
}

/** A shared device is its pharmacy's, whoever answers for it; a personal one ends with its person's work there. */
function bindingFault(facts: BindingRow): RefusalReason | undefined {
  if (facts.retired_at !== null) return "device-retired";
  if (facts.use === "shared") return undefined;
  if (facts.disabled_at !== null) return "account-disabled";
  return facts.is_member ? undefined : "membership-ended";
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
    "select serial, state, not_before, not_after, app.tenant_of_serial(serial) as tenant from ca.issued where der_sha256 = $1",
    [deps.digest("sha256", der)],
    "ca-issued-of-fingerprint",
  );
  if (row === undefined) return { kind: "refused", reason: "unknown" };
  const serialNumber = serialOf(row.serial);
  const refused = (reason: RefusalReason): Refused => ({ kind: "refused", reason, serialNumber });
  const state = stateFault(row, now);
  if (state !== undefined) return refused(state);
  const facts = await boundFacts(deps, row, now);
  if (facts === undefined) return refused("unbound");
  const fault = bindingFault(facts);
  if (fault !== undefined) return refused(fault);
  return {
    kind: "identified",
    serialNumber,
    notAfter: row.not_after,
    daysLeft: daysLeft(row.not_after, now),
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
