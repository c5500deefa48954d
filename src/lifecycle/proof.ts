import { record } from "../audit/record.ts";
import { serialOf } from "../ca/certificate-record.ts";
import type { Identification, Identify } from "../ca/identification.ts";
import type { Clock } from "../pki/clock.ts";
import type { Digest } from "../pki/crypto.ts";
import type { RefusalReason } from "../pki/refusal-reason.ts";
import { type Serial, serialBytes } from "../pki/serial.ts";
import type { NewId } from "../pki/uuid.ts";
import type { Database } from "../storage/database.ts";
import type { Sql } from "../storage/sql.ts";
import { nonceHash } from "./checks.ts";
import { noteFailedCheck } from "./enrolment-steps.ts";

export interface ProofDeps {
  /** As suido_app. */
  readonly database: Database;
  readonly clock: Clock;
  readonly newId: NewId;
  readonly digest: Digest;
  readonly identify: Identify;
}

/**
 * What a visit to a check showed. `proven`: that very certificate, with its key. `older` and `newer` are other certificates
 * of the same place of the device, `other-place` one of another place of it, `unknown` none of ours; `ended`: there is no such check, or no more.
 */
export type CheckOutcome =
  | "proven"
  | "none"
  | "other-device"
  | "other-place"
  | "older"
  | "newer"
  | "revoked"
  | "expired"
  | "unknown"
  | "ended";

export interface Visit {
  readonly outcome: CheckOutcome;
  /** The name of the certificate that is to be shown, as a browser's picker has it. */
  readonly commonName?: string;
  /** Of an older one that was shown. */
  readonly olderName?: string;
  /** Of the one that is to be shown instead, which may have the same name. */
  readonly newerSerial?: Serial;
  /** Where a certificate of the very device was shown: nobody else is told the names of a device and its pharmacy. */
  readonly device?: {
    readonly name: string;
    readonly pharmacyName: string;
    readonly platform: string;
  };
  /** Of the certificate that was proven. */
  readonly proof?: {
    readonly serialNumber: Serial;
    readonly notAfter: Date;
    /** When it was proven first, now or earlier. */
    readonly provenAt: Date;
  };
}

/** Decides what a device has shown at the check of this nonce: a client certificate of its handshake, in DER, or none. */
export type VisitCheck = (nonce: string, certificate: Uint8Array | undefined) => Promise<Visit>;

interface CheckRow {
  readonly id: string;
  readonly expires_at: Date;
  readonly serial: Uint8Array;
  readonly common_name: string;
  readonly not_after: Date;
  readonly device_name: string;
  readonly platform: string;
  readonly pharmacy_name: string;
}

const CHECK = `select c.id, c.expires_at, c.serial, i.common_name, i.not_after, device.name as device_name, device.platform, pharmacy.name as pharmacy_name
  from app.certificate_check c join ca.issued i on i.serial = c.serial
  cross join lateral (select * from app.binding where binding.serial = c.serial
    order by binding.bound_to desc nulls first, binding.bound_from desc limit 1) b
  join app.device on device.id = b.device_id join app.pharmacy on pharmacy.id = b.pharmacy_id
  where c.nonce_sha256 = $1`;

/**
 * Whether two are of places of their own: no certificate comes before both, neither ends the other by its proof, and they
 * are no two attempts of one enrolment. What an earlier enrolment has left unproven is a certificate of before, and no place.
 */
const OTHER_PLACE = `not exists (select from line a join line b on b.serial = a.serial where a.start = $1 and b.start = $2)
    and $2 not in (select serial from ca.line_before($1)) and $1 not in (select serial from ca.line_before($2))
    and not exists (select from app.binding a join app.binding b on b.enrolment_id = a.enrolment_id where a.serial = $1 and b.serial = $2)
    and (shown.proven_at is not null or exists (select from app.binding b where b.serial = $2 and b.enrolment_id is null)
      or exists (select from party.use u where u.serial = $2))`;

/**
 * How the certificate that was shown ($2) stands to the one that was asked for ($1). A certificate names its device for
 * ever, also one that went to another tenant since. Who replaced whom counts before the dates: those of a batch are equal.
 */
const RELATION = `with recursive line as (
    select serial as start, serial, replaces from ca.issued where serial in ($1, $2)
    union select line.start, i.serial, i.replaces from line join ca.issued i on i.serial = line.replaces
  )
  select shown.common_name as shown_name, shown.device_uri = asked.device_uri as same_device,
    exists (select from line where start = $1 and serial = $2)
      or (shown.issued_at < asked.issued_at and not exists (select from line where start = $2 and serial = $1)) as is_older,
    ${OTHER_PLACE} as is_of_other_place
  from ca.issued asked, ca.issued shown where asked.serial = $1 and shown.serial = $2`;

interface RelationRow {
  /** Null of a certificate that is no device's. */
  readonly same_device: boolean | null;
  readonly is_older: boolean;
  readonly is_of_other_place: boolean;
  readonly shown_name: string;
}

/** Of a certificate that identifies nobody now. Whoever decided it: what keeps its device out is a stop. */
const OUTCOME_OF: Readonly<Record<RefusalReason, CheckOutcome>> = {
  malformed: "unknown",
  "foreign-issuer": "unknown",
  unknown: "unknown",
  "not-yet-valid": "unknown",
  expired: "expired",
  revoked: "revoked",
  hold: "revoked",
  unbound: "revoked",
  "device-retired": "revoked",
  "account-disabled": "revoked",
  "membership-ended": "revoked",
  "tenant-behind": "revoked",
};

/** What another certificate than the one that was asked for comes to. */
async function otherOutcome(
  sql: Sql,
  { serial }: CheckRow,
  shown: Identification & { readonly serialNumber: Serial },
): Promise<Pick<Visit, "outcome" | "olderName" | "newerSerial">> {
  const [row] = await sql.query<RelationRow>(
    RELATION,
    [serial, serialBytes(shown.serialNumber)],
    "check-relation",
  );
  if (row === undefined || row.same_device === null) return { outcome: "unknown" };
  if (!row.same_device) return { outcome: "other-device" };
  if (row.is_of_other_place && shown.kind === "identified") return { outcome: "other-place" };
  // An old one is put aside whatever became of it; a new one has to be good to be of use.
  if (row.is_older)
    return { outcome: "older", olderName: row.shown_name, newerSerial: serialOf(serial) };
  return { outcome: shown.kind === "identified" ? "newer" : OUTCOME_OF[shown.reason] };
}

/** An enrolment is spent when its certificate is proven, and then its links and codes open nothing any more. */
const SPEND = `update app.enrolment e set state = 'proven', ended_at = $2 from app.binding b
  where b.serial = $1 and b.enrolment_id = e.id and e.state = 'issued' returning e.id`;

/** The time of the proof, this one's or an earlier one's; undefined of a certificate that was stopped in this moment. */
async function prove(
  sql: Sql,
  check: CheckRow & { readonly corporationId: string },
  { clock, newId }: Pick<ProofDeps, "clock" | "newId">,
): Promise<Date | undefined> {
  const at = clock();
  // The signer's clock may be ahead of ours by a little. Of two at once the second waits here, and finds it proven.
  const [proven] = await sql.query<{ proven_at: Date }>(
    `update ca.issued set proven_at = greatest($2::timestamptz, issued_at)
     where serial = $1 and proven_at is null and state = 'good' returning proven_at`,
    [check.serial, at],
    "check-prove",
  );
  if (proven === undefined) {
    const [before] = await sql.query<{ proven_at: Date | null }>(
      "select proven_at from ca.issued where serial = $1 and state = 'good'",
      [check.serial],
      "check-proven",
    );
    return before?.proven_at ?? undefined;
  }
  const serialNumber = serialOf(check.serial);
  const { corporationId } = check;
  const told = { at, actor: `certificate:${serialNumber}`, corporationId };
  const [action, subject] = ["certificate.proven", `certificate/${serialNumber}`] as const;
  await record(sql, { ...told, action, subject, detail: { checkId: check.id } }, newId);
  const [spent] = await sql.query<{ id: string }>(SPEND, [check.serial, at], "check-spend");
  if (spent !== undefined) {
    const end = { action: "enrolment.proven", subject: `enrolment/${spent.id}` };
    await record(sql, { ...told, ...end, detail: { serialNumber } }, newId);
  }
  await sql.query("select app.plan_proof_mails($1, $2)", [check.serial, at], "check-mails");
  return proven.proven_at;
}

/** What was shown at an open check, and the proof where it is one. */
async function judge(
  sql: Sql,
  check: CheckRow & { readonly corporationId: string },
  { deps, shown }: { readonly deps: ProofDeps; readonly shown: Identification | undefined },
): Promise<Visit> {
  const { common_name: commonName, not_after: notAfter } = check;
  const { device_name: name, pharmacy_name: pharmacyName, platform } = check;
  const device = { name, pharmacyName, platform };
  if (shown === undefined) return { outcome: "none", commonName };
  const { serialNumber } = shown;
  if (serialNumber === undefined) return { outcome: "unknown", commonName };
  if (serialNumber !== serialOf(check.serial)) {
    const found = await otherOutcome(sql, check, { ...shown, serialNumber });
    const isOfDevice = found.outcome !== "other-device" && found.outcome !== "unknown";
    return { ...found, commonName, ...(isOfDevice && { device }) };
  }
  if (shown.kind === "refused") return { outcome: OUTCOME_OF[shown.reason], commonName, device };
  const provenAt = await prove(sql, check, deps);
  if (provenAt === undefined) return { outcome: "revoked", commonName, device };
  return { outcome: "proven", commonName, device, proof: { serialNumber, notAfter, provenAt } };
}

/**
 * Decides visits to checks, and records the first proof of a certificate with its audit row and event. This is written while
 * answering a GET, which otherwise changes nothing here, because mail scanners and previews open every link: what is recorded
 * is not the visit but a TLS handshake that was signed with the client's private key (RFC 8446 §4.4.3), and no scanner has
 * that. Without the key a thousand visits leave nothing behind but that there was one, once for each thing that they showed:
 * where people fail is to be known.
 */
export function createVisitCheck(deps: ProofDeps): VisitCheck {
  const { database, clock, digest, identify } = deps;
  return async (nonce, certificate) => {
    const hash = nonceHash(nonce, digest);
    const [found] = await database.query<{ tenant: string | null }>(
      "select app.tenant_of_check($1::bytea) as tenant",
      [hash],
      "check-tenant",
    );
    const corporationId = found?.tenant ?? undefined;
    if (corporationId === undefined) return { outcome: "ended" };
    const shown = certificate === undefined ? undefined : await identify(certificate);
    return database.tenant(corporationId, async (sql) => {
      const [check] = await sql.query<CheckRow>(CHECK, [hash], "check-visit");
      if (check === undefined || check.expires_at <= clock()) return { outcome: "ended" };
      const visit = await judge(sql, { ...check, corporationId }, { deps, shown });
      const { outcome } = visit;
      const { serial } = check;
      if (outcome !== "proven") await noteFailedCheck(sql, { serial, outcome, at: clock() });
      return visit;
    });
  };
}
