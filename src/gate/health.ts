import type { Placed } from "./folder.ts";
import type { InForce } from "./in-force.ts";
import type { ListFacts } from "./manifest.ts";

/** What went wrong the last time that it was tried. */
export interface Fault {
  readonly code: string;
  readonly message: string;
  readonly at: Date;
}

/** What a gate knows of itself. */
export interface Known {
  /** What the proxy's files are now. */
  readonly placed: Placed | undefined;
  /** What the proxy works with: the same, unless its reload failed or is due. */
  readonly inForce: (InForce & { readonly lists: readonly ListFacts[] }) | undefined;
  /** When Suido last answered with something good, or with "nothing new". */
  readonly lastContact?: Date;
  /** The latest fault that was not mended since. */
  readonly lastError?: Fault;
  readonly acknowledgedAt?: Date;
}

export interface ListHealth extends ListFacts {
  readonly ageSeconds: number;
  /** How much of the list's life is over: 1 and more when it has ended, and then the proxy refuses everybody. */
  readonly lifeUsed: number;
}

/** The content of the health file. */
export interface Health {
  readonly ok: boolean;
  /** Why it is not; one sentence each. */
  readonly findings: readonly string[];
  readonly at: Date;
  readonly generation: number | undefined;
  readonly inForce: InForce | undefined;
  readonly lists: readonly ListHealth[];
  readonly lastContact: Date | undefined;
  readonly acknowledgedAt: Date | undefined;
  readonly lastError: Fault | undefined;
}

/** A generation waits for its reload for a minute at most; what waits longer has failed to be reloaded. */
const RELOAD_GRACE_MS = 180_000;

const secondsSince = (then: Date, now: Date): number =>
  Math.floor((now.getTime() - then.getTime()) / 1000);

function healthOf(facts: ListFacts, now: Date): ListHealth {
  const { nextUpdate, thisUpdate } = facts;
  const life = nextUpdate.getTime() - thisUpdate.getTime();
  return {
    ...facts,
    ageSeconds: secondsSince(thisUpdate, now),
    lifeUsed: Number(((now.getTime() - thisUpdate.getTime()) / life).toFixed(4)),
  };
}

function* listFindings(lists: readonly ListHealth[]): Generator<string> {
  for (const { lifeUsed, name, nextUpdate } of lists) {
    const until = nextUpdate.toISOString();
    if (lifeUsed >= 1)
      yield `the list of "${name}" has ended at ${until}: the proxy refuses everybody`;
    else if (lifeUsed > 0.5)
      yield `the list of "${name}" is older than half of its life, which ends at ${until}`;
  }
}

function* forceFindings({ inForce, placed }: Known, now: Date): Generator<string> {
  if (placed === undefined || inForce === undefined) yield "nothing is in force yet";
  else if (inForce.generation !== placed.generation) {
    const waited = now.getTime() - placed.manifest.at.getTime();
    if (waited > RELOAD_GRACE_MS)
      yield `generation ${placed.generation} is in place, and the proxy still works with ${inForce.generation}`;
  }
}

function* contactFindings(
  { lastContact }: Known,
  now: Date,
  maxAgeSeconds: number | undefined,
): Generator<string> {
  if (maxAgeSeconds === undefined) return;
  if (lastContact === undefined) yield "Suido has not been heard yet";
  else if (secondsSince(lastContact, now) > maxAgeSeconds)
    yield `Suido was last heard at ${lastContact.toISOString()}`;
}

/**
 * How fresh is what the proxy works with. Not fine: nothing in force, a list older than half of its life or ended, a
 * generation that the proxy did not take over for three minutes, or no contact for longer than `maxAgeSeconds`.
 */
export function judgeHealth(known: Known, now: Date, maxAgeSeconds?: number): Health {
  const { acknowledgedAt, inForce, lastContact, lastError, placed } = known;
  const lists = (inForce?.lists ?? []).map((facts) => healthOf(facts, now));
  const findings = [
    ...forceFindings(known, now),
    ...listFindings(lists),
    ...contactFindings(known, now, maxAgeSeconds),
  ];
  return {
    ok: findings.length === 0,
    findings,
    at: now,
    generation: placed?.generation,
    inForce:
      inForce === undefined
        ? undefined
        : { generation: inForce.generation, since: inForce.since, by: inForce.by },
    lists,
    lastContact,
    acknowledgedAt,
    lastError,
  };
}
