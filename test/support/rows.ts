import { createHash, randomBytes, randomUUID } from "node:crypto";
import type { Sql } from "../../src/storage/sql.ts";

/** Runs something as the superuser of a test's database, past grants and row-level security. */
export type Superuser = Sql;

const AT = new Date("2026-11-21T00:00:00Z");

/** A corporation with a pharmacy, an account and a device, as rows alone. */
export interface Tenant {
  readonly corporationId: string;
  readonly pharmacyId: string;
  readonly accountId: string;
  readonly deviceId: string;
}

export async function insertTenant(sql: Superuser, name: string): Promise<Tenant> {
  const tenant: Tenant = {
    corporationId: randomUUID(),
    pharmacyId: randomUUID(),
    accountId: randomUUID(),
    deviceId: randomUUID(),
  };
  const { corporationId, pharmacyId, accountId, deviceId } = tenant;
  await sql.query(
    "insert into app.corporation (id, name, created_at, updated_at) values ($1, $2, $3, $3)",
    [corporationId, name, AT],
  );
  await sql.query(
    "insert into app.pharmacy (id, corporation_id, name, created_at, updated_at) values ($1, $2, $3, $4, $4)",
    [pharmacyId, corporationId, `${name} pharmacy`, AT],
  );
  await sql.query(
    "insert into app.account (id, corporation_id, name, created_at, updated_at) values ($1, $2, $3, $4, $4)",
    [accountId, corporationId, `${name} account`, AT],
  );
  await sql.query(
    `insert into app.identity (corporation_id, account_id, issuer, subject) values ($1, $2, 'https://idp.example', $3)`,
    [corporationId, accountId, name],
  );
  await sql.query(
    `insert into app.external_id (corporation_id, account_id, system, value) values ($1, $2, 'hr', $3)`,
    [corporationId, accountId, name],
  );
  await sql.query(
    `insert into app.membership (id, corporation_id, account_id, pharmacy_id, role, valid_from, created_at, updated_at)
     values ($1, $2, $3, $4, 'pharmacist', $5, $5, $5)`,
    [randomUUID(), corporationId, accountId, pharmacyId, AT],
  );
  await sql.query(
    `insert into app.device (id, corporation_id, pharmacy_id, name, platform, created_at, updated_at)
     values ($1, $2, $3, $4, 'windows', $5, $5)`,
    [deviceId, corporationId, pharmacyId, `${name} device`, AT],
  );
  return tenant;
}

export async function insertIssuer(sql: Superuser, id = "issuing-g1"): Promise<string> {
  await sql.query(
    `insert into ca.issuer (id, kind, generation, state, parent_id, serial, certificate, subject, key_identifier, va_url, not_after, created_at)
     values ($1, 'issuing', 1, 'active', $1, $2, $2, $2, $2, 'http://va.example', '2036-01-01Z', $3)`,
    [id, randomBytes(16), AT],
  );
  return id;
}

export type IssuedState = "reserved" | "good" | "hold" | "revoked" | "refused" | "abandoned";

const SIGNED = new Set<IssuedState>(["good", "hold", "revoked"]);
const STOPPED = new Set<IssuedState>(["hold", "revoked"]);

/** The columns that the checks on `ca.issued` demand of a row in this state. */
export function columnsOf(state: IssuedState): Record<string, unknown> {
  const der = SIGNED.has(state) ? randomBytes(40) : null;
  const stopped = STOPPED.has(state);
  return {
    state,
    der,
    der_sha256: der === null ? null : createHash("sha256").update(der).digest(),
    issued_at: der === null ? null : AT,
    reason: stopped ? (state === "hold" ? 6 : 4) : null,
    revoked_at: stopped ? AT : null,
  };
}

/** A certificate that never was one: bytes of the right lengths, in any state. Returns its serial. */
export async function insertIssued(
  sql: Superuser,
  issuerId: string,
  state: IssuedState,
): Promise<Buffer> {
  const serial = Buffer.concat([Buffer.of(0x40), randomBytes(15)]);
  const row: Record<string, unknown> = {
    serial,
    issuer_id: issuerId,
    profile: "device",
    profile_hash: randomBytes(32),
    shard: 3,
    common_name: "till 1 2027-12",
    spki: randomBytes(91),
    spki_sha256: randomBytes(32),
    not_before: AT,
    not_after: new Date("2027-12-31T00:00:00Z"),
    key_origin: "subject",
    reserved_at: AT,
    ...columnsOf(state),
  };
  const names = Object.keys(row);
  await sql.query(
    `insert into ca.issued (${names.join(", ")}) values (${names.map((_, i) => `$${i + 1}`).join(", ")})`,
    Object.values(row),
  );
  return serial;
}

/** Somebody who is signed in, and a device that they have stopped. */
export async function insertPeoples(
  sql: Superuser,
  { corporationId, deviceId, accountId }: Omit<Tenant, "pharmacyId">,
): Promise<void> {
  await sql.query(
    `insert into app.person_session (sha256, corporation_id, account_id, issuer, subject, epoch, authenticated_at, created_at, seen_at)
     values ($1, $2, $3, 'x', 'x', 1, now(), now(), now())`,
    [randomBytes(32), corporationId, accountId],
  );
  await sql.query(
    `insert into app.device_hold (id, corporation_id, device_id, reason, serials, held_by, held_at)
     values ($1, $2, $3, 'lost', '{}', $4, now())`,
    [randomUUID(), corporationId, deviceId, accountId],
  );
}
