import { UsageError } from "./command.ts";

export const ROLES = ["va", "app", "mtls", "worker", "signer"] as const;

/** A part of Suido that can run in a process of its own. */
export type Role = (typeof ROLES)[number];

export type Roles = ReadonlySet<Role>;

/** Whether these are all of Suido, so that no other process takes part. */
export const isWhole = (roles: Roles): boolean => roles.size === ROLES.length;

/** The roles of `--role`, given several times or with commas; all of them where it is not given. Throws UsageError. */
export function parseRoles(given: readonly string[] | undefined): Roles {
  if (given === undefined) return new Set(ROLES);
  return new Set(
    given
      .flatMap((text) => text.split(","))
      .map((text) => {
        const role = ROLES.find((known) => known === text.trim());
        if (role === undefined)
          throw new UsageError(`--role is one or more of ${ROLES.join(", ")}`);
        return role;
      }),
  );
}

/** The part of a data folder that a role locks. */
export const rolePart = (role: Role): string => `role-${role}`;
