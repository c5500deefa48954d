import type { Registry } from "prom-client";

import type { Authorizer } from "../va/authorizer.ts";
import { openAuthorizer } from "../va/open-authorizer.ts";
import type { Va } from "../va/va.ts";
import { type Opening, openPool } from "./opening.ts";

/** One statement at a time of each thing that is followed, and one more while they catch up. */
const CONNECTIONS = 3;

/** What answers proxies, for all listeners of this process. */
export async function openProcessAuthorizer(
  opening: Opening,
  { va, metrics }: { readonly va: Va | undefined; readonly metrics: Registry },
): Promise<Authorizer> {
  const { config, system, log, undoing } = opening;
  const authorizer = await openAuthorizer({
    ...system,
    database: openPool(opening, { role: "suido_va", max: CONNECTIONS }),
    status: va?.feed,
    maxStaleMs: config.maxStaleMs,
    log,
    registry: metrics,
  });
  undoing.add(() => authorizer.close());
  return authorizer;
}
