import { setTimeout as sleep } from "node:timers/promises";
import { UnrecoverableError } from "bullmq";
import { afterAll, afterEach, describe, expect, it, vi } from "vitest";
import { prepareQueue, queueBackend, type RunJob } from "../../../src/jobs/backend.ts";
import { connectionConfig } from "../../../src/storage/connection.ts";
import { emptyDatabase } from "../../support/database.ts";
import { prepareDatabase } from "../../../src/storage/bootstrap.ts";
import { pino } from "pino";
import { postgresPlace, redisPlace } from "./places.ts";

const places = [
  ["PostgreSQL", await postgresPlace()],
  ["Redis", await redisPlace()],
] as const;

afterAll(async () => {
  for (const [, place] of places) await place.close();
});

describe.for(places)("a queue in %s", ([, { place, breakConnections }]) => {
  const closers: (() => Promise<void>)[] = [];
  afterEach(async () => {
    for (const close of closers.splice(0)) await close();
  });

  function open(run: RunJob) {
    const errors: Error[] = [];
    const backend = queueBackend(place, {
      onError: (error) => void errors.push(error),
      onConnect: () => undefined,
    });
    const queue = backend.queue();
    const worker = backend.worker(run, { concurrency: 4 });
    closers.push(async () => {
      await worker.close();
      await queue.close();
      await backend.close();
    });
    return { queue, worker, errors };
  }

  const once = { removeOnComplete: true, removeOnFail: true };

  it("brings a job by its name, soon", async () => {
    const ran: string[] = [];
    const { queue } = open(async (name) => void ran.push(name));
    await queue.add("mail", once);
    await vi.waitFor(() => expect(ran).toEqual(["mail"]), 10_000);
  });

  it("brings a job again and again, and said twice it comes no more often", async () => {
    const ran: string[] = [];
    const { queue } = open(async (name) => void ran.push(name));
    for (let i = 0; i < 3; i += 1) await queue.repeat("lists", { every: 200 }, once);
    await sleep(1_500);
    await queue.repeat("lists", { every: 3_600_000 }, once);
    expect(ran.length).toBeGreaterThanOrEqual(5);
    expect(ran.length).toBeLessThanOrEqual(9);
  });

  it("is not put off by a schedule that is said again and again", async () => {
    const ran: string[] = [];
    const { queue } = open(async (name) => void ran.push(name));
    for (let i = 0; i < 15; i += 1) {
      await queue.repeat("probe", { every: 500 }, once);
      await sleep(150);
    }
    await queue.repeat("probe", { every: 3_600_000 }, once);
    expect(ran.filter((name) => name === "probe").length).toBeGreaterThanOrEqual(4);
  });

  it("takes a time of day in a zone", async () => {
    const { queue } = open(async () => undefined);
    await queue.repeat("forget", { pattern: "0 30 3 * * *", tz: "Asia/Tokyo" }, once);
    expect((await queue.counts())["delayed"]).toBeGreaterThanOrEqual(1);
  });

  it("tries a failed job again, but not one that cannot mend", async () => {
    const ran: string[] = [];
    const { queue } = open(async (name) => {
      ran.push(name);
      if (name === "hopeless") throw new UnrecoverableError("no");
      if (ran.filter((each) => each === name).length < 3) throw new Error("not yet");
    });
    const options = { ...once, attempts: 5, backoff: { type: "fixed", delay: 20 } };
    await queue.add("patient", options);
    await queue.add("hopeless", options);
    await vi.waitFor(
      () => expect(ran.filter((name) => name === "patient")).toHaveLength(3),
      10_000,
    );
    expect(ran.filter((name) => name === "hopeless")).toHaveLength(1);
  });

  it("finishes a running job before it closes", async () => {
    const ran: string[] = [];
    const { queue, worker } = open(async (name) => {
      ran.push(`${name} begins`);
      await sleep(300);
      ran.push(`${name} ends`);
    });
    await queue.add("audit", once);
    await vi.waitFor(() => expect(ran).toEqual(["audit begins"]), 10_000);
    await worker.close();
    expect(ran).toEqual(["audit begins", "audit ends"]);
  });

  it("goes on within seconds after its connections broke", async () => {
    const ran: string[] = [];
    const { queue } = open(async (name) => void ran.push(name));
    await queue.add("first", once);
    await vi.waitFor(() => expect(ran).toEqual(["first"]), 10_000);
    await breakConnections();
    await vi.waitFor(() => queue.add("second", once), 10_000);
    await vi.waitFor(() => expect(ran).toContain("second"), 10_000);
  });

  it("gives each job to one of two workers", async () => {
    const ran: string[] = [];
    const { queue } = open(async (name) => void ran.push(name));
    open(async (name) => void ran.push(name));
    for (let i = 0; i < 40; i += 1) await queue.add(`job ${i}`, once);
    await vi.waitFor(() => expect(ran).toHaveLength(40), 10_000);
    await sleep(100);
    expect(new Set(ran).size).toBe(40);
  });
});

it("bears a database that lets nobody in, without taking the time of others, and works when it does", async () => {
  const { place, close, admit } = await postgresPlace();
  await admit(false);
  let complaints = 0;
  const ran: string[] = [];
  const backend = queueBackend(place, {
    onError: () => void complaints++,
    onConnect: () => undefined,
  });
  const worker = backend.worker(async (name) => void ran.push(name), { concurrency: 4 });
  const queue = backend.queue();
  // This timer has its turn only where nothing spins.
  await sleep(2_000);
  expect(complaints).toBeGreaterThan(0);
  expect(complaints).toBeLessThan(60);
  await admit(true);
  await vi.waitFor(() => queue.add("mail", { removeOnComplete: true }), 10_000);
  await vi.waitFor(() => expect(ran).toEqual(["mail"]), 10_000);
  await worker.close();
  await queue.close();
  await backend.close();
  await close();
});

it("prepares the queue's schema when several programs start at once", async () => {
  const empty = await emptyDatabase();
  const { url } = empty;
  await prepareDatabase({ url, log: pino({ level: "silent" }) });
  const owner = connectionConfig({ url, role: "suido_owner", applicationName: "test" });
  await Promise.all([1, 2, 3, 4].map(() => prepareQueue(owner)));
  await expect(prepareQueue(owner)).resolves.toBeUndefined();
  await empty.drop();
});
