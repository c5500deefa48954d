import type { Logger } from "pino";
import { type Bundler, createBundler } from "../ca/bundle.ts";
import { type Certificates, createCertificates } from "../ca/certificates.ts";
import { createDeviceStatus, type DeviceStatus } from "../ca/device-status.ts";
import { createIdentify, type Identify } from "../ca/identification.ts";
import { createIssuance, type Issuance } from "../ca/issuance.ts";
import { createChainOf } from "../ca/issuer-chain.ts";
import { createRevocation, type Revocation } from "../ca/revocation.ts";
import type { Config } from "../config/environment.ts";
import { type Accounts, createAccounts } from "../registry/accounts.ts";
import { type Corporations, createCorporations } from "../registry/corporations.ts";
import { createDevices, type Devices } from "../registry/devices.ts";
import { createMemberships, type Memberships } from "../registry/memberships.ts";
import { createPharmacies, type Pharmacies } from "../registry/pharmacies.ts";
import { type ApiKeys, createApiKeys } from "../staff/api-keys.ts";
import { type Database, openDatabase, type Role } from "../storage/database.ts";
import { openPrisma } from "../storage/prisma.ts";
import type { Foundation, Undoing } from "./foundation.ts";
import type { System } from "./system.ts";

/** The rooms that the app and the mTLS listener call. */
export interface Rooms {
  readonly corporations: Corporations;
  readonly pharmacies: Pharmacies;
  readonly accounts: Accounts;
  readonly memberships: Memberships;
  readonly devices: Devices;
  readonly certificates: Certificates;
  readonly issuance: Issuance;
  readonly revocation: Revocation;
  readonly deviceStatus: DeviceStatus;
  readonly apiKeys: ApiKeys;
  readonly identify: Identify;
}

export interface Opening {
  readonly config: Config;
  readonly system: System;
  readonly log: Logger;
  readonly undoing: Undoing;
  readonly foundation: Foundation;
}

/** Connections of the app's own statements, and of the registry's ORM. */
const APP_CONNECTIONS = 10;
const PRISMA_CONNECTIONS = 5;

/** Opens a pool that is closed at the end. */
export function openPool(
  { log, undoing, foundation }: Opening,
  { role, max }: { readonly role: Role; readonly max: number },
): Database {
  const database = openDatabase({
    url: foundation.databaseUrl,
    role,
    max,
    applicationName: role.replace("_", "-"),
    onError: (error) => log.warn({ err: error, role }, "a database connection broke"),
  });
  undoing.add(() => database.close());
  return database;
}

/** Opens the rooms over the foundation. */
export function openRooms(opening: Opening): Rooms {
  const { config, system, log, undoing, foundation } = opening;
  const { signer, caConfig } = foundation;
  const database = openPool(opening, { role: "suido_app", max: APP_CONNECTIONS });
  const store = openPrisma({
    url: foundation.databaseUrl,
    max: PRISMA_CONNECTIONS,
    onError: (error) => log.warn({ err: error }, "a registry connection broke"),
  });
  undoing.add(() => store.close());
  const bundler: Bundler = createBundler();
  undoing.add(() => bundler.close());
  const registry = { ...system, store };
  const chainOf = createChainOf(database);
  const certificates = createCertificates({ ...system, database, chainOf });
  return {
    corporations: createCorporations(registry),
    pharmacies: createPharmacies(registry),
    accounts: createAccounts(registry),
    memberships: createMemberships(registry),
    devices: createDevices(registry),
    certificates,
    issuance: createIssuance({
      ...system,
      database,
      signer,
      certificates,
      chainOf,
      bundler,
      profiles: caConfig.profiles,
      trustDomain: config.trustDomain,
      timeZone: config.timeZone,
    }),
    revocation: createRevocation({ ...system, database, signer, certificates }),
    deviceStatus: createDeviceStatus({ ...system, database, chainOf }),
    apiKeys: createApiKeys({ ...system, database }),
    identify: createIdentify({ ...system, database }),
  };
}
