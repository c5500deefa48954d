import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";

import { type Command, type Given, show, type Surroundings } from "../command.ts";
import { lifeOfCertificate, NotProvenError, type Step } from "../demo/life.ts";
import { nodeJudge } from "../demo/node-judge.ts";
import { findOpenssl } from "../demo/openssl-judge.ts";
import { type Instance, startInstance } from "../instance.ts";

interface Outcome {
  readonly claim: string;
  readonly proven: boolean;
  readonly proof: string;
  readonly ms: number;
}

async function proveStep({ claim, prove }: Step): Promise<Outcome> {
  const from = performance.now();
  const done = (proven: boolean, proof: string): Outcome => ({
    claim,
    proven,
    proof,
    ms: Math.round(performance.now() - from),
  });
  try {
    return done(true, await prove());
  } catch (error) {
    const words = error instanceof Error ? error.message : String(error);
    return done(
      false,
      error instanceof NotProvenError ? `not proven: ${words}` : `failed: ${words}`,
    );
  }
}

/** Plays step after step and stops at the first that is not proven: the rest would rest on it. */
async function play(
  steps: readonly Step[],
  tell: (outcome: Outcome, at: string) => void,
): Promise<readonly Outcome[]> {
  const outcomes: Outcome[] = [];
  for (const step of steps) {
    const outcome = await proveStep(step);
    outcomes.push(outcome);
    tell(outcome, `${outcomes.length}/${steps.length}`);
    if (!outcome.proven) break;
  }
  return outcomes;
}

async function demonstrate(given: Given, surroundings: Surroundings): Promise<number> {
  const { system, print } = surroundings;
  const tell = ({ claim, proven, proof, ms }: Outcome, at: string): void => {
    if (given.options["json"] === true) return;
    print(`${proven ? "✓" : "✗"} ${at} ${claim} (${(ms / 1000).toFixed(1)} s)`);
    print(`    ${proof}`);
  };
  const dataDir = await mkdtemp(path.join(tmpdir(), "suido-demo-"));
  const from = performance.now();
  let instance: Instance | undefined;
  const start: Step = {
    claim: "an empty machine becomes a running service",
    prove: async () => {
      instance = await startInstance({ dataDir });
      return `VA ${instance.urls.va}, app ${instance.urls.app}, mTLS ${instance.urls.mtls}`;
    },
  };
  try {
    const judge = (await findOpenssl()) ?? nodeJudge(system);
    const started = await play([start], (outcome) => tell(outcome, "0"));
    const lived =
      instance === undefined
        ? []
        : await play(lifeOfCertificate({ instance, judge, system }), tell);
    const outcomes = [...started, ...lived];
    const ok = outcomes.every(({ proven }) => proven);
    const seconds = (performance.now() - from) / 1000;
    show(given, surroundings, {
      json: { ok, seconds, judge: judge.name, steps: outcomes },
      lines: [
        ok ? `everything is proven, in ${seconds.toFixed(0)} s` : "the demonstration has failed",
      ],
    });
    return ok ? 0 : 1;
  } finally {
    await instance?.stop();
    await rm(dataDir, { recursive: true, force: true });
  }
}

const demo: Command = {
  words: ["demo"],
  summary: "play a certificate's whole life on a throw-away instance, with proofs",
  run: demonstrate,
};

export const demoCommands: readonly Command[] = [demo];
