import { describe, expect, it } from "vitest";

import type { Role } from "../../../src/registry/principal.ts";
import { allows, demand, type Permission } from "../../../src/staff/roles.ts";

const MAY = {
  admin: [
    "registry:read",
    "registry:write",
    "certificates:read",
    "certificates:issue",
    "certificates:replace",
    "certificates:revoke",
    "certificates:unhold",
    "status:read",
    "audit:read",
    "events:read",
    "metrics:read",
    "keys:manage",
  ],
  operator: [
    "registry:read",
    "registry:write",
    "certificates:read",
    "certificates:issue",
    "certificates:replace",
    "certificates:revoke",
    "certificates:unhold",
    "status:read",
    "events:read",
    "metrics:read",
  ],
  support: [
    "registry:read",
    "certificates:read",
    "certificates:replace",
    "certificates:revoke",
    "status:read",
  ],
  auditor: [
    "registry:read",
    "certificates:read",
    "status:read",
    "audit:read",
    "events:read",
    "metrics:read",
  ],
  product: ["certificates:read", "status:read", "events:read"],
  proxy: ["status:read"],
} as const satisfies Record<Role, readonly Permission[]>;

const ROLES = Object.keys(MAY) as Role[];
const PERMISSIONS: readonly Permission[] = MAY.admin;

describe("roles", () => {
  it.for(ROLES)("%s may do what the table says, and nothing else", (role) => {
    expect(PERMISSIONS.filter((permission) => allows(role, permission))).toEqual(MAY[role]);
  });

  it("lets a principal through, or says which permission its role lacks", () => {
    const proxy = { id: "1", actor: "api-key:1", role: "proxy" } as const;
    expect(() => demand(proxy, "status:read")).not.toThrow();
    expect(() => demand(proxy, "registry:read")).toThrow(
      expect.objectContaining({
        code: "forbidden",
        message: "the role proxy lacks the permission registry:read",
      }),
    );
  });
});
