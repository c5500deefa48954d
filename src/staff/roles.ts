import type { Principal, Role } from "../registry/principal.ts";
import { ForbiddenError } from "./errors.ts";

/** Something that one must be allowed to do. */
export type Permission = keyof typeof ROLES_OF;

/**
 * Who may do what. A role that is not named may not. Products and proxies are programs outside of the company's own
 * staff; they read what they need for a request, and nothing of people.
 */
const ROLES_OF = {
  "registry:read": ["admin", "operator", "support", "auditor"],
  "registry:write": ["admin", "operator"],
  "certificates:read": ["admin", "operator", "support", "auditor", "product"],
  "certificates:issue": ["admin", "operator"],
  /** Renew and reissue: a new certificate for a binding that is there. */
  "certificates:replace": ["admin", "operator", "support"],
  /** A product only for the corporation that its key is bound to: the answer is a door for one device. */
  "certificates:check": ["admin", "operator", "support", "product"],
  "certificates:revoke": ["admin", "operator", "support"],
  /** Releasing a hold gives access back, so it takes more than taking access away. */
  "certificates:unhold": ["admin", "operator"],
  "status:read": ["admin", "operator", "support", "auditor", "product", "proxy"],
  /** Only the proxies themselves: the answer says who stands behind a certificate of any corporation. */
  authorize: ["proxy"],
  "audit:read": ["admin", "auditor"],
  "events:read": ["admin", "operator", "auditor", "product"],
  "metrics:read": ["admin", "operator", "auditor"],
  "keys:manage": ["admin"],
  "parties:read": ["admin", "operator", "support", "auditor"],
  "parties:write": ["admin", "operator"],
  /** Only of a key that is bound to a relying party. */
  "parties:acknowledge": ["proxy"],
  "stages:read": ["admin", "operator", "support", "auditor", "product"],
  "stages:write": ["admin", "operator"],
  "bulk:read": ["admin", "operator", "support", "auditor"],
  "bulk:write": ["admin", "operator"],
  "enrolments:read": ["admin", "operator", "support", "auditor"],
  "enrolments:write": ["admin", "operator", "support"],
  /** Saying that it was the person. */
  "enrolments:confirm": ["admin", "operator", "support"],
  /** What leads to a certificate in the caller's own hands, and so only of those who may issue one anyway. */
  "enrolments:code": ["admin", "operator"],
  "enrolments:link": ["admin"],
  /** Of what kind and since when: never what they are. */
  "factors:read": ["admin", "operator", "support", "auditor"],
  /** Inviting an identified person to add one, and removing one: neither is a factor in the caller's hands. */
  "factors:write": ["admin", "operator", "support"],
  /** To whom mails went, and what became of them. */
  "mails:read": ["admin", "operator", "support", "auditor"],
  /** Saying that a mail came back. */
  "mails:return": ["admin", "operator"],
  "tasks:read": ["admin", "operator", "support", "auditor"],
  "tasks:write": ["admin", "operator", "support"],
} as const satisfies Record<string, readonly Role[]>;

/** Whether a role may do this. */
export function allows(role: Role, permission: Permission): boolean {
  const roles: readonly Role[] = ROLES_OF[permission];
  return roles.includes(role);
}

/** Throws ForbiddenError unless the principal may do this. */
export function demand(principal: Principal, permission: Permission): void {
  if (!allows(principal.role, permission)) {
    throw new ForbiddenError(`the role ${principal.role} lacks the permission ${permission}`);
  }
}
