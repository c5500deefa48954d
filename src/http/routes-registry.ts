import type { FastifyInstance } from "fastify";

import type { Accounts } from "../registry/accounts.ts";
import type { Corporations } from "../registry/corporations.ts";
import type { Devices } from "../registry/devices.ts";
import type { Memberships } from "../registry/memberships.ts";
import type { Pharmacies } from "../registry/pharmacies.ts";
import { addCollection } from "./collection.ts";
import { instant } from "./instant.ts";
import * as schemas from "./schemas/registry.ts";

export interface RegistryRoutesOptions {
  readonly corporations: Corporations;
  readonly pharmacies: Pharmacies;
  readonly accounts: Accounts;
  readonly memberships: Memberships;
  readonly devices: Devices;
}

const permissions = { read: "registry:read", write: "registry:write" } as const;

function addMemberships(app: FastifyInstance, memberships: Memberships): void {
  addCollection(app, {
    path: "/memberships",
    one: "a membership",
    tag: "Memberships",
    removal: "It ends now and stays as history; one that has not begun is deleted.",
    permissions,
    schemas: {
      item: schemas.Membership,
      create: schemas.NewMembership,
      change: schemas.MembershipChange,
      query: schemas.MembershipQuery,
    },
    ...memberships,
    create: (principal, { from, to, ...fields }, idempotency) =>
      memberships.create(
        principal,
        {
          ...fields,
          ...(from !== undefined && { from: instant("from", from) }),
          ...(to !== undefined && { to: instant("to", to) }),
        },
        idempotency,
      ),
    update: (principal, id, { to, ...fields }) =>
      memberships.update(principal, id, {
        ...fields,
        ...(to !== undefined && { to: to === null ? null : instant("to", to) }),
      }),
  });
}

/** `/corporations`, `/pharmacies`, `/accounts`, `/memberships`, `/devices`. */
export function registryRoutes(app: FastifyInstance, options: RegistryRoutesOptions): void {
  addCollection(app, {
    path: "/corporations",
    one: "a corporation",
    tag: "Corporations",
    permissions,
    schemas: {
      item: schemas.Corporation,
      create: schemas.NewCorporation,
      change: schemas.CorporationChange,
      query: schemas.CorporationQuery,
    },
    ...options.corporations,
  });
  addCollection(app, {
    path: "/pharmacies",
    one: "a pharmacy",
    tag: "Pharmacies",
    permissions,
    schemas: {
      item: schemas.Pharmacy,
      create: schemas.NewPharmacy,
      change: schemas.PharmacyChange,
      query: schemas.PharmacyQuery,
    },
    ...options.pharmacies,
  });
  addCollection(app, {
    path: "/accounts",
    one: "an account",
    tag: "Accounts",
    permissions,
    schemas: {
      item: schemas.Account,
      create: schemas.NewAccount,
      change: schemas.AccountChange,
      query: schemas.AccountQuery,
    },
    ...options.accounts,
  });
  addMemberships(app, options.memberships);
  addCollection(app, {
    path: "/devices",
    one: "a device",
    tag: "Devices",
    removal:
      "One that ever had a certificate is retired instead, because its certificates name it for ever.",
    permissions,
    schemas: {
      item: schemas.Device,
      create: schemas.NewDevice,
      change: schemas.DeviceChange,
      query: schemas.DeviceQuery,
    },
    ...options.devices,
  });
}
