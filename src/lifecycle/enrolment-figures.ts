import type { Clock } from "../pki/clock.ts";
import { InvalidValueError } from "../registry/errors.ts";
import type { Principal } from "../registry/principal.ts";
import type { Database } from "../storage/database.ts";

/** Seconds in which half of the people and nine of ten were done. */
export interface Quantiles {
  readonly p50: number;
  readonly p90: number;
}

/** What became of the enrolments that were begun on devices of one platform. */
export interface PlatformFigures {
  readonly platform: string;
  readonly begun: number;
  readonly proven: number;
  /** Proven with the first file, in its first form, at the first check. */
  readonly firstTry: number;
  /** Over without a proof. */
  readonly dropped: number;
  /** Certificates that were made: the first of each enrolment, and those that took its place. */
  readonly certificates: number;
  readonly otherStyle: number;
  /** From 「はじめる」 to the proof. */
  readonly openingToProof?: Quantiles;
  /** From the proof to the first request that a product let in. */
  readonly proofToUse?: Quantiles;
  /** Enrolments with a check that was no proof, by what was shown instead. */
  readonly failedChecks: Readonly<Record<string, number>>;
  /** Where those that were dropped were seen last. */
  readonly droppedAt: Readonly<Record<string, number>>;
  /** How often each screen was seen. */
  readonly steps: Readonly<Record<string, number>>;
}

export interface EnrolmentFigures {
  readonly from: Date;
  readonly to: Date;
  readonly platforms: readonly PlatformFigures[];
}

/** The time in which enrolments were begun; by default the last 30 days. */
export interface FiguresWindow {
  readonly from?: Date;
  readonly to?: Date;
}

/** Counts, of the tenants that the principal sees. Throws InvalidValueError for a window that is none, or too long. */
export type CountEnrolments = (
  principal: Principal,
  window: FiguresWindow,
) => Promise<EnrolmentFigures>;

const DAY_MS = 86_400_000;
const USUAL_MS = 30 * DAY_MS;
/** A year and its leap day: what is counted is counted at each question. */
const LONGEST_MS = 366 * DAY_MS;

interface Row {
  readonly platform: string;
  readonly begun: number;
  readonly proven: number;
  readonly first_try: number;
  readonly dropped: number;
  readonly certificates: number;
  readonly other_style: number;
  readonly proof_p50: number | null;
  readonly proof_p90: number | null;
  readonly use_p50: number | null;
  readonly use_p90: number | null;
  readonly failed: Readonly<Record<string, number>>;
  readonly dropped_at: Readonly<Record<string, number>>;
  readonly steps: Readonly<Record<string, number>>;
}

const quantiles = (p50: number | null, p90: number | null): Quantiles | undefined =>
  p50 === null || p90 === null ? undefined : { p50, p90 };

function figuresOf(row: Row): PlatformFigures {
  const openingToProof = quantiles(row.proof_p50, row.proof_p90);
  const proofToUse = quantiles(row.use_p50, row.use_p90);
  return {
    platform: row.platform,
    begun: row.begun,
    proven: row.proven,
    firstTry: row.first_try,
    dropped: row.dropped,
    certificates: row.certificates,
    otherStyle: row.other_style,
    ...(openingToProof !== undefined && { openingToProof }),
    ...(proofToUse !== undefined && { proofToUse }),
    failedChecks: row.failed,
    droppedAt: row.dropped_at,
    steps: row.steps,
  };
}

function windowOf(
  { from, to }: FiguresWindow,
  now: Date,
): { readonly from: Date; readonly to: Date } {
  const end = to ?? now;
  const start = from ?? new Date(end.getTime() - USUAL_MS);
  if (start >= end) throw new InvalidValueError("from", "must be before the end");
  if (end.getTime() - start.getTime() > LONGEST_MS)
    throw new InvalidValueError("from", "must be at most 366 days before the end");
  return { from: start, to: end };
}

export function createCountEnrolments({
  database,
  clock,
}: {
  /** As suido_app. */
  readonly database: Database;
  readonly clock: Clock;
}): CountEnrolments {
  return async ({ corporationId }, wanted) => {
    const window = windowOf(wanted, clock());
    const values = [window.from, window.to];
    const rows =
      corporationId === undefined
        ? await database.query<{ row: Row }>(
            "select f as row from app.staff_platform_figures($1, $2) f",
            values,
            "enrolment-figures-of-all",
          )
        : await database.tenant(corporationId, (sql) =>
            sql.query<{ row: Row }>(
              "select to_jsonb(f) as row from app.platform_figures($1, $2) f",
              values,
              "enrolment-figures",
            ),
          );
    return { ...window, platforms: rows.map(({ row }) => figuresOf(row)) };
  };
}
