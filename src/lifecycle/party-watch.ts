import type { Logger } from "pino";
import { Gauge, type Registry } from "prom-client";
import { URGENT_REASONS } from "../ca/list-publishing.ts";
import type { Clock } from "../pki/clock.ts";
import type { Database } from "../storage/database.ts";
import { type OperatorMail, planOperatorMail } from "./operator-mail.ts";

export interface PartyWatchDeps {
  /** As suido_worker. */
  readonly database: Database;
  readonly operator: OperatorMail | undefined;
  readonly metrics: Registry;
  readonly clock: Clock;
  readonly log: Pick<Logger, "info" | "warn">;
}

/**
 * `went-back`: it acknowledged an older list than before. `urgent`: it lacks a list that knows of a revocation or hold
 * that does not wait. `old`: it lacks a newer list.
 */
const LAGS = ["went-back", "urgent", "old"] as const;
export type Lag = (typeof LAGS)[number];

/** A relying party that has not acknowledged what it should have in force by now. */
export interface LaggingParty {
  readonly id: string;
  readonly name: string;
  readonly issuerId: string;
  /** When the first list that it does not have was published; or when it went back. */
  readonly since: Date;
  readonly why: Lag;
}

/** Looks after the relying parties that read lists from files. */
export interface PartyWatch {
  /** Updates the metrics, and tells log and operators once for each time that a party falls behind. Safe to repeat. */
  look(): Promise<readonly LaggingParty[]>;
}

const MINUTE_MS = 60_000;

/** A list is up to a minute on its way to `suido gate`, and a proxy reloads once a minute at most. */
const URGENT_PATIENCE_MS = 5 * MINUTE_MS;

/** Three hourly lists. */
const PATIENCE_MS = 180 * MINUTE_MS;

interface Row {
  readonly id: string;
  readonly name: string;
  readonly last_seen_at: Date | null;
  /** Null for a party without files, and while it has the newest list of every CA. */
  readonly issuer_id: string | null;
  readonly since: Date | null;
  readonly urgent_since: Date | null;
  readonly went_back_at: Date | null;
}

/**
 * Each party, with each CA of which it lacks a list. `since`: the first list after the one in force there; of a party
 * that never acknowledged one, not before it was registered. `urgent_since`: the first list that knows of the first
 * urgent change that the one in force there does not know. While Suido itself has made no such list, nobody lags: the
 * age of our own lists has an alarm of its own.
 */
const PARTIES = `
  select p.id, p.name, p.last_seen_at, lack.issuer_id, lack.since, lack.urgent_since, lack.went_back_at
  from party.relying_party p
  left join lateral (
    select i.id as issuer_id, greatest(n.signed_at, case when a.number is null then p.created_at end) as since,
      u.signed_at as urgent_since, case when not a.rising then a.at end as went_back_at
    from ca.issuer i
    left join party.acknowledged_list a on a.relying_party_id = p.id and a.issuer_id = i.id and a.current
    cross join lateral (
      select l.signed_at from ca.list l where l.issuer_id = i.id and l.scope = 'full' and l.number > coalesce(a.number, 0)
      order by l.number limit 1
    ) n
    left join lateral (
      select c.seq from ca.change c join ca.issued s on s.serial = c.serial
      where c.seq > a.watermark and c.reason = any($1::smallint[]) and s.issuer_id = i.id
      order by c.seq limit 1
    ) missed on true
    left join lateral (
      select l.signed_at from ca.list l
      where l.issuer_id = i.id and l.scope = 'full' and l.number > a.number and l.watermark >= missed.seq
      order by l.number limit 1
    ) u on true
    where i.state <> 'ended' and 'file' = any(p.uses)
  ) lack on true
  where p.retired_at is null
  order by p.name, lack.issuer_id`;

/** What a party is waited for at one CA, with how long. */
function lagsOf({
  since,
  urgent_since,
  went_back_at,
}: Row): readonly (readonly [Lag, Date | null, number])[] {
  return [
    ["went-back", went_back_at, 0],
    ["urgent", urgent_since, URGENT_PATIENCE_MS],
    ["old", since, PATIENCE_MS],
  ];
}

/** The worst of what a party lacks beyond what is patiently waited for, the longest first; or nothing. */
function lagOf(rows: readonly Row[], now: Date): LaggingParty | undefined {
  const found = rows.flatMap((row) => {
    const { id, issuer_id: issuerId, name } = row;
    if (issuerId === null) return [];
    return lagsOf(row).flatMap(([why, since, patienceMs]) =>
      since !== null && now.getTime() - since.getTime() >= patienceMs
        ? [{ id, name, issuerId, since, why }]
        : [],
    );
  });
  return found.toSorted(
    (a, b) => LAGS.indexOf(a.why) - LAGS.indexOf(b.why) || a.since.getTime() - b.since.getTime(),
  )[0];
}

function registerGauges(metrics: Registry) {
  const registers = [metrics];
  const labelNames = ["party"];
  return {
    lag: new Gauge({
      name: "suido_party_lag_seconds",
      help: "Since the first list was published that a relying party has not acknowledged; 0 where it has the newest",
      labelNames,
      registers,
    }),
    seen: new Gauge({
      name: "suido_party_last_seen_seconds",
      help: "Unix time at which a relying party was heard of last",
      labelNames,
      registers,
    }),
    lagging: new Gauge({
      name: "suido_parties_lagging",
      help: "Relying parties that lag beyond what is patiently waited for",
      registers,
    }),
  };
}

export function createPartyWatch(deps: PartyWatchDeps): PartyWatch {
  const { clock, database, log, metrics, operator } = deps;
  const gauges = registerGauges(metrics);
  /** Those that lag, from the look that found it to the one that does not any more. */
  const episodes = new Map<string, LaggingParty>();

  const begin = async (party: LaggingParty, now: Date): Promise<void> => {
    if (operator !== undefined) {
      const { id, issuerId, name, since, why } = party;
      await planOperatorMail(database, operator, {
        // The same for every worker, and after a restart.
        key: `lagging:${id}:${issuerId}:${since.toISOString()}`,
        about: `relying-party/${id}`,
        facts: { topic: "lagging", party: name, since: since.toISOString(), why },
        now,
      });
    }
    log.warn({ ...party }, "a relying party lags behind");
    episodes.set(party.id, party);
  };

  return {
    look: async () => {
      const now = clock();
      const rows = await database.query<Row>(PARTIES, [URGENT_REASONS], "parties-behind");
      const parties = Map.groupBy(rows, ({ id }) => id);
      showParties(gauges, parties, now);
      const lagging = [...parties.values()]
        .map((each) => lagOf(each, now))
        .filter((each) => each !== undefined);
      gauges.lagging.set(lagging.length);
      for (const party of lagging) if (!episodes.has(party.id)) await begin(party, now);
      for (const [id, { name }] of episodes) {
        if (lagging.some((party) => party.id === id)) continue;
        log.info({ id, name }, "a relying party has caught up");
        episodes.delete(id);
      }
      return lagging;
    },
  };
}

function showParties(
  { lag, seen }: Pick<ReturnType<typeof registerGauges>, "lag" | "seen">,
  parties: ReadonlyMap<string, readonly Row[]>,
  now: Date,
): void {
  lag.reset();
  seen.reset();
  for (const rows of parties.values()) {
    const party = rows[0]?.name ?? "";
    const ages = rows.map(({ since }) => (since === null ? 0 : now.getTime() - since.getTime()));
    lag.set({ party }, Math.max(0, ...ages) / 1000);
    const at = rows[0]?.last_seen_at?.getTime();
    if (at !== undefined) seen.set({ party }, at / 1000);
  }
}

/** How long it can be asked what a party had in force, and who would have been refused. */
const REMEMBERED_MS = 400 * 86_400_000;

/** Forgets acknowledgements that are over, and refusals, after 400 days. What is in force is never forgotten. */
export async function forgetAcknowledgements(database: Database, now: Date): Promise<void> {
  const before = new Date(now.getTime() - REMEMBERED_MS);
  await database.query("delete from party.acknowledged_list where not current and at < $1", [
    before,
  ]);
  await database.query("delete from party.refusal where last_at < $1", [before]);
}
