import { randomBytes, randomUUID } from "node:crypto";
import pg from "pg";

import { uuidV7 } from "../../../src/pki/uuid.ts";
import { type Accounts, createAccounts } from "../../../src/registry/accounts.ts";
import { type Corporations, createCorporations } from "../../../src/registry/corporations.ts";
import { createDevices, type Devices } from "../../../src/registry/devices.ts";
import { createMemberships, type Memberships } from "../../../src/registry/memberships.ts";
import { createPharmacies, type Pharmacies } from "../../../src/registry/pharmacies.ts";
import type { Principal } from "../../../src/registry/principal.ts";
import type { RegistryDeps } from "../../../src/registry/tenant.ts";
import { type ApiKeys, createApiKeys } from "../../../src/staff/api-keys.ts";
import { type Database, openDatabase, type Role } from "../../../src/storage/database.ts";
import { openPrisma, type PrismaStore } from "../../../src/storage/prisma.ts";
import { freshDatabase } from "../../support/database.ts";

/** Everything of the registry, over some deps. */
export interface Registry {
  readonly corporations: Corporations;
  readonly pharmacies: Pharmacies;
  readonly accounts: Accounts;
  readonly memberships: Memberships;
  readonly devices: Devices;
}

export function registryOver(deps: RegistryDeps): Registry {
  return {
    corporations: createCorporations(deps),
    pharmacies: createPharmacies(deps),
    accounts: createAccounts(deps),
    memberships: createMemberships(deps),
    devices: createDevices(deps),
  };
}

/** A corporation with one of each. */
export interface Tenant {
  readonly corporationId: string;
  readonly pharmacyId: string;
  readonly accountId: string;
  readonly membershipId: string;
  readonly deviceId: string;
  readonly apiKeyId: string;
  readonly email: string;
  /** A key that is bound to it. */
  readonly principal: Principal;
}

export interface World extends Registry {
  readonly deps: RegistryDeps;
  readonly store: PrismaStore;
  readonly app: Database;
  readonly worker: Database;
  readonly apiKeys: ApiKeys;
  /** Reads and writes past all policies. */
  readonly superuser: pg.Pool;
  /** Bound to no corporation; its API key is a row. */
  readonly staff: Principal;
  /** What the clock shows: tests put it forward. */
  readonly time: { now: Date };
  tenant(name: string): Promise<Tenant>;
  /** A signed certificate for the device, in this state, that ends at `notAfter`. */
  certificate(tenant: Tenant, state: "good" | "revoked", notAfter: Date): Promise<void>;
  /** Actions of the audit rows about a subject, in their order. */
  actions(subject: string): Promise<string[]>;
  /** How many denies the subject has. */
  denies(subject: string): Promise<number>;
  /** What all tables of the registry, the log, the outbox and the changes hold. */
  everything(): Promise<unknown>;
  close(): Promise<void>;
}

function random(octets: number): Uint8Array {
  return new Uint8Array(randomBytes(octets));
}

/** Enough for ten callers who each wait inside a transaction. */
const CONNECTIONS = 12;

export async function openWorld(): Promise<World> {
  const database = await freshDatabase();
  const { url } = database;
  const time = { now: new Date("2026-11-21T03:00:00.123Z") };
  const clock = (): Date => new Date(time.now);
  const newId = uuidV7(clock, random);
  const store = openPrisma({ url, max: CONNECTIONS });
  const open = (role: Role): Database =>
    openDatabase({ url, role, max: CONNECTIONS, applicationName: "test" });
  const app = open("suido_app");
  const worker = open("suido_worker");
  const superuser = new pg.Pool({ connectionString: url, max: 3 });
  // The database is dropped while they are still being closed: an error that nobody hears would end the run.
  superuser.on("connect", (client) => client.on("error", () => undefined));
  const deps = { store, clock, newId };
  const registry = registryOver(deps);
  const apiKeys = createApiKeys({ database: app, clock, random, newId });
  const root: Principal = { id: randomUUID(), actor: "cli:root", role: "admin" };
  const staff = await apiKeys.authenticate((await apiKeys.create(root, { role: "admin" })).key);
  return {
    ...registry,
    deps,
    store,
    app,
    worker,
    apiKeys,
    superuser,
    staff,
    time,
    tenant: (name) => makeTenant({ registry, apiKeys, staff }, name),
    certificate: (tenant, state, notAfter) =>
      insertCertificate(superuser, tenant, { state, notAfter }),
    actions: async (subject) => {
      const text = "select action from app.audit where subject = $1 order by xid, id";
      return (await superuser.query<{ action: string }>(text, [subject])).rows.map(
        ({ action }) => action,
      );
    },
    denies: async (subject) =>
      (
        await superuser.query("select from ca.change where kind = 'deny' and subject = $1", [
          subject,
        ])
      ).rowCount ?? 0,
    everything: () => everything(superuser),
    close: async () => {
      await Promise.all([store.close(), app.close(), worker.close(), superuser.end()]);
      await database.drop();
    },
  };
}

async function makeTenant(
  { registry, apiKeys, staff }: { registry: Registry; apiKeys: ApiKeys; staff: Principal },
  name: string,
): Promise<Tenant> {
  const { corporations, pharmacies, accounts, memberships, devices } = registry;
  const email = `${name}@example.jp`;
  const corporation = await corporations.create(staff, { name });
  const corporationId = corporation.id;
  const pharmacy = await pharmacies.create(staff, { corporationId, name, code: "001" });
  const account = await accounts.create(staff, {
    corporationId,
    name,
    email,
    identities: [{ issuer: "https://id.example.jp", subject: name }],
    externalIds: [{ system: "musubi", value: name }],
  });
  const device = await devices.create(staff, {
    pharmacyId: pharmacy.id,
    name,
    platform: "windows",
  });
  const membership = await memberships.create(staff, {
    accountId: account.id,
    pharmacyId: pharmacy.id,
    role: "pharmacist",
    from: new Date("2026-01-01T00:00:00Z"),
  });
  const key = await apiKeys.create(staff, { role: "admin", corporationId, label: name });
  return {
    corporationId,
    pharmacyId: pharmacy.id,
    accountId: account.id,
    membershipId: membership.id,
    deviceId: device.id,
    apiKeyId: key.id,
    email,
    principal: await apiKeys.authenticate(key.key),
  };
}

async function insertCertificate(
  superuser: pg.Pool,
  { corporationId, pharmacyId, deviceId, accountId }: Tenant,
  { state, notAfter }: { readonly state: "good" | "revoked"; readonly notAfter: Date },
): Promise<void> {
  await superuser.query(
    `insert into ca.issuer (id, kind, generation, state, parent_id, serial, certificate, subject, key_identifier, va_url, not_after, created_at)
     values ('issuing-g1', 'issuing', 1, 'active', 'issuing-g1', '\\x01', '', '', '', 'http://va', 'infinity', now()) on conflict do nothing`,
  );
  const serial = randomBytes(16);
  await superuser.query(
    `insert into ca.issued (serial, issuer_id, profile, profile_hash, shard, state, common_name, spki, spki_sha256, not_before, not_after,
       key_origin, reserved_at, der, der_sha256, issued_at, reason, revoked_at)
     values ($1, 'issuing-g1', 'device', $2, 0, $3, 'x', '', $2, '2026-01-01', $4, 'subject', '2026-01-01', '', $2, '2026-01-01', $5, $6)`,
    [
      serial,
      randomBytes(32),
      state,
      notAfter,
      state === "good" ? null : 1,
      state === "good" ? null : new Date(),
    ],
  );
  await superuser.query(
    `insert into app.binding (id, serial, corporation_id, pharmacy_id, device_id, account_id, bound_from)
     values ($1, $2, $3, $4, $5, $6, '2026-01-01')`,
    [randomUUID(), serial, corporationId, pharmacyId, deviceId, accountId],
  );
}

const TABLES = [
  "app.corporation",
  "app.pharmacy",
  "app.account",
  "app.identity",
  "app.external_id",
  "app.membership",
  "app.device",
  "app.api_key",
  "app.idempotency",
  "app.audit",
  "app.event",
  "ca.change",
];

async function everything(superuser: pg.Pool): Promise<unknown> {
  const tables = TABLES.map(async (table) => {
    const { rows } = await superuser.query<{ row: string }>(
      `select t::text as row from ${table} t order by 1`,
    );
    return [table, rows.map(({ row }) => row)];
  });
  return Object.fromEntries(await Promise.all(tables));
}
