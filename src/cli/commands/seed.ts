import { createSequencer } from "../../audit/sequencer.ts";
import { monthFormat } from "../../ca/reservation-rules.ts";
import { isSignerAtWork } from "../../ca/signer-lock.ts";
import { loadCaConfig, SAMPLE_PROFILE } from "../../config/ca-config.ts";
import {
  type Command,
  CommandError,
  type Given,
  show,
  type Surroundings,
  textOption,
  UsageError,
} from "../command.ts";
import type { Random } from "../../pki/crypto.ts";
import { uuidV7 } from "../../pki/uuid.ts";
import { CA_CONFIG, knownProfiles } from "../foundation.ts";
import { operatorAtTheMachine } from "../operator.ts";
import { type Reached, reachDatabase } from "../reach.ts";
import { type Examples, fill, type Wanted } from "../seed/fill.ts";
import { type Sign, signHere, signThere } from "../seed/signatures.ts";
import { publishHere, publishThere, watchJournal, withSigner } from "../signing.ts";
import type { System } from "../system.ts";

/** More than any nation has pharmacies' devices: a slip of the finger is told before the disk is full. */
const MOST_CERTIFICATES = 10_000_000;

/** Connections of the filling: some transactions at once, and questions beside them. */
const CONNECTIONS = 8;

const PROGRESS_MS = 5_000;

function countOf(given: Given, name: string, { most }: { readonly most: number }): number {
  const text = textOption(given, name) ?? "0";
  const count = Number(text);
  if (!/^\d+$/.test(text) || count > most)
    throw new UsageError(`--${name} is a whole number, at most ${most}`);
  return count;
}

function wantedOf(given: Given): Wanted {
  const certificates = countOf(given, "certificates", { most: MOST_CERTIFICATES });
  if (certificates === 0) throw new UsageError("--certificates says how many, at least 1");
  return { certificates, revoked: countOf(given, "revoked", { most: certificates }) };
}

/** Says now and then how far it has come, and how fast. */
function progressOf({ certificates }: Wanted, complain: Surroundings["complain"]) {
  const began = performance.now();
  let saidAt = began;
  return (done: number): void => {
    const now = performance.now();
    if (now - saidAt < PROGRESS_MS && done < certificates) return;
    saidAt = now;
    const rate = Math.round((done * 1000) / (now - began));
    complain(`suido: ${done} of ${certificates} certificates, ${rate}/s`);
  };
}

const RANDOM_PAGE = 16_384;

/** Randomness fetched by the page: a call of its own for each of a dozen identifiers a certificate costs more than they do. */
function byThePage(random: Random): Random {
  let page: Uint8Array = new Uint8Array();
  return (octets) => {
    if (page.length < octets) page = random(Math.max(octets, RANDOM_PAGE));
    const taken = page.slice(0, octets);
    page = page.subarray(octets);
    return taken;
  };
}

/** What the machine gives, for a program that takes much of it. */
function hungry(system: System): System {
  const random = byThePage(system.random);
  return { ...system, random, newId: uuidV7(system.clock, random) };
}

interface Hands {
  readonly sign: Sign;
  /** Resolves when every change of status up to this one is in the journal. */
  readonly journal: (changeSeq: bigint) => Promise<void>;
  readonly publish: () => Promise<unknown>;
}

async function seed(
  reached: Reached,
  { system, complain }: Surroundings,
  { wanted, hands }: { readonly wanted: Wanted; readonly hands: Hands },
): Promise<Examples & { readonly issuer: string }> {
  const { config, open } = reached;
  const profile = loadCaConfig(CA_CONFIG, knownProfiles(config)).profiles.get(SAMPLE_PROFILE);
  if (profile === undefined) throw new Error(`a demo has the profile ${SAMPLE_PROFILE}`);
  const worker = open("suido_worker");
  const owner = open("suido_owner");
  const analyze = async (): Promise<void> => void (await owner.query("analyze"));
  const examples = await fill(
    {
      ...system,
      database: open("suido_app", CONNECTIONS),
      sign: hands.sign,
      profile,
      actor: operatorAtTheMachine().actor,
      trustDomain: config.trustDomain,
      timeZone: config.timeZone,
      months: monthFormat(config.timeZone),
      analyze,
      onProgress: progressOf(wanted, complain),
    },
    wanted,
  );
  complain("suido: lists, audit log and statistics");
  const [last] = await worker.query<{ seq: string }>(
    "select coalesce(max(seq), 0)::text as seq from ca.change",
  );
  await hands.journal(BigInt(last?.seq ?? 0));
  await hands.publish();
  await analyze();
  await createSequencer({ database: worker }).run();
  const [issuer] = await worker.query<{ id: string }>(
    "select id from ca.issuer where kind = 'issuing' and state = 'active'",
  );
  return { issuer: issuer?.id ?? "", good: examples.good, revoked: examples.revoked };
}

/** With the signer of the running service, or, where none works, with one of our own, which makes a demo's CA. */
async function withHands<T>(
  reached: Reached,
  surroundings: Surroundings,
  work: (hands: Hands) => Promise<T>,
): Promise<T> {
  const { system } = surroundings;
  const database = reached.open("suido_app");
  if (reached.serving || (await isSignerAtWork(database))) {
    return work({
      sign: signThere(database),
      ...watchJournal(database),
      publish: () => publishThere(reached),
    });
  }
  return withSigner(reached, { system, mayMakeCa: true }, (signer) =>
    work({
      sign: signHere(signer),
      journal: (changeSeq) => signer.journal(changeSeq),
      publish: () => publishHere(reached, { system, signer }),
    }),
  );
}

const seedDemo: Command = {
  words: ["seed"],
  options: {
    certificates: { type: "string", value: "N", help: "how many to make, each of its own device" },
    revoked: { type: "string", value: "M", help: "how many of them to revoke; none if not given" },
  },
  summary: "fill a demo with sample corporations, devices and certificates",
  run: async (given, around) => {
    const wanted = wantedOf(given);
    const surroundings = { ...around, system: hungry(around.system) };
    const { issuer, good, revoked } = await reachDatabase(
      surroundings,
      async (reached) => {
        if (reached.config.mode !== "demo")
          throw new CommandError("sample data is for a demo, not for SUIDO_MODE=production");
        return withHands(reached, surroundings, (hands) =>
          seed(reached, surroundings, { wanted, hands }),
        );
      },
      { prepare: true },
    );
    show(given, surroundings, {
      json: { issuer, good, revoked },
      lines: [
        `issuer ${issuer}`,
        ...good.map((serial) => `good ${serial}`),
        ...revoked.map((serial) => `revoked ${serial}`),
      ],
    });
    return 0;
  },
};

export const seedCommands: readonly Command[] = [seedDemo];
