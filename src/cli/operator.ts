import { userInfo } from "node:os";

import type { Principal } from "../registry/principal.ts";

/** The account's name; its number where nobody has named it, as for a container's arbitrary user. */
function accountName(): string {
  try {
    return userInfo().username;
  } catch {
    return `uid-${process.getuid?.() ?? "unknown"}`;
  }
}

/** Whoever may run commands on the machine and open the database: the audit log names the machine's account. */
export function operatorAtTheMachine(): Principal {
  return { id: "cli", actor: `cli:${accountName()}`, role: "admin" };
}
