import { Counter, Histogram, type Registry } from "prom-client";

import { REASON_CODES, type RevocationReason } from "../pki/revocation-reason.ts";
import type { OnAnswer } from "./request-log.ts";

/** What http counts. */
export interface HttpMetrics {
  readonly answered: OnAnswer;
  /** A new certificate was given out; one that was asked for before is none. */
  readonly issued: () => void;
  /** A certificate was revoked or held; a repetition that changed nothing is none. */
  readonly revoked: (reason: RevocationReason) => void;
}

/** From a look-up in memory to an issue that waited for the journal. */
const SECONDS = [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** Counters of the API, in a registry that `/metrics` shows. Labels come from closed sets, never from callers. */
export function createHttpMetrics(registry: Registry): HttpMetrics {
  const answers = new Histogram({
    name: "suido_http_request_seconds",
    help: "Requests to the app, by route pattern and status",
    labelNames: ["method", "route", "status"],
    buckets: SECONDS,
    registers: [registry],
  });
  const issued = new Counter({
    name: "suido_certificates_issued_total",
    help: "Certificates that the API gave out",
    registers: [registry],
  });
  const revoked = new Counter({
    name: "suido_certificates_revoked_total",
    help: "Revocations and holds that the API made, by reason",
    labelNames: ["reason"],
    registers: [registry],
  });
  // What never happened yet is shown as such: an alarm on a rate needs the first value too.
  for (const reason of Object.keys(REASON_CODES)) revoked.inc({ reason }, 0);
  return {
    answered: ({ method, route, status, seconds }) =>
      answers.observe({ method, route, status }, seconds),
    issued: () => issued.inc(),
    revoked: (reason) => revoked.inc({ reason }),
  };
}
