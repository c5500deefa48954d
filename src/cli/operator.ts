import { userInfo } from "node:os";

import type { Principal } from "../registry/principal.ts";

/** Whoever may run commands on the machine and open the database: the audit log names the machine's account. */
export function operatorAtTheMachine(): Principal {
  return { id: "cli", actor: `cli:${userInfo().username}`, role: "admin" };
}
