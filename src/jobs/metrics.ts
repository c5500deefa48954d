import { Counter, Gauge, type Registry } from "prom-client";
import type { Runs } from "./runs.ts";
import { JOB_NAMES } from "./schedule.ts";

export interface JobMetricsSources {
  /** Jobs of the queue by state; undefined when it is away. */
  readonly counts: () => Promise<Record<string, number> | undefined>;
  readonly runs: Runs;
}

/** Registers the figures of the jobs; they are read when somebody asks for them. */
export function registerJobMetrics(registry: Registry, { counts, runs }: JobMetricsSources): void {
  const registers = [registry];
  const depth = new Gauge({
    name: "suido_queue_jobs",
    help: "Jobs in the queue by state",
    labelNames: ["state"],
    registers,
    async collect() {
      depth.reset();
      for (const [state, count] of Object.entries((await counts()) ?? {}))
        depth.set({ state }, count);
    },
  });
  const success = new Gauge({
    name: "suido_job_last_success_seconds",
    help: "Unix time of the job's last success in this process",
    labelNames: ["job"],
    registers,
    collect() {
      for (const job of JOB_NAMES) {
        const at = runs.state(job).succeededAt;
        if (at !== undefined) success.set({ job }, at.getTime() / 1000);
      }
    },
  });
  const failures = new Counter({
    name: "suido_job_failures_total",
    help: "Runs of the job that failed in this process",
    labelNames: ["job"],
    registers,
    collect() {
      failures.reset();
      for (const job of JOB_NAMES) failures.inc({ job }, runs.state(job).failures);
    },
  });
}
