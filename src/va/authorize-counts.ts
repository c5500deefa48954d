import { Counter, Gauge, type Registry } from "prom-client";

import type { Clock } from "../pki/clock.ts";
import type { AuthorizationIndex } from "./authorization-index.ts";
import type { AuthorizeAnswer, AuthorizeReason } from "./authorizer.ts";
import type { Stage } from "./stage.ts";

type Decision = AuthorizeAnswer["decision"];

/** Answers by what they said, kept as plain numbers: the path of an answer touches nothing else. */
export class AuthorizeCounts {
  /** Questions that were not answered, because what is known is too old. */
  stale = 0;
  readonly #answers = new Map<string, number>();

  add(decision: Decision, stage: Stage, reason: AuthorizeReason | undefined): void {
    const name = `${decision} ${stage} ${reason ?? "identified"}`;
    this.#answers.set(name, (this.#answers.get(name) ?? 0) + 1);
  }

  *entries(): Generator<{
    readonly decision: string;
    readonly stage: string;
    readonly reason: string;
    readonly count: number;
  }> {
    for (const [name, count] of this.#answers) {
      const [decision = "", stage = "", reason = ""] = name.split(" ");
      yield { decision, stage, reason, count };
    }
    yield { decision: "none", stage: "none", reason: "status-too-old", count: this.stale };
  }
}

export interface AuthorizeMetricsSources {
  readonly counts: AuthorizeCounts;
  readonly index: AuthorizationIndex;
  readonly known: () => number | undefined;
  readonly dropped: () => number;
  readonly clock: Clock;
}

/** Registers the figures of `/v1/authorize`; they are read when somebody asks for them. */
export function registerAuthorizeMetrics(
  registry: Registry,
  { counts, index, known, dropped, clock }: AuthorizeMetricsSources,
): void {
  const registers = [registry];
  const answers = new Counter({
    name: "suido_authorize_answers_total",
    help: "Answers to proxies by decision, stage and why nobody was identified",
    labelNames: ["decision", "stage", "reason"],
    registers,
    collect() {
      answers.reset();
      for (const { count, ...labels } of counts.entries()) answers.inc(labels, count);
    },
  });
  const gauge = (name: string, help: string, read: () => number): Gauge =>
    new Gauge({
      name,
      help,
      registers,
      collect() {
        this.set(read());
      },
    });
  gauge(
    "suido_authorize_certificates",
    "Certificates whose bindings are in memory",
    () => index.size,
  );
  gauge("suido_authorize_bytes", "Memory of the bindings", () => index.octets);
  gauge(
    "suido_authorize_known_age_seconds",
    "Since all that answers to proxies need was last known to be complete",
    () => (clock().getTime() - (known() ?? Number.NaN)) / 1000,
  );
  const lost = new Counter({
    name: "suido_authorize_notes_dropped_total",
    help: "Uses and let-through refusals that were not written, because there were too many",
    registers,
    collect() {
      lost.reset();
      lost.inc(dropped());
    },
  });
}
