import type { Registry } from "prom-client";

import type { Clock } from "../pki/clock.ts";
import type { Verify } from "../pki/crypto.ts";
import type { Database } from "../storage/database.ts";
import { startAuthorizationFeed } from "./authorization-feed.ts";
import { AuthorizeCounts, registerAuthorizeMetrics } from "./authorize-counts.ts";
import { type Authorizer, createAuthorizer } from "./authorizer.ts";
import type { Log } from "./log.ts";
import { startProxyFeed } from "./proxy-feed.ts";
import { startStatusFeed, type StatusFeed } from "./status-feed.ts";
import { startUseLog } from "./use-log.ts";

export interface OpenAuthorizerDeps {
  /** As suido_va. */
  readonly database: Pick<Database, "query" | "transaction">;
  /** That of the VA in this process; where it has none, the status is followed for this alone. */
  readonly status: Pick<StatusFeed, "index" | "known" | "lookUp"> | undefined;
  readonly maxStaleMs: number;
  readonly clock: Clock;
  readonly verify: Verify;
  readonly log: Log;
  readonly registry?: Registry;
}

/** Reads what answers to proxies need, if the database is there, and follows it. */
export async function openAuthorizer(deps: OpenAuthorizerDeps): Promise<Authorizer> {
  const { clock, database, log, maxStaleMs, verify } = deps;
  const own =
    deps.status === undefined
      ? await startStatusFeed({ database, keeps: false, clock, log })
      : undefined;
  const status = deps.status ?? own;
  if (status === undefined) throw new Error("there is no status to go by");
  const facts = await startAuthorizationFeed({ database, clock, log });
  const proxies = await startProxyFeed({ database, clock, log });
  const uses = startUseLog({ database, clock, log });
  const counts = new AuthorizeCounts();
  const authorizer = createAuthorizer({
    status,
    facts,
    proxies,
    uses,
    counts,
    verify,
    clock,
    maxStaleMs,
    close: async () => {
      await Promise.all([facts.close(), proxies.close(), uses.close(), own?.close()]);
    },
  });
  if (deps.registry !== undefined) {
    registerAuthorizeMetrics(deps.registry, {
      counts,
      index: facts.index,
      known: () => authorizer.known(),
      dropped: () => uses.dropped(),
      clock,
    });
  }
  return authorizer;
}
