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
    "parties:read",
    "parties:write",
    "stages:read",
    "stages:write",
    "enrolments:read",
    "enrolments:write",
    "enrolments:confirm",
    "enrolments:code",
    "enrolments:link",
    "factors:read",
    "factors:write",
    "mails:read",
    "mails:return",
    "tasks:read",
    "tasks:write",
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
    "parties:read",
    "parties:write",
    "stages:read",
    "stages:write",
    "enrolments:read",
    "enrolments:write",
    "enrolments:confirm",
    "enrolments:code",
    "factors:read",
    "factors:write",
    "mails:read",
    "mails:return",
    "tasks:read",
    "tasks:write",
  ],
  support: [
    "registry:read",
    "certificates:read",
    "certificates:replace",
    "certificates:revoke",
    "status:read",
    "parties:read",
    "stages:read",
    "enrolments:read",
    "enrolments:write",
    "enrolments:confirm",
    "factors:read",
    "factors:write",
    "mails:read",
    "tasks:read",
    "tasks:write",
  ],
  auditor: [
    "registry:read",
    "certificates:read",
    "status:read",
    "audit:read",
    "events:read",
    "metrics:read",
    "parties:read",
    "stages:read",
    "enrolments:read",
    "factors:read",
    "mails:read",
    "tasks:read",
  ],
  product: ["certificates:read", "status:read", "events:read", "stages:read"],
  proxy: ["status:read", "parties:acknowledge", "authorize"],
} as const satisfies Record<Role, readonly Permission[]>;

const ROLES = Object.keys(MAY) as Role[];
/** An admin may do all of it, but for what only a proxy does. */
const PERMISSIONS: readonly Permission[] = [...MAY.admin, "parties:acknowledge", "authorize"];

describe("roles", () => {
  it.for(ROLES)("%s may do what the table says, and nothing else", (role) => {
    const wanted: readonly string[] = MAY[role];
    expect(new Set(PERMISSIONS.filter((permission) => allows(role, permission)))).toEqual(
      new Set(wanted),
    );
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
