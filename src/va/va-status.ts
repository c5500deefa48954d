import { type OcspCounts, sumOfCounts } from "./ocsp-counts.ts";

/** When a delegate answers for an issuer. */
export interface DelegateStatus {
  readonly id: string;
  readonly delegateFrom: Date | undefined;
  readonly delegateUntil: Date | undefined;
}

/** A list that is given out. */
export interface ListStatus {
  readonly issuerId: string;
  readonly scope: string;
  readonly number: bigint;
  readonly thisUpdate: Date;
  readonly nextUpdate: Date;
}

/** What a VA says of itself: of one process, or of several that share a port, the worst of each. */
export interface VaStatus {
  readonly ready: boolean;
  /** Why not; of several processes with the one that says so. */
  readonly reasons: readonly string[];
  readonly processes: { readonly count: number; readonly ready: number };
  readonly certificates: number;
  readonly knownAt: Date | undefined;
  /** Memory of the status, in octets. */
  readonly statusOctets: number;
  readonly cachedAnswers: number;
  readonly answers: OcspCounts;
  readonly issuers: readonly DelegateStatus[];
  readonly lists: readonly ListStatus[];
}

/** What is known of a further process. */
export interface ProcessState {
  readonly number: number;
  /** What it said last; undefined before it said anything. */
  readonly status: VaStatus | undefined;
  /** Why nothing is to be expected of it now. */
  readonly fault: string | undefined;
  /** What processes answered that had this number before it. */
  readonly answeredBefore: OcspCounts;
}

function reasonsOf({ fault, number, status }: ProcessState): readonly string[] {
  const reasons = fault === undefined ? (status?.reasons ?? []) : [fault];
  return reasons.map((reason) => `process ${number}: ${reason}`);
}

/** The earliest of dates; missing where one is. */
function oldest(dates: readonly (Date | undefined)[]): Date | undefined {
  return dates.reduce((a, b) => {
    if (a === undefined || b === undefined) return undefined;
    return b < a ? b : a;
  });
}

/** The delegate that ends first: whoever watches ends is to hear of it. */
function soonest(id: string, all: readonly VaStatus[]): DelegateStatus {
  const none = { id, delegateFrom: undefined, delegateUntil: undefined };
  return all
    .flatMap(({ issuers }) => issuers.filter((issuer) => issuer.id === id))
    .reduce<DelegateStatus>((a, b) => {
      if (b.delegateUntil === undefined) return a;
      return a.delegateUntil === undefined || b.delegateUntil < a.delegateUntil ? b : a;
    }, none);
}

/** The oldest of a list's generations that are given out. */
function laggard(list: ListStatus, all: readonly VaStatus[]): ListStatus {
  return all
    .flatMap(({ lists }) => lists.filter((other) => sameList(other, list)))
    .reduce((a, b) => (b.number < a.number ? b : a), list);
}

const sameList = (a: ListStatus, b: ListStatus): boolean =>
  a.issuerId === b.issuerId && a.scope === b.scope;

const sum = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0);

/** What all processes that share a port are together. Alone, the first says what it says. */
export function combineStatus(first: VaStatus, others: readonly ProcessState[]): VaStatus {
  if (others.length === 0) return first;
  const heard = others.flatMap(({ status }) => (status === undefined ? [] : [status]));
  const all = [first, ...heard];
  const reasons = [...first.reasons, ...others.flatMap(reasonsOf)];
  const readyOthers = others.filter((other) => reasonsOf(other).length === 0).length;
  return {
    ready: reasons.length === 0,
    reasons,
    processes: { count: 1 + others.length, ready: readyOthers + (first.ready ? 1 : 0) },
    certificates: Math.min(...all.map(({ certificates }) => certificates)),
    knownAt: oldest(all.map(({ knownAt }) => knownAt)),
    statusOctets: sum(all.map(({ statusOctets }) => statusOctets)),
    cachedAnswers: sum(all.map(({ cachedAnswers }) => cachedAnswers)),
    answers: sumOfCounts([
      ...all.map(({ answers }) => answers),
      ...others.map(({ answeredBefore }) => answeredBefore),
    ]),
    issuers: first.issuers.map(({ id }) => soonest(id, all)),
    lists: first.lists.map((list) => laggard(list, all)),
  };
}
