import { Gauge, type Registry } from "prom-client";
import type { Clock } from "../pki/clock.ts";
import type { Database } from "../storage/database.ts";
import { type OperatorMail, planOperatorMail } from "./operator-mail.ts";
import { halfLife, registerRootSessionDue } from "./root-session-due.ts";

/** Something of Suido's own that ends. */
export interface Ending {
  /** For people and metrics: `issuing-g1`, `list issuing-g1`, `delegate issuing-g1`, `server`. */
  readonly what: string;
  readonly from: Date;
  readonly until: Date;
}

export interface ExpiryWatchDeps {
  /** As suido_worker: our CA certificates and lists are read from it. */
  readonly database: Database;
  /** What the database does not know: OCSP delegates, the mTLS listener's certificate. */
  readonly others: () => Promise<readonly Ending[]>;
  readonly operator: OperatorMail | undefined;
  readonly metrics: Registry;
  readonly clock: Clock;
}

/** Looks after what Suido itself must not let end. */
export interface ExpiryWatch {
  /** Updates the metrics, and tells the operators once a threshold. Returns how many mails were planned; safe to repeat. */
  look(): Promise<number>;
}

const DAY_MS = 86_400_000;

/** The alarms of docs/decisions.md, and a late one for what lives for days only. */
const THRESHOLD_DAYS = [90, 30, 14, 7, 2, 0] as const;

/** An issuing CA's successor is due 13 months and 90 days before its end (docs/decisions.md). */
const SUCCESSOR_MS = (396 + 90) * DAY_MS;

/** Its taking over is, 30 days before certificates would outlive the one at work, which then issues no more. */
const HANDOVER_MS = (396 + 30) * DAY_MS;

interface Watched extends Ending {
  /** How long before the end somebody is told, in milliseconds. */
  readonly marks: readonly number[];
}

/** What is renewed at two thirds of its life is no news before the last third has begun. */
function marksOf({ from, until }: Ending): readonly number[] {
  const life = until.getTime() - from.getTime();
  return THRESHOLD_DAYS.map((days) => days * DAY_MS).filter((mark) => mark * 3 < life);
}

function watchedOf(ending: Ending, early: readonly number[] = []): Watched {
  return { ...ending, marks: [...early, ...marksOf(ending)] };
}

/** What two people renew is due at half of its life. */
const asOfRoot = (each: Watched): Watched => ({
  ...each,
  marks: [...new Set([halfLife(each), ...each.marks])],
});

export function createExpiryWatch(deps: ExpiryWatchDeps): ExpiryWatch {
  const { clock, database, metrics, operator, others } = deps;
  const gauge = new Gauge({
    name: "suido_not_after_seconds",
    help: "Unix time at which something of Suido's own ends",
    labelNames: ["what"],
    registers: [metrics],
  });
  const successor = new Gauge({
    name: "suido_issuer_successor_due",
    help: "1 where an issuing CA needs a successor now and none is announced, or none has taken over in time",
    labelNames: ["issuer"],
    registers: [metrics],
  });
  const readRootSessions = registerRootSessionDue(metrics);
  const tell = async (
    { what, until, marks }: Watched,
    { topic, now }: { readonly topic: "ending" | "root-session"; readonly now: Date },
  ): Promise<number> => {
    const left = Math.max(0, until.getTime() - now.getTime());
    const crossed = marks.filter((mark) => mark >= left);
    if (crossed.length === 0 || operator === undefined) return 0;
    const isNew = await planOperatorMail(database, operator, {
      key: `ending:${what}:${until.toISOString()}:${Math.min(...crossed) / DAY_MS}`,
      about: what,
      facts: { topic, what, notAfter: until.toISOString() },
      now,
    });
    return isNew ? 1 : 0;
  };
  return {
    look: async () => {
      const now = clock();
      const authorities = await readAuthorities(database);
      successor.reset();
      for (const authority of authorities.filter(isAtWork)) {
        const left = authority.until.getTime() - now.getTime();
        successor.set({ issuer: authority.id }, left <= successorMarks(authority)[0] ? 1 : 0);
      }
      const watched = [
        ...authorities.map(watchedAuthority),
        ...(await readLists(database)),
        ...(await others()).map((ending) => watchedOf(ending)),
      ];
      const sessions = await readRootSessions(database);
      sessions.show(watched);
      gauge.reset();
      let told = 0;
      for (const each of watched) {
        gauge.set({ what: each.what }, each.until.getTime() / 1000);
        if (sessions.rootOf(each.what) === undefined)
          told += await tell(each, { topic: "ending", now });
        else told += await tell(asOfRoot(each), { topic: "root-session", now });
      }
      return told;
    },
  };
}

/** A CA of ours that has not ended. */
interface OwnAuthority extends Ending {
  readonly id: string;
  readonly kind: "root" | "issuing";
  readonly state: "announced" | "active" | "retiring";
  /** Whether one is announced that could follow it. */
  readonly hasSuccessor: boolean;
}

interface AuthorityRow extends Pick<OwnAuthority, "id" | "kind" | "state"> {
  readonly created_at: Date;
  readonly not_after: Date;
  readonly has_successor: boolean;
}

async function readAuthorities(database: Database): Promise<readonly OwnAuthority[]> {
  const rows = await database.query<AuthorityRow>(
    `select id, kind, state, created_at, not_after,
       exists (select from ca.issuer next join ca.issued own on own.serial = next.serial and own.state = 'good'
               where next.kind = issuer.kind and next.state = 'announced') as has_successor
     from ca.issuer where state <> 'ended' order by id`,
  );
  return rows.map(({ id, kind, state, created_at: from, not_after: until, has_successor }) => ({
    id,
    kind,
    state,
    what: id,
    from,
    until,
    hasSuccessor: has_successor,
  }));
}

/** The one that issues. */
const isAtWork = ({ kind, state }: OwnAuthority): boolean =>
  kind === "issuing" && state === "active";

/** How long before its end there must be one to follow, and one that has followed. */
const successorMarks = ({ hasSuccessor }: OwnAuthority): readonly [number, ...number[]] =>
  hasSuccessor ? [HANDOVER_MS] : [SUCCESSOR_MS, HANDOVER_MS];

/** Of one that retires nobody is told: its certificates end before it. */
function watchedAuthority(authority: OwnAuthority): Watched {
  if (authority.state === "retiring") return { ...authority, marks: [] };
  return watchedOf(authority, isAtWork(authority) ? successorMarks(authority) : []);
}

interface ListRow {
  readonly issuer_id: string;
  readonly this_update: Date;
  readonly next_update: Date;
}

/** An issuer's lists come together, so the full one speaks for all. Half of its life is an alarm already. */
async function readLists(database: Database): Promise<readonly Watched[]> {
  const rows = await database.query<ListRow>(
    `select l.issuer_id, l.this_update, l.next_update from ca.list l join ca.issuer i on i.id = l.issuer_id
     where l.current and l.scope = 'full' and i.state <> 'ended' order by l.issuer_id`,
  );
  return rows.map(({ issuer_id: id, this_update: from, next_update: until }) => {
    const ending = { what: `list ${id}`, from, until };
    const half = (until.getTime() - from.getTime()) / 2;
    return watchedOf(ending, [half]);
  });
}
