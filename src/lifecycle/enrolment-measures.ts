import { Counter, Histogram, type Registry } from "prom-client";

import type { Clock } from "../pki/clock.ts";
import type { Database } from "../storage/database.ts";

/** From a practised hand to somebody who was called away for the day, in seconds. */
const TO_PROOF = [30, 60, 90, 120, 180, 240, 300, 600, 1200, 3600, 14_400, 86_400];
const TO_USE = [5, 15, 30, 60, 120, 300, 900, 3600, 14_400, 86_400];

const AT_ONCE = 500;

interface Ended {
  readonly platform: string;
  readonly outcome: string;
  readonly to_proof: number | null;
  readonly made: number;
  readonly is_other_style: boolean;
  readonly failed: readonly string[];
  readonly last_step: string;
}

/** Takes what has ended into the metrics of this process, each enrolment once. Safe to repeat, and on several machines. */
export type MeasureEnrolments = (signal: AbortSignal) => Promise<void>;

/** Platforms are eight, steps and reasons come from closed sets: the labels do not grow. */
function register(registry: Registry) {
  const registers = [registry];
  const counter = (name: string, help: string, labelNames: readonly string[]) =>
    new Counter({ name, help, labelNames: [...labelNames], registers });
  const histogram = (name: string, help: string, buckets: number[]) =>
    new Histogram({ name, help, labelNames: ["platform"], buckets, registers });
  return {
    toProof: histogram(
      "suido_enrolment_opening_to_proof_seconds",
      "From 「はじめる」 to the proof, by the device's platform",
      TO_PROOF,
    ),
    toUse: histogram(
      "suido_enrolment_proof_to_use_seconds",
      "From the proof to the first request that a product let in",
      TO_USE,
    ),
    ended: counter("suido_enrolments_ended_total", "Enrolments that somebody had begun, by end", [
      "platform",
      "outcome",
    ]),
    firstTry: counter(
      "suido_enrolments_first_try_total",
      "Proven with the first file, in its first form, at the first check",
      ["platform"],
    ),
    certificates: counter(
      "suido_enrolment_certificates_total",
      "Certificates that were made for them, those that took another's place included",
      ["platform"],
    ),
    otherStyle: counter("suido_enrolment_other_style_total", "With the other form of file", [
      "platform",
    ]),
    failed: counter("suido_enrolment_failed_checks_total", "With a check that was no proof", [
      "platform",
      "outcome",
    ]),
    dropped: counter("suido_enrolment_dropped_total", "Over without a proof, by the last step", [
      "platform",
      "step",
    ]),
  };
}

/** Counts what enrolments have come to, as suido_worker: they are marked as counted in the statement that reads them. */
export function createMeasureEnrolments({
  database,
  clock,
  metrics,
}: {
  readonly database: Database;
  readonly clock: Clock;
  readonly metrics: Registry;
}): MeasureEnrolments {
  const shown = register(metrics);
  const count = (ended: Ended): void => {
    const { platform, outcome, to_proof: toProof, made, failed } = ended;
    const isOtherStyle = ended.is_other_style;
    shown.ended.inc({ platform, outcome });
    shown.certificates.inc({ platform }, made);
    if (toProof !== null) shown.toProof.observe({ platform }, toProof);
    if (isOtherStyle) shown.otherStyle.inc({ platform });
    for (const reason of failed) shown.failed.inc({ platform, outcome: reason });
    if (outcome === "dropped") shown.dropped.inc({ platform, step: ended.last_step });
    if (outcome === "proven" && made === 1 && !isOtherStyle && failed.length === 0)
      shown.firstTry.inc({ platform });
  };
  return async (signal) => {
    let rows: readonly Ended[];
    do {
      rows = await database.query<Ended>("select * from app.measure_enrolments($1, $2)", [
        clock(),
        AT_ONCE,
      ]);
      for (const each of rows) count(each);
      // Those that nobody had begun are marked, and not among the rows: the next minute goes on.
    } while (rows.length === AT_ONCE && !signal.aborted);
    const used = await database.query<{ platform: string; to_use: number }>(
      "select * from app.measure_first_uses($1)",
      [clock()],
    );
    for (const { platform, to_use: seconds } of used) shown.toUse.observe({ platform }, seconds);
  };
}
