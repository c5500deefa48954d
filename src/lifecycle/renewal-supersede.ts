import { Counter, Gauge, type Registry } from "prom-client";

import { serialOf } from "../ca/certificate-record.ts";
import type { Supersede } from "../ca/supersession.ts";
import type { Clock } from "../pki/clock.ts";
import type { Database } from "../storage/database.ts";

export interface SupersedingDeps {
  /** As suido_worker. */
  readonly database: Database;
  readonly supersede: Supersede;
  /** How long an old certificate works on after its successor's proof, at the latest, in days. */
  readonly overlapDays: number;
  readonly metrics: Registry;
  readonly clock: Clock;
}

/**
 * Revokes certificates whose successor is proven: after a day in which products have seen the new one and not the old one,
 * at the latest after the overlap. Returns how many; safe to repeat, and on several machines at once.
 */
export type SupersedeOld = (signal: AbortSignal) => Promise<number>;

/** So many are looked for at once. */
const AT_ONCE = 200;

interface DueRow {
  readonly serial: Uint8Array;
  readonly successor: Uint8Array;
}

function registerWaiting(registry: Registry, database: Database): void {
  const waiting = new Gauge({
    name: "suido_supersessions_waiting",
    help: "Certificates whose successor is proven and that have not been superseded yet",
    registers: [registry],
    async collect() {
      // With the database away there is no figure, and the other metrics are still given.
      const [row] = await database
        .query<{ count: string }>("select count(*) from ca.supersession")
        .catch(() => []);
      if (row === undefined) waiting.reset();
      else waiting.set(Number(row.count));
    },
  });
}

export function createSupersedeOld(deps: SupersedingDeps): SupersedeOld {
  const { clock, database, metrics, overlapDays, supersede } = deps;
  registerWaiting(metrics, database);
  const superseded = new Counter({
    name: "suido_superseded_total",
    help: "Certificates that were revoked because their successor is in use",
    registers: [metrics],
  });
  const supersedeSome = async (): Promise<number> => {
    const rows = await database.query<DueRow>(
      "select * from ca.supersessions_due($1, make_interval(hours => 24 * $2::integer), $3)",
      [clock(), overlapDays, AT_ONCE],
    );
    let done = 0;
    for (const row of rows) {
      // Each in a commit of its own. Where somebody stops either at the same time, that one is right.
      const [old, successor] = [serialOf(row.serial), serialOf(row.successor)];
      if (await supersede({ old, successor, actor: "worker" })) done++;
    }
    superseded.inc(done);
    return done;
  };
  return async (signal) => {
    let total = 0;
    let count: number;
    do {
      count = await supersedeSome();
      total += count;
    } while (count > 0 && !signal.aborted);
    await database.query("select ca.forget_supersessions($1)", [clock()]);
    return total;
  };
}
