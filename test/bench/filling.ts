import type pg from "pg";

/** Which of the rows to make: the `from`th to the one before the `to`th. */
export interface Rows {
  readonly from: number;
  readonly to: number;
  /** Of so many one is good, and the others are revoked; or the other way round below 1. */
  readonly revoked: "all" | "one-in-twenty";
}

/** Of the first rows these are bound to the devices of this corporation. */
export interface Binding {
  readonly corporationId: string;
  readonly pharmacyId: string;
  readonly accountId: string;
  readonly deviceId: string;
}

/** The serial of the row: random to look at, and the same each time. */
const SERIAL =
  "set_byte(decode(md5(i::text), 'hex'), 0, (get_byte(decode(md5(i::text), 'hex'), 0) & 63) | 64)";

/**
 * Certificates in the sizes of real ones, straight into the table: signed one by one a million would take a quarter of an
 * hour. A VA that runs does not hear of them: it knows them after a start without its snapshot.
 */
export async function fillCertificates(client: pg.Client, rows: Rows): Promise<void> {
  const { from, to, revoked } = rows;
  const isRevoked = revoked === "all" ? "true" : "i % 20 = 0";
  await client.query("begin");
  await client.query("set local session_replication_role = replica");
  await client.query(
    `insert into ca.issued (serial, issuer_id, profile, profile_hash, shard, state, common_name, device_uri, spki, spki_sha256,
       not_before, not_after, key_origin, request_hash, reserved_at, der, der_sha256, issued_at, good_xid, reason, revoked_at)
     select serial, 'issuing-g1', 'device-client', sha256(''), get_byte(serial, 15) % 16, case when is_revoked then 'revoked' else 'good' end,
       '受付1号機 2027-12', 'spiffe://suido.localhost/device/00000000-0000-7000-8000-000000000000',
       decode(repeat('5a', 91), 'hex'), sha256(serial), now() - interval '10 days', now() + interval '380 days', 'subject',
       sha256(serial), now() - interval '10 days', decode(repeat(md5(i::text), 44), 'hex'), sha256(serial || 'x'),
       now() - interval '10 days', '3', case when is_revoked then 4 end,
       case when is_revoked then now() - interval '1 day' - i * interval '1 second' end
     from (select i, ${SERIAL} as serial, ${isRevoked} as is_revoked from generate_series(${from}, ${to - 1}) as i) as made`,
  );
  await client.query("commit");
}

/** Binds the rows to a device. */
export async function bind(client: pg.Client, rows: Rows, binding: Binding): Promise<void> {
  const { accountId, corporationId, deviceId, pharmacyId } = binding;
  await client.query("begin");
  await client.query("set local session_replication_role = replica");
  await client.query(
    `insert into app.binding (id, serial, corporation_id, pharmacy_id, device_id, account_id, bound_from)
     select gen_random_uuid(), ${SERIAL}, $1, $2, $3, $4, now() - interval '10 days'
     from generate_series(${rows.from}, ${rows.to - 1}) as i`,
    [corporationId, pharmacyId, deviceId, accountId],
  );
  await client.query("commit");
}

/** What PostgreSQL does by itself after a while, so that it does not fall into a measurement. */
export async function settle(client: pg.Client): Promise<void> {
  await client.query("vacuum analyze ca.issued");
  await client.query("vacuum analyze app.binding");
  await client.query("checkpoint");
}
