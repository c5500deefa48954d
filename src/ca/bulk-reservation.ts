import { type Actor, recordAll } from "../audit/record.ts";
import { fromHex, toHex } from "../pki/bytes.ts";
import { type Profile, profileHash } from "../pki/profile.ts";
import { newSerial, type Serial, serialBytes, shardOf } from "../pki/serial.ts";
import type { Validity } from "../pki/validity.ts";
import type { Sql } from "../storage/sql.ts";
import { serialOf } from "./certificate-record.ts";
import { keyLock } from "./compromised-key.ts";
import { heldOf } from "./device-hold.ts";
import { isRefusal, IssuingStoppedError, QuarantineError, type Refusal } from "./errors.ts";
import { checkRequestKey, type RequestKey } from "./request-key.ts";
import type { ReservationDeps } from "./reservation.ts";
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

/** One of many certificates that somebody wants. */
export interface BulkWish {
  readonly deviceId: string;
  readonly accountId: string;
  readonly key: RequestKey;
}

/** Certificates for devices of one corporation. Each key is wanted once: the caller has seen to that. */
export interface BulkOrder {
  readonly corporationId: string;
  readonly actor: Actor;
  readonly profile: Profile;
  /** At most `MOST_WISHES`. */
  readonly wishes: readonly BulkWish[];
}

/** What becomes of one wish. */
export type BulkOutcome =
  | { readonly kind: "reserved"; readonly serial: Serial }
  /** The same key has a certificate for the same binding. */
  | { readonly kind: "known"; readonly serial: Serial }
  /** What a single request would have been told. */
  | { readonly kind: "refused"; readonly error: Refusal };

/** A lock of each key is held to the commit, and PostgreSQL has room for some thousands of all transactions together. */
export const MOST_WISHES = 500;

interface FactsRow extends ReservationFacts {
  readonly place: number;
}

/** As in a single reservation: the keys are locked, and devices, accounts and memberships stay as they are. */
const FACTS = `with locked as materialized (
    select pg_advisory_xact_lock(key) from unnest($5::bigint[]) as key
  ), wish as (
    select * from unnest($1::uuid[], $2::uuid[]) with ordinality as wish (device_id, account_id, place)
  ), device as materialized (
    select id, pharmacy_id, name, platform, retired_at from app.device where id = any($1::uuid[]) order by id for share
  ), account as materialized (
    select id, disabled_at from app.account where id = any($2::uuid[]) order by id for share
  ), membership as materialized (
    select m.account_id, m.pharmacy_id from app.membership m where m.account_id = any($2::uuid[])
      and m.valid_from <= $3 and (m.valid_to is null or m.valid_to > $3) order by m.id for share
  )
  select wish.place::integer, device.pharmacy_id, device.name as device_name, device.platform,
    device.retired_at is not null as is_retired, ${heldOf("device.id", "$3")} as is_stopped,
    case when account.id is not null then account.disabled_at is not null end as is_disabled,
    exists (select from membership m where m.account_id = wish.account_id and m.pharmacy_id = device.pharmacy_id) as is_member,
    issuer.id as issuer_id, issuer.not_after as issuer_not_after, mark.is_quarantined,
    (select count(*) from locked) = $4::integer as is_locked
  from wish
  left join device on device.id = wish.device_id
  left join account on account.id = wish.account_id
  left join ca.issuer on issuer.kind = 'issuing' and issuer.state = 'active'
  cross join (select exists (select from ca.journal_mark where quarantined_at is not null) as is_quarantined) as mark
  order by wish.place`;

interface VerdictRow extends KeyVerdict {
  readonly place: number;
}

/** The keys that were used before. A statement of its own: its snapshot must be younger than the locks. */
const VERDICTS = `with wish as (
    select * from unnest($1::uuid[], $2::uuid[], $3::bytea[]) with ordinality as wish (device_id, account_id, spki_sha256, place)
  ), known as (
    select wish.place, i.serial, i.state, i.reason, i.not_after, i.reserved_at,
      (b.device_id = wish.device_id and b.account_id = wish.account_id) is true as is_same
    from wish join ca.issued i on i.spki_sha256 = wish.spki_sha256 and i.state not in ('refused', 'abandoned')
    left join app.binding b on b.serial = i.serial and b.bound_to is null
  )
  select place::integer, bool_or(reason is not distinct from 1) as is_compromised, bool_or(not is_same) as is_foreign,
    false as is_worn, bool_or(state = 'hold') as is_held,
    (array_agg(serial order by reserved_at desc) filter (where state in ('reserved', 'good') and not_after >= $4))[1] as same
  from known group by place`;

const RESERVE = `with wish as (
    select * from unnest($1::bytea[], $2::smallint[], $3::text[], $4::text[], $5::bytea[], $6::bytea[], $7::text[], $8::bytea[],
      $9::uuid[], $10::uuid[], $11::uuid[], $12::uuid[])
      as wish (serial, shard, common_name, device_uri, spki, spki_sha256, key_origin, request_hash, binding_id, pharmacy_id, device_id, account_id)
  ), reserved as (
    insert into ca.issued (serial, issuer_id, profile, profile_hash, shard, state, common_name, device_uri, spki, spki_sha256,
      not_before, not_after, key_origin, request_hash, reserved_at, identified_how)
    select serial, $13::text, $14::text, $15::bytea, shard, 'reserved', common_name, device_uri, spki, spki_sha256,
      $16::timestamptz, $17::timestamptz, key_origin, request_hash, $18::timestamptz, 'api' from wish
  )
  insert into app.binding (id, serial, corporation_id, pharmacy_id, device_id, account_id, bound_from)
  select binding_id, serial, app.current_corporation(), pharmacy_id, device_id, account_id, $18 from wish`;

async function readFacts(
  sql: Sql,
  { wishes }: BulkOrder,
  now: Date,
): Promise<readonly ReservationFacts[]> {
  const locks = wishes.map(({ key }) => BigInt(keyLock(key.spkiSha256)));
  const values = [
    wishes.map(({ deviceId }) => deviceId),
    wishes.map(({ accountId }) => accountId),
    now,
    wishes.length,
    // Everybody takes them in the same order, so that no two wait for each other.
    locks.toSorted((a, b) => (a < b ? -1 : Number(a > b))).map(String),
  ];
  return sql.query<FactsRow>(FACTS, values, "ca-bulk-facts");
}

async function readVerdicts(
  sql: Sql,
  { wishes }: BulkOrder,
  now: Date,
): Promise<ReadonlyMap<number, KeyVerdict>> {
  const rows = await sql.query<VerdictRow>(
    VERDICTS,
    [
      wishes.map(({ deviceId }) => deviceId),
      wishes.map(({ accountId }) => accountId),
      wishes.map(({ key }) => Buffer.from(key.spkiSha256)),
      now,
    ],
    "ca-bulk-verdicts",
  );
  return new Map(rows.map(({ place, ...verdict }) => [place - 1, verdict]));
}

interface Draft {
  readonly wish: BulkWish;
  readonly serial: Serial;
  readonly commonName: string;
  readonly allowed: Allowed;
}

interface Terms {
  readonly now: Date;
  readonly validity: Validity;
  readonly issuerId: string;
}

/** The error as a value, where it is the wish's own: what holds up all of them is thrown. */
function refusal(error: unknown): BulkOutcome {
  if (error instanceof IssuingStoppedError || error instanceof QuarantineError) throw error;
  if (isRefusal(error)) return { kind: "refused", error };
  throw error;
}

const buffer = (octets: Uint8Array | undefined): Buffer | null =>
  octets === undefined ? null : Buffer.from(octets);

async function insert(
  deps: ReservationDeps,
  sql: Sql,
  {
    order,
    drafts,
    terms,
  }: { readonly order: BulkOrder; readonly drafts: readonly Draft[]; readonly terms: Terms },
): Promise<void> {
  const { digest, newId, trustDomain } = deps;
  const { profile, corporationId, actor } = order;
  const { now, validity, issuerId } = terms;
  await sql.query(
    RESERVE,
    [
      drafts.map(({ serial }) => buffer(serialBytes(serial))),
      drafts.map(({ serial }) => shardOf(serial)),
      drafts.map(({ commonName }) => commonName),
      drafts.map(({ wish }) => `spiffe://${trustDomain}/device/${wish.deviceId}`),
      drafts.map(({ wish }) => buffer(wish.key.spki)),
      drafts.map(({ wish }) => buffer(wish.key.spkiSha256)),
      drafts.map(({ wish }) => wish.key.keyOrigin),
      drafts.map(({ wish }) => buffer(wish.key.requestHash)),
      drafts.map(() => newId()),
      drafts.map(({ allowed }) => allowed.device.pharmacyId),
      drafts.map(({ wish }) => wish.deviceId),
      drafts.map(({ wish }) => wish.accountId),
      issuerId,
      profile.name,
      buffer(fromHex(profileHash(profile, digest))),
      validity.notBefore,
      validity.notAfter,
      now,
    ],
    "ca-bulk-reserve",
  );
  const facts = drafts.map(({ wish, serial, allowed }) =>
    requestedFact(
      { ...wish, corporationId, actor, profile },
      { serial, pharmacyId: allowed.device.pharmacyId, now },
    ),
  );
  await recordAll(sql, facts, newId);
}

interface Judgement {
  readonly order: BulkOrder;
  readonly now: Date;
  readonly verdicts: ReadonlyMap<number, KeyVerdict>;
}

/** A wish that may be fulfilled with the dates that all of them get, or what becomes of it instead. */
function judge(
  deps: ReservationDeps,
  { order, now, verdicts }: Judgement,
  { place, facts }: { readonly place: number; readonly facts: ReservationFacts },
): { readonly draft: Draft; readonly terms: Terms } | BulkOutcome {
  const wish = order.wishes[place];
  if (wish === undefined) throw new Error("there are as many facts as wishes");
  try {
    const allowed = checkFacts(facts);
    checkRequestKey(wish.key, order.profile.keys);
    const verdict = verdicts.get(place);
    if (verdict !== undefined) checkVerdict(verdict);
    const same = verdict?.same;
    if (same !== undefined && same !== null) return { kind: "known", serial: serialOf(same) };
    const { issuerId, issuerNotAfter } = allowed;
    const validity = validityWithin(deps.timeZone, order.profile, { now, issuerNotAfter });
    const commonName = commonNameOf(allowed.device.name, validity.notAfter, deps.months);
    const serial = newSerial(deps.random);
    return {
      draft: { wish, serial, commonName, allowed },
      terms: { now, validity, issuerId },
    };
  } catch (error) {
    return refusal(error);
  }
}

/**
 * Step (1) of issuing for many at once, in a transaction of the tenant: the same checks as for one, then serials and
 * bindings of all that pass. What a single request would have been refused for is the outcome of that wish alone; the
 * outcomes are in the order of the wishes. Throws IssuingStoppedError and QuarantineError.
 */
export async function reserveAll(
  deps: ReservationDeps,
  sql: Sql,
  order: BulkOrder,
): Promise<readonly BulkOutcome[]> {
  const { wishes } = order;
  const keys = new Set(wishes.map(({ key }) => toHex(key.spkiSha256)));
  if (wishes.length > MOST_WISHES || keys.size !== wishes.length)
    throw new RangeError(`at most ${MOST_WISHES} wishes at once, each with a key of its own`);
  if (wishes.length === 0) return [];
  const now = deps.clock();
  const facts = await readFacts(sql, order, now);
  const verdicts = await readVerdicts(sql, order, now);
  const judged = facts.map((one, place) =>
    judge(deps, { order, now, verdicts }, { place, facts: one }),
  );
  const allowed = judged.filter((one) => "draft" in one);
  const [first] = allowed;
  if (first !== undefined) {
    const drafts = allowed.map(({ draft }) => draft);
    await insert(deps, sql, { order, drafts, terms: first.terms });
  }
  return judged.map((one) =>
    "draft" in one ? { kind: "reserved", serial: one.draft.serial } : one,
  );
}
