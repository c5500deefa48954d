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

/** Roots whose key is away, and since when a revocation, of an issuing CA, waits for their list. */
const AWAY = `select root.id, (
    select min(change.at) from ca.list join ca.issued on issued.issuer_id = root.id and issued.state = 'revoked'
    join ca.change on change.serial = issued.serial and change.seq > list.watermark
    where list.issuer_id = root.id and list.scope = 'full' and list.current
  ) as waiting_since
  from ca.issuer root where root.kind = 'root' and root.is_key_away and root.state <> 'ended'`;

interface AwayRow {
  readonly id: string;
  readonly waiting_since: Date | null;
}

/** Registers the metric. What it returns reads, each time anew, which roots' keys are away. */
export function registerRootSessionDue(registry: Registry): (sql: Sql) => Promise<RootSessionDue> {
  const gauge = new Gauge({
    name: "suido_root_session_due_seconds",
    help: "Unix time from which a root session is due: half the life of the root's list or OCSP delegate, or at once for a CA's revocation",
    labelNames: ["issuer"],
    registers: [registry],
  });
  return async (sql) => {
    const rows = await sql.query<AwayRow>(AWAY);
    const roots = new Map(
      rows.flatMap(({ id }) => [`list ${id}`, `delegate ${id}`].map((what) => [what, id] as const)),
    );
    return {
      rootOf: (what) => roots.get(what),
      show: (watched) => {
        gauge.reset();
        for (const { id: issuer, waiting_since: since } of rows) {
          const ofRoot = watched.filter(({ what }) => roots.get(what) === issuer);
          const halves = ofRoot.map((each) => each.until.getTime() - halfLife(each));
          const due = Math.min(...halves, since?.getTime() ?? Infinity);
          if (due < Infinity) gauge.set({ issuer }, due / 1000);
        }
      },
    };
  };
}
