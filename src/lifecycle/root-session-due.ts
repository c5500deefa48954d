import { Gauge, type Registry } from "prom-client";
import type { Sql } from "../storage/sql.ts";

/** What of a root's only a root session renews, and for how long it is good. */
interface OfRoot {
  readonly what: string;
  readonly from: Date;
  readonly until: Date;
}

/** Knows what is no job's but two people's: the list and the OCSP delegate of a root whose key is away. */
export interface RootSessionDue {
  /** The root whose session renews this, or undefined. */
  rootOf(what: string): string | undefined;
  /** Sets the metric. */
  show(watched: readonly OfRoot[]): void;
}

/** Half of its life is when a root session is due: the other half is for finding a day on which everybody can come. */
export const halfLife = ({ from, until }: Pick<OfRoot, "from" | "until">): number =>
  (until.getTime() - from.getTime()) / 2;

/** Registers the metric. What it returns reads, each time anew, which roots' keys are away. */
export function registerRootSessionDue(registry: Registry): (sql: Sql) => Promise<RootSessionDue> {
  const gauge = new Gauge({
    name: "suido_root_session_due_seconds",
    help: "Unix time from which a root session is due: half the life of the root's list or OCSP delegate",
    labelNames: ["issuer"],
    registers: [registry],
  });
  return async (sql) => {
    const rows = await sql.query<{ id: string }>(
      "select id from ca.issuer where kind = 'root' and is_key_away and state <> 'ended'",
    );
    const roots = new Map(
      rows.flatMap(({ id }) => [`list ${id}`, `delegate ${id}`].map((what) => [what, id] as const)),
    );
    return {
      rootOf: (what) => roots.get(what),
      show: (watched) => {
        gauge.reset();
        const due = new Map<string, number>();
        for (const each of watched) {
          const root = roots.get(each.what);
          const at = (each.until.getTime() - halfLife(each)) / 1000;
          if (root !== undefined) due.set(root, Math.min(at, due.get(root) ?? Infinity));
        }
        for (const [issuer, at] of due) gauge.set({ issuer }, at);
      },
    };
  };
}
