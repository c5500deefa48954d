import type { Sql } from "../storage/sql.ts";
import type { Stage } from "./vocabulary.ts";

/** Why a device would be stopped. */
export const LACKS = ["no-certificate", "not-proven", "without-certificate"] as const;

/**
 * A device that was there lately and that `enforce` would stop: it has no good certificate (`no-certificate`), or one
 * that was neither proven by a check nor accepted anywhere (`not-proven`). `without-certificate`: somebody without one was let in there, from a
 * device that nobody knows.
 */
export interface LackingDevice {
  readonly deviceId?: string;
  readonly pharmacyId: string;
  readonly why: (typeof LACKS)[number];
  /** When one of its certificates was last accepted or would have been refused. */
  readonly lastSeenAt?: Date;
}

/** Whose devices, and from when on they are to need a certificate. */
export interface Readiness {
  readonly product: string;
  /** One pharmacy; without, all of the tenant that have no stage of their own. */
  readonly pharmacyId: string | undefined;
  readonly from: Date;
  readonly now: Date;
}

/** A device that was not seen for longer does not count: it may be in a cupboard. */
const SEEN_DAYS = 14;

interface Row {
  readonly device_id: string | null;
  readonly pharmacy_id: string;
  readonly why: LackingDevice["why"];
  readonly last_seen_at: Date | null;
}

/**
 * `affected`: the pharmacies where `enforce` would be news, by the stages in force at that time, and by the mildest
 * default of the product's relying parties where there is none. The newest row counts, as in `party.stages`.
 */
const LACKING = `
  with spoken as (
    select distinct on (s.pharmacy_id) s.pharmacy_id, s.stage from app.stage s
    where s.product = $1::text and s.state = 'in-force' and s.effective_from <= $3::timestamptz
    order by s.pharmacy_id, s.effective_from desc, s.created_at desc, s.id desc
  ), affected as (
    select p.id from app.pharmacy p left join spoken own on own.pharmacy_id = p.id
    where case when $2::uuid is null then own.stage is null else p.id = $2::uuid end
      and coalesce(own.stage, (select c.stage from spoken c where c.pharmacy_id is null), $5::text) <> 'enforce'
  ), device as (
    select d.id, d.pharmacy_id, d.created_at, max(u.last_at) as used_at, max(r.last_at) as refused_at,
      coalesce(bool_or(x.counts), false) as has_good, coalesce(bool_or(x.counts and (i.proven_at is not null or u.last_at is not null)), false) as has_proven
    from affected a join app.device d on d.pharmacy_id = a.id and d.retired_at is null
    left join app.binding b on b.device_id = d.id
    left join ca.issued i on i.serial = b.serial
    left join lateral (select b.bound_to is null and i.state = 'good' and i.not_after > $3::timestamptz as counts) x on true
    left join lateral (select max(f.last_at) as last_at from party.use f where f.serial = b.serial) u on true
    left join lateral (select max(f.last_at) as last_at from party.refusal f where f.serial = b.serial) r on true
    group by d.id
  )
  select id as device_id, pharmacy_id, case when has_good then 'not-proven' else 'no-certificate' end as why,
    greatest(used_at, refused_at) as last_seen_at
  from device
  where not has_proven and greatest(created_at, used_at, refused_at) >= $4::timestamptz
  union all
  select null, r.pharmacy_id, 'without-certificate', max(r.last_at)
  from party.refusal r join affected a on a.id = r.pharmacy_id
  join party.relying_party p on p.id = r.relying_party_id and p.product = $1::text
  where r.serial is null and r.last_at >= $4::timestamptz
  group by r.pharmacy_id
  order by last_seen_at desc nulls last, pharmacy_id, device_id`;

/** The mildest first, as in STAGES: where parties differ, one that demands nothing lets devices in today. */
const MILDEST = `
  select p.default_stage as stage from party.relying_party p where p.product = $1::text and p.retired_at is null
  order by array_position(array['off', 'observe', 'warn', 'enforce'], p.default_stage) limit 1`;

/**
 * The devices that a switch to `enforce` would stop, of those that were seen in the last 14 days or are as new as that;
 * last seen first. To be called within the tenant.
 */
export async function lackingDevices(
  sql: Sql,
  { from, now, pharmacyId, product }: Readiness,
): Promise<readonly LackingDevice[]> {
  const [mildest] = await sql.query<{ stage: Stage }>(MILDEST, [product]);
  const since = new Date(now);
  since.setUTCDate(since.getUTCDate() - SEEN_DAYS);
  const rows = await sql.query<Row>(LACKING, [
    product,
    pharmacyId ?? null,
    from.toISOString(),
    since.toISOString(),
    mildest?.stage ?? "off",
  ]);
  return rows.map(deviceOf);
}

function deviceOf({ device_id, last_seen_at, pharmacy_id, why }: Row): LackingDevice {
  return {
    ...(device_id !== null && { deviceId: device_id }),
    pharmacyId: pharmacy_id,
    why,
    ...(last_seen_at !== null && { lastSeenAt: last_seen_at }),
  };
}
