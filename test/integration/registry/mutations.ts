import type { Principal } from "../../../src/registry/principal.ts";
import type { Registry, Tenant } from "./world.ts";

/** One call of everything that changes the registry, with what the log must say of it. */
export interface Mutation {
  readonly action: string;
  readonly run: (registry: Registry, principal: Principal, tenant: Tenant) => Promise<unknown>;
  /** Its subject where the tenant has it already; the result's id where it is new. */
  readonly subject?: (tenant: Tenant) => string;
  readonly deny?: (tenant: Tenant) => string;
}

/** In an order in which each is possible after those before it. */
export const MUTATIONS: readonly Mutation[] = [
  {
    action: "pharmacy.created",
    run: ({ pharmacies }, principal, { corporationId }) =>
      pharmacies.create(principal, { corporationId, name: "新店", code: "002" }),
  },
  {
    action: "account.created",
    run: ({ accounts }, principal, { corporationId }) =>
      accounts.create(principal, {
        corporationId,
        name: "新人",
        identities: [{ issuer: "https://id.example.jp", subject: "new" }],
        externalIds: [{ system: "musubi", value: "new" }],
      }),
  },
  {
    action: "device.created",
    run: ({ devices }, principal, { pharmacyId }) =>
      devices.create(principal, {
        pharmacyId,
        name: "受付2号機",
        platform: "ipados",
        use: "personal",
      }),
  },
  {
    action: "membership.created",
    run: ({ memberships }, principal, { accountId, pharmacyId }) =>
      memberships.create(principal, {
        accountId,
        pharmacyId,
        role: "manager",
        to: new Date("2027-04-01T00:00:00Z"),
      }),
  },
  {
    action: "corporation.updated",
    run: ({ corporations }, principal, { corporationId }) =>
      corporations.update(principal, corporationId, { name: "改名" }),
    subject: ({ corporationId }) => `corporation/${corporationId}`,
  },
  {
    action: "pharmacy.updated",
    run: ({ pharmacies }, principal, { pharmacyId }) =>
      pharmacies.update(principal, pharmacyId, { name: "改名", code: null }),
    subject: ({ pharmacyId }) => `pharmacy/${pharmacyId}`,
  },
  {
    action: "device.updated",
    run: ({ devices }, principal, { deviceId }) =>
      devices.update(principal, deviceId, { name: "改名", use: "personal", platform: "linux" }),
    subject: ({ deviceId }) => `device/${deviceId}`,
  },
  {
    action: "account.updated",
    run: ({ accounts }, principal, { accountId }) =>
      accounts.update(principal, accountId, {
        name: "改名",
        email: null,
        identities: [],
        externalIds: [],
      }),
    subject: ({ accountId }) => `account/${accountId}`,
  },
  {
    action: "account.disabled",
    run: ({ accounts }, principal, { accountId }) =>
      accounts.update(principal, accountId, { disabled: true }),
    subject: ({ accountId }) => `account/${accountId}`,
    deny: ({ accountId }) => `account:${accountId}`,
  },
  {
    action: "account.enabled",
    run: ({ accounts }, principal, { accountId }) =>
      accounts.update(principal, accountId, { disabled: false }),
    subject: ({ accountId }) => `account/${accountId}`,
  },
  {
    action: "membership.updated",
    run: ({ memberships }, principal, { membershipId }) =>
      memberships.update(principal, membershipId, {
        role: "headOffice",
        to: new Date("2027-01-01T00:00:00Z"),
      }),
    subject: ({ membershipId }) => `membership/${membershipId}`,
    deny: ({ membershipId }) => `membership:${membershipId}`,
  },
  {
    action: "membership.ended",
    run: ({ memberships }, principal, { membershipId }) =>
      memberships.remove(principal, membershipId),
    subject: ({ membershipId }) => `membership/${membershipId}`,
    deny: ({ membershipId }) => `membership:${membershipId}`,
  },
  {
    action: "device.deleted",
    run: ({ devices }, principal, { deviceId }) => devices.remove(principal, deviceId),
    subject: ({ deviceId }) => `device/${deviceId}`,
  },
];
