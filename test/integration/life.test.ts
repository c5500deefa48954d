import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";

import { afterEach, describe, expect, it } from "vitest";

import { lifeOfCertificate } from "../../src/cli/demo/life.ts";
import { nodeJudge } from "../../src/cli/demo/node-judge.ts";
import { findOpenssl } from "../../src/cli/demo/openssl-judge.ts";
import { instanceEnvironment, runSuido, startInstance } from "../../src/cli/instance.ts";
import { createSystem } from "../../src/cli/system.ts";
import { startDebianServer } from "../support/debian-postgresql.ts";
import { startRedis } from "../support/redis.ts";

describe("the life of a certificate", () => {
  const undo: (() => Promise<unknown>)[] = [];
  afterEach(async () => {
    for (const step of undo.splice(0).toReversed()) await step();
  });

  const temporary = async (): Promise<string> => {
    const folder = await mkdtemp(path.join(tmpdir(), "suido-life-"));
    undo.push(() => rm(folder, { recursive: true, force: true }));
    return folder;
  };

  it("is played by `suido demo` in under a minute, every step proven by OpenSSL", async () => {
    const env = await instanceEnvironment({ dataDir: await temporary() });
    const { code, stdout } = await runSuido(["demo", "--json"], env);
    const answer = JSON.parse(stdout) as {
      ok: boolean;
      seconds: number;
      judge: string;
      steps: { claim: string; proven: boolean; proof: string }[];
    };
    expect(answer.steps.filter(({ proven }) => !proven)).toEqual([]);
    expect(answer).toMatchObject({ ok: true, judge: expect.stringMatching(/^OpenSSL/) as string });
    expect(answer.steps).toHaveLength(12);
    expect(answer.seconds).toBeLessThan(60);
    expect(code).toBe(0);
  }, 120_000);

  it("goes the same way over another PostgreSQL, and a Redis for the queue, as Node.js judges it", async () => {
    const postgres = await startDebianServer();
    undo.push(() => postgres.stop());
    const redis = await startRedis();
    undo.push(() => redis.stop());
    const instance = await startInstance({
      dataDir: await temporary(),
      env: { DATABASE_URL: postgres.url, REDIS_URL: redis.url },
    });
    undo.push(() => instance.stop());
    const system = createSystem();
    const proofs: string[] = [];
    for (const { claim, prove } of lifeOfCertificate({
      instance,
      judge: nodeJudge(system),
      system,
    })) {
      proofs.push(`${claim}: ${await prove()}`);
    }
    expect(proofs).toHaveLength(11);
    expect(await instance.stop()).toBe(0);
  }, 120_000);

  it("has an outside judge on a machine for tests", async () => {
    expect(await findOpenssl()).toBeDefined();
  });
});
