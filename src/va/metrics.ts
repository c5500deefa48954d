import { Counter, Gauge, type Registry } from "prom-client";

import type { Clock } from "../pki/clock.ts";
import type { Delegates } from "./delegates.ts";
import type { Repository } from "./repository.ts";
import type { OcspOutcome, Responder } from "./responder.ts";
import type { StatusFeed } from "./status-feed.ts";

/** Counts of answers, kept as plain numbers: the path of an answer touches nothing else. */
export type OcspCounts = Record<OcspOutcome, number>;

export const newOcspCounts = (): OcspCounts => ({
  good: 0,
  revoked: 0,
  unknown: 0,
  malformedRequest: 0,
  internalError: 0,
  tryLater: 0,
  sigRequired: 0,
  unauthorized: 0,
});

export interface VaMetricsSources {
  readonly counts: OcspCounts;
  readonly feed: StatusFeed;
  readonly responder: Responder;
  readonly repository: Repository;
  readonly delegates: Delegates;
  readonly clock: Clock;
}

/** Registers the VA's figures; they are read when somebody asks for them. */
export function registerVaMetrics(registry: Registry, sources: VaMetricsSources): void {
  const { clock, counts, delegates, feed, repository, responder } = sources;
  const registers = [registry];
  const secondsSince = (ms: number): number => (clock().getTime() - ms) / 1000;
  const gauge = (name: string, help: string, read: () => number): Gauge =>
    new Gauge({
      name,
      help,
      registers,
      collect() {
        this.set(read());
      },
    });

  const answers = new Counter({
    name: "suido_ocsp_answers_total",
    help: "OCSP answers by what they said",
    labelNames: ["outcome"],
    registers,
    collect() {
      answers.reset();
      for (const [outcome, count] of Object.entries(counts)) answers.inc({ outcome }, count);
    },
  });
  gauge("suido_va_certificates", "Certificates whose status is in memory", () => feed.index.size);
  gauge("suido_va_status_bytes", "Memory of the status index", () => feed.index.octets);
  gauge("suido_va_cached_answers", "Signed OCSP answers that are kept", () => responder.cached());
  gauge("suido_va_known_age_seconds", "Since the status was last known to be complete", () =>
    secondsSince(feed.known() ?? Number.NaN),
  );
  const ages = new Gauge({
    name: "suido_va_list_age_seconds",
    help: "Since thisUpdate of the list that is given out",
    labelNames: ["issuer", "scope"],
    registers,
    collect() {
      for (const { issuerId, scope, thisUpdate } of repository.lists()) {
        ages.set({ issuer: issuerId, scope }, secondsSince(thisUpdate.getTime()));
      }
    },
  });
  const ends = new Gauge({
    name: "suido_va_delegate_remaining_seconds",
    help: "Until the OCSP delegate's certificate ends",
    labelNames: ["issuer"],
    registers,
    collect() {
      for (const { id } of repository.issuers()) {
        const delegate = delegates.current(id);
        if (delegate !== undefined) {
          ends.set({ issuer: id }, -secondsSince(delegate.notAfter.getTime()));
        }
      }
    },
  });
}
