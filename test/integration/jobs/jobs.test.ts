import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { createPostgresBackend, type PostgresConnectionOptions, Queue } from "bullmq";
import { Redis } from "ioredis";
import { pino } from "pino";
import { Registry } from "prom-client";
import { afterAll, afterEach, describe, expect, it, vi } from "vitest";
import { InvalidStateError, SignerUnavailableError } from "../../../src/ca/errors.ts";
import { createMailDelivery } from "../../../src/delivery/mail-delivery.ts";
import type { MailMessage } from "../../../src/delivery/mail-message.ts";
import { QUEUE, queueBackend, type QueuePlace } from "../../../src/jobs/backend.ts";
import { createJobs, type Jobs } from "../../../src/jobs/jobs.ts";
import type { Work } from "../../../src/jobs/runs.ts";
import { JOB_NAMES, type JobName } from "../../../src/jobs/schedule.ts";
import { operatorMails } from "../../../src/lifecycle/operator-mail.ts";
import { openPharmacies } from "../lifecycle/pharmacies.ts";
import { postgresPlace, redisPlace } from "./places.ts";

const log = pino({ level: "silent" });
const places = [
  ["PostgreSQL", await postgresPlace()],
  ["Redis", await redisPlace()],
] as const;
const NOWHERE: readonly (readonly [string, QueuePlace])[] = [
  ["PostgreSQL", { kind: "postgres", connection: { host: "127.0.0.1", port: 1 } }],
  ["Redis", { kind: "redis", url: "redis://127.0.0.1:1" }],
];

const open: Jobs[] = [];
afterEach(async () => {
  for (const jobs of open.splice(0)) await jobs.close();
});
afterAll(async () => {
  for (const [, place] of places) await place.close();
});

interface Running {
  readonly jobs: Jobs;
  readonly metrics: Registry;
  /** Names of jobs in the order they began. */
  readonly ran: JobName[];
  /** Puts the clock forward. */
  readonly pass: (ms: number) => void;
}

function start(
  place: QueuePlace,
  work: Partial<Record<JobName, Work>> = {},
  sweepMs = 200,
): Running {
  const ran: JobName[] = [];
  const metrics = new Registry();
  let offset = 0;
  const counted =
    (name: JobName): Work =>
    async (signal) => {
      ran.push(name);
      await work[name]?.(signal);
    };
  const jobs = createJobs({
    backend: queueBackend(place, { onError: () => undefined, onConnect: () => undefined }),
    work: Object.fromEntries(JOB_NAMES.map((name) => [name, counted(name)])) as Record<
      JobName,
      Work
    >,
    timeZone: "Asia/Tokyo",
    metrics,
    clock: () => new Date(Date.now() + offset),
    log,
    sweepMs,
  });
  jobs.start();
  open.push(jobs);
  return { jobs, metrics, ran, pass: (ms) => void (offset += ms) };
}

const times = (ran: readonly JobName[], name: JobName): number =>
  ran.filter((each) => each === name).length;

/** Throws the whole queue away, schedule and all. */
async function obliterate(place: QueuePlace): Promise<void> {
  if (place.kind === "redis") {
    const redis = new Redis(place.url);
    await redis.flushall();
    redis.disconnect();
    return;
  }
  const connection = { ...place.connection, schema: "bullmq" } as PostgresConnectionOptions;
  const queue = new Queue(QUEUE, { connection }, createPostgresBackend);
  await queue.obliterate({ force: true });
  await queue.close();
}

describe.for(places)("jobs on %s", ([, { place }]) => {
  it("run all once at the start, and again when the queue brings them", async () => {
    const { jobs, ran } = start(place);
    await vi.waitFor(() => expect(new Set(ran)).toEqual(new Set(JOB_NAMES)), 10_000);
    const before = times(ran, "forget");
    expect(await jobs.enqueue("forget")).toBe(true);
    await vi.waitFor(() => expect(times(ran, "forget")).toBeGreaterThan(before), 10_000);
    await vi.waitFor(() => expect(times(ran, "audit")).toBeGreaterThanOrEqual(2), 10_000);
    expect(await jobs.health()).toEqual({ ready: true, queue: "reachable", failing: [] });
  });

  it("are not kept waiting by one of them, which never runs beside itself", async () => {
    let beside = 0;
    let most = 0;
    const { jobs, ran } = start(place, {
      mail: async (signal) => {
        beside += 1;
        most = Math.max(most, beside);
        await sleep(60_000, undefined, { signal }).catch(() => undefined);
        beside -= 1;
      },
    });
    await vi.waitFor(() => expect(times(ran, "mail")).toBe(1), 10_000);
    for (let i = 0; i < 3; i += 1) await jobs.enqueue("mail");
    const before = times(ran, "lists");
    await jobs.enqueue("lists");
    await vi.waitFor(() => expect(times(ran, "lists")).toBeGreaterThan(before), 10_000);
    expect(most).toBe(1);
  });

  it("that fail are told, tried again if that may help, and well again after a success", async () => {
    let failures = 0;
    const { jobs, metrics, ran } = start(place, {
      rotate: async () => {
        throw new InvalidStateError("never");
      },
      probe: async () => {
        if (failures++ === 0) throw new SignerUnavailableError("not now");
      },
    });
    await vi.waitFor(async () => expect((await jobs.health()).failing).toContain("rotate"), 10_000);
    await jobs.enqueue("probe");
    await vi.waitFor(async () => expect((await jobs.health()).failing).toEqual(["rotate"]), 10_000);
    const text = await metrics.metrics();
    expect(text).toMatch(/suido_job_failures_total\{job="rotate"\} [1-9]/);
    expect(text).toMatch(/suido_job_last_success_seconds\{job="probe"\} \d{10}/);
    expect(text).not.toContain('suido_job_last_success_seconds{job="rotate"}');
    expect(text).toContain('suido_queue_jobs{state="delayed"}');
    expect(times(ran, "rotate")).toBeLessThanOrEqual(3);
  });

  it("finish what runs before they close, and are told to be quick", async () => {
    let told = false;
    let ended = false;
    const { jobs, ran } = start(place, {
      audit: async (signal) => {
        await sleep(300);
        told = signal.aborted;
        ended = true;
      },
    });
    await vi.waitFor(() => expect(ran).toContain("audit"), 10_000);
    await jobs.close();
    expect({ told, ended }).toEqual({ told: true, ended: true });
    expect((await jobs.health()).ready).toBe(false);
  });

  it("send what is due although the queue was lost, and take their schedule up again", async () => {
    const world = await openPharmacies("2027-05-01T00:00:00Z");
    const sent: MailMessage[] = [];
    const delivery = createMailDelivery({
      database: world.worker,
      mailer: {
        send: async (message) => {
          sent.push(message);
          return { accepted: message.to, response: "250" };
        },
        close: async () => undefined,
      },
      kinds: {
        operator: operatorMails({ appUrl: "http://localhost:8000", timeZone: "Asia/Tokyo" }),
      },
      clock: world.clock,
      newId: randomUUID,
      log,
    });
    const { ran, pass } = start(place, { mail: (signal) => delivery.deliver(signal) }, 500);
    await vi.waitFor(() => expect(ran).toContain("mail"), 10_000);
    await obliterate(place);
    await world.worker.query(
      `select app.plan_operator_mail('k', 'x', 'ops@example.jp', 'ja', '{"topic":"ending","what":"x","notAfter":"2027-06-01T00:00:00Z"}', $1)`,
      [world.time.now],
    );
    pass(31_000);
    await vi.waitFor(() => expect(sent).toHaveLength(1), 10_000);
    const before = times(ran, "audit");
    await vi.waitFor(() => expect(times(ran, "audit")).toBeGreaterThanOrEqual(before + 2), 15_000);
    await world.close();
  });
});

describe.for(NOWHERE)("jobs whose queue in %s is away from the start", ([, place]) => {
  it("are done by the sweeper alone, and close in time", async () => {
    const { jobs, metrics, ran, pass } = start(place, {}, 50);
    await vi.waitFor(() => expect(new Set(ran)).toEqual(new Set(JOB_NAMES)), 10_000);
    expect(await jobs.enqueue("mail")).toBe(false);
    expect(await jobs.health()).toMatchObject({ ready: true, queue: "away" });
    expect(await metrics.metrics()).not.toContain("suido_queue_jobs{");
    const before = ran.length;
    pass(31_000);
    await vi.waitFor(() => {
      const more = ran.slice(before);
      expect(more.toSorted()).toEqual(["audit", "bulk", "lists", "mail"]);
    });
    const begun = performance.now();
    await jobs.close();
    expect(performance.now() - begun).toBeLessThan(5_000);
  });
});
