import { equal, fromHex } from "../pki/bytes.ts";
import type { Clock } from "../pki/clock.ts";
import type { Digest, Random } from "../pki/crypto.ts";
import { EMERGENCY_PROFILE, type Profile, profileHash } from "../pki/profile.ts";
import { newSerial, type Serial, serialBytes, shardOf } from "../pki/serial.ts";
import type { NewId } from "../pki/uuid.ts";
import type { Validity } from "../pki/validity.ts";
import { type Actor, factParts, factValues } from "../audit/record.ts";
import { IdempotencyKeyReusedError } from "../registry/errors.ts";
import type { IdempotentRequest } from "../registry/idempotency.ts";
import type { Sql } from "../storage/sql.ts";
import { serialOf } from "./certificate-record.ts";
import { keyLock } from "./compromised-key.ts";
import { heldOf } from "./device-hold.ts";
import { CertificateStateError, NotRenewableError } from "./errors.ts";
import { renewableUntil } from "./renewal-grace.ts";
import { checkRequestKey, type RequestKey } from "./request-key.ts";
import {
  type Allowed,
  checkFacts,
  checkVerdict,
  commonNameOf,
  type KeyVerdict,
  requestedFact,
  type ReservationFacts,
  validityWithin,
} from "./reservation-rules.ts";

/** A certificate whose binding another is wanted for. */
export interface Previous {
  readonly serial: Serial;
  readonly state: string;
  readonly notAfter: Date;
  /** Asked for with the old one, or by staff, who may replace a revoked one too. */
  readonly kind: "renewal" | "reissue";
}

/** A certificate that somebody wants. */
export interface Wish {
  readonly corporationId: string;
  readonly actor: Actor;
  readonly deviceId: string;
  readonly accountId: string;
  readonly profile: Profile;
  readonly key: RequestKey;
  /** The enrolment that the certificate is made for. */
  readonly enrolmentId?: string;
  /** The certificate that the new one replaces. */
  readonly previous?: Previous;
  readonly idempotency?: IdempotentRequest;
}

/** The device as it is now. */
export interface DeviceFacts {
  readonly pharmacyId: string;
  readonly platform: string;
  readonly commonName: string;
}

export type Reservation =
  | { readonly kind: "reserved"; readonly serial: Serial; readonly device: DeviceFacts }
  /** The very same was asked for before: by its Idempotency-Key, or with the same key for the same binding. */
  | { readonly kind: "known"; readonly serial: Serial };

export interface ReservationDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly newId: NewId;
  readonly digest: Digest;
  readonly trustDomain: string;
  /** The IANA zone in which a certificate's last day ends. */
  readonly timeZone: string;
  /** The `monthFormat` of that zone. */
  readonly months: Intl.DateTimeFormat;
}

interface FactsRow extends ReservationFacts {
  readonly request_hash: Uint8Array | null;
  readonly known_serial: Uint8Array | null;
  readonly known_state: string | null;
}

/**
 * Everything that is checked, in one statement: who uses the same key waits here ($1), and device, account and membership
 * stay as they are until the commit.
 */
const FACTS = `with device as (
    select id, pharmacy_id, name, platform, retired_at from app.device where id = $2 for share
  ), account as (
    select disabled_at from app.account where id = $3 for share
  ), membership as (
    select id from app.membership where account_id = $3 and pharmacy_id = (select pharmacy_id from device)
      and valid_from <= $4 and (valid_to is null or valid_to > $4) limit 1 for share
  )
  select pg_advisory_xact_lock($1::bigint), device.pharmacy_id, device.name as device_name, device.platform,
    device.retired_at is not null as is_retired, ${heldOf("$2", "$4")} as is_stopped, (select disabled_at is not null from account) as is_disabled,
    exists (select from membership) as is_member, issuer.id as issuer_id, issuer.not_after as issuer_not_after,
    exists (select from ca.journal_mark where quarantined_at is not null) as is_quarantined,
    earlier.request_hash, earlier.serial as known_serial, earlier.state as known_state
  from (values (1)) as one
  left join device on true
  left join ca.issuer on issuer.kind = 'issuing' and issuer.state = 'active'
  left join (select idempotency.request_hash, idempotency.serial, issued.state from app.idempotency
    left join ca.issued on issued.serial = idempotency.serial
    where idempotency.api_key_id = $5 and idempotency.key = $6) as earlier on true`;

/**
 * Looks at the earlier certificates of the key and, when nothing speaks against it, reserves and puts that on record. It is a statement of its own
 * because its snapshot must be younger than the lock of the key. Bindings of other corporations are not seen: a key
 * without a binding that is seen belongs to somebody else. A certificate that replaces another ($6) takes a key that was
 * used for nothing but that replacement.
 */
const RESERVE = `with known as (
    select i.serial, i.state, i.reason, i.not_after, i.replaces, i.reserved_at,
      (b.device_id = $2::uuid and b.account_id = $3::uuid) is true as is_same
    from ca.issued i left join app.binding b on b.serial = i.serial and b.bound_to is null
    where i.spki_sha256 = $4::bytea and i.state not in ('refused', 'abandoned')
  ), verdict as (
    select coalesce(bool_or(reason = 1), false) as is_compromised, coalesce(bool_or(not is_same), false) as is_foreign,
      coalesce(bool_or($6::bytea is not null and replaces is distinct from $6), false) as is_worn,
      coalesce(bool_or(state = 'hold'), false) as is_held,
      (array_agg(serial order by reserved_at desc) filter (where state in ('reserved', 'good') and not_after >= $5::timestamptz
        and ($6::bytea is null or replaces = $6)))[1] as same
    from known
  ), reserved as (
    insert into ca.issued (serial, issuer_id, profile, profile_hash, shard, state, common_name, device_uri, spki, spki_sha256,
      not_before, not_after, key_origin, request_hash, replaces, reserved_at, identified_how, key_claim)
    select $1::bytea, $7::text, $8::text, $9::bytea, $10::smallint, 'reserved', $11::text, $12::text, $13::bytea, $4,
      $14::timestamptz, $15::timestamptz, $16::text, $17::bytea, $6, $5,
      case when $23::uuid is null then 'api' else (select e.identified_how from app.enrolment e where e.id = $23) end, $24::text from verdict
    where same is null and not (is_compromised or is_foreign or is_worn or is_held)
    returning serial
  ), bound as (
    insert into app.binding (id, serial, corporation_id, pharmacy_id, device_id, account_id, bound_from, enrolment_id)
    select $18::uuid, serial, app.current_corporation(), $19::uuid, $2, $3, $5, $23::uuid from reserved
  ), remembered as (
    insert into app.idempotency (api_key_id, key, request_hash, serial, created_at)
    select $20::uuid, $21::text, $22::bytea, coalesce(reserved.serial, same), $5 from verdict left join reserved on true
    where $20::uuid is not null and (reserved.serial is not null or (same is not null and not (is_compromised or is_foreign or is_worn or is_held)))
  ), ${factParts("reserved", 25)}
  select is_compromised, is_foreign, is_worn, is_held, same from verdict`;

async function readFacts(sql: Sql, wish: Wish, now: Date): Promise<FactsRow> {
  const { key, deviceId, accountId, idempotency } = wish;
  const [facts] = await sql.query<FactsRow>(
    FACTS,
    [
      keyLock(key.spkiSha256),
      deviceId,
      accountId,
      now,
      idempotency?.apiKeyId ?? null,
      idempotency?.key ?? null,
    ],
    "ca-issue-facts",
  );
  if (facts === undefined) throw new Error("the query of facts gives one row");
  return facts;
}

/** The serial that this Idempotency-Key got before. One whose row was closed unsigned counts for nothing. */
async function repeated(sql: Sql, wish: Wish, facts: FactsRow): Promise<Serial | undefined> {
  const { idempotency } = wish;
  if (idempotency === undefined || facts.request_hash === null) return undefined;
  if (facts.known_serial === null || !equal(facts.request_hash, idempotency.requestHash))
    throw new IdempotencyKeyReusedError();
  if (facts.known_state !== "abandoned") return serialOf(facts.known_serial);
  await forgetIdempotency(sql, idempotency, serialOf(facts.known_serial));
  return undefined;
}

/** Lets an Idempotency-Key begin anew, unless it has got another certificate meanwhile. */
export async function forgetIdempotency(
  sql: Sql,
  { apiKeyId, key }: IdempotentRequest,
  serial: Serial,
): Promise<void> {
  await sql.query(
    "delete from app.idempotency where api_key_id = $1 and key = $2 and serial = $3",
    [apiKeyId, key, serialBytes(serial)],
  );
}

/** Only a good certificate, or one that expired just now, renews itself: not one that was taken out of use. */
function checkPrevious({ previous, profile }: Wish, now: Date): void {
  // Staff neither: reissued night after night it would be a device that nobody has registered.
  if (previous !== undefined && profile.name === EMERGENCY_PROFILE) throw new NotRenewableError();
  if (previous?.kind !== "renewal") return;
  if (previous.state !== "good")
    throw new CertificateStateError(
      previous.state === "hold" ? "the certificate is on hold" : "the certificate is revoked",
    );
  if (renewableUntil(previous.notAfter) < now)
    throw new CertificateStateError("the certificate expired more than 14 days ago");
}

interface Draft {
  readonly serial: Serial;
  readonly commonName: string;
  readonly validity: Validity;
  readonly allowed: Allowed;
  readonly now: Date;
}

async function insert(
  sql: Sql,
  { wish, draft }: { readonly wish: Wish; readonly draft: Draft },
  { digest, newId, trustDomain }: ReservationDeps,
): Promise<KeyVerdict> {
  const { key, profile, idempotency } = wish;
  const { serial, validity, allowed } = draft;
  const values = [
    serialBytes(serial),
    wish.deviceId,
    wish.accountId,
    key.spkiSha256,
    draft.now,
    wish.previous === undefined ? null : serialBytes(wish.previous.serial),
    allowed.issuerId,
    profile.name,
    fromHex(profileHash(profile, digest)),
    shardOf(serial),
    draft.commonName,
    `spiffe://${trustDomain}/device/${wish.deviceId}`,
    key.spki,
    validity.notBefore,
    validity.notAfter,
    key.keyOrigin,
    key.requestHash ?? null,
    newId(),
    allowed.device.pharmacyId,
    idempotency?.apiKeyId ?? null,
    idempotency?.key ?? null,
    idempotency?.requestHash ?? null,
    wish.enrolmentId ?? null,
    key.claim ?? null,
    ...factValues(
      requestedFact(wish, { serial, pharmacyId: allowed.device.pharmacyId, now: draft.now }),
      newId,
    ),
  ];
  const [verdict] = await sql.query<KeyVerdict>(RESERVE, values, "ca-issue-reserve");
  if (verdict === undefined) throw new Error("the reservation gives one verdict");
  return verdict;
}

/**
 * Step (1) of issuing, in a transaction of the tenant: checks, then the serial, its binding and the Idempotency-Key as
 * one. Throws CaError, RegistryError and PkiError; a unique violation on `idempotency_pkey` means that the very same
 * request was quicker, and that asking again will find its serial.
 */
export async function reserve(deps: ReservationDeps, sql: Sql, wish: Wish): Promise<Reservation> {
  const now = deps.clock();
  const facts = await readFacts(sql, wish, now);
  const earlier = await repeated(sql, wish, facts);
  if (earlier !== undefined) {
    wish.idempotency?.onReplayed?.();
    return { kind: "known", serial: earlier };
  }
  checkPrevious(wish, now);
  const allowed = checkFacts(facts);
  checkRequestKey(wish.key, wish.profile.keys);
  const validity = validityWithin(deps.timeZone, wish.profile, {
    now,
    issuerNotAfter: allowed.issuerNotAfter,
  });
  const commonName = commonNameOf(allowed.device.name, validity.notAfter, deps.months);
  const draft = { serial: newSerial(deps.random), commonName, validity, allowed, now };
  const verdict = await insert(sql, { wish, draft }, deps);
  checkVerdict(verdict);
  if (verdict.same !== null) return { kind: "known", serial: serialOf(verdict.same) };
  const { pharmacyId, platform } = allowed.device;
  return { kind: "reserved", serial: draft.serial, device: { pharmacyId, platform, commonName } };
}
