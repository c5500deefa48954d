import { Counter, Gauge, type Registry } from "prom-client";

import type { Clock } from "../pki/clock.ts";
import type { ListStatus, VaStatus } from "./va-status.ts";

export interface VaMetricsSources {
  /** Of all processes together. */
  readonly status: () => VaStatus;
  readonly clock: Clock;
}

/** Registers the VA's figures; they are read when somebody asks for them. */
export function registerVaMetrics(registry: Registry, { clock, status }: VaMetricsSources): void {
  const registers = [registry];
  const secondsSince = (at: Date | undefined): number =>
    at === undefined ? Number.NaN : (clock().getTime() - at.getTime()) / 1000;
  const gauge = (name: string, help: string, read: (of: VaStatus) => number): Gauge =>
    new Gauge({
      name,
      help,
      registers,
      collect() {
        this.set(read(status()));
      },
    });

  const answers = new Counter({
    name: "suido_ocsp_answers_total",
    help: "OCSP answers by what they said",
    labelNames: ["outcome"],
    registers,
    collect() {
      answers.reset();
      for (const [outcome, count] of Object.entries(status().answers))
        answers.inc({ outcome }, count);
    },
  });
  gauge(
    "suido_va_processes",
    "Processes that are to answer on the VA's port",
    (of) => of.processes.count,
  );
  gauge(
    "suido_va_processes_ready",
    "How many of them answer as they should",
    (of) => of.processes.ready,
  );
  gauge("suido_va_certificates", "Certificates whose status is in memory", (of) => of.certificates);
  gauge("suido_va_status_bytes", "Memory of the status index", (of) => of.statusOctets);
  gauge("suido_va_cached_answers", "Signed OCSP answers that are kept", (of) => of.cachedAnswers);
  gauge("suido_va_known_age_seconds", "Since the status was last known to be complete", (of) =>
    secondsSince(of.knownAt),
  );
  registerLists(registry, { status, secondsSince });
  const ends = new Gauge({
    name: "suido_va_delegate_remaining_seconds",
    help: "Until the OCSP delegate's certificate ends",
    labelNames: ["issuer"],
    registers,
    collect() {
      for (const { delegateUntil, id } of status().issuers) {
        if (delegateUntil !== undefined) ends.set({ issuer: id }, -secondsSince(delegateUntil));
      }
    },
  });
}

interface ListSources {
  readonly status: () => VaStatus;
  readonly secondsSince: (at: Date) => number;
}

function registerLists(registry: Registry, { secondsSince, status }: ListSources): void {
  const gauge = (name: string, help: string, read: (list: ListStatus) => number): Gauge =>
    new Gauge({
      name,
      help,
      labelNames: ["issuer", "scope"],
      registers: [registry],
      collect() {
        this.reset();
        for (const list of status().lists)
          this.set({ issuer: list.issuerId, scope: list.scope }, read(list));
      },
    });
  gauge("suido_va_list_age_seconds", "Since thisUpdate of the list that is given out", (list) =>
    secondsSince(list.thisUpdate),
  );
  gauge(
    "suido_va_list_life_used_ratio",
    "How much of the life of the list that is given out is over: 1 at its nextUpdate",
    ({ nextUpdate, thisUpdate }) =>
      (secondsSince(thisUpdate) * 1000) / (nextUpdate.getTime() - thisUpdate.getTime()),
  );
}
