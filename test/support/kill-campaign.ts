import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import { allCertificates, LedgerClient } from "./client-ledger.ts";
import { Dice } from "./dice.ts";
import { signalAll, untilGone } from "./process-tree.ts";
import { eventually, type Service, type World } from "./service.ts";

/** What is killed: everything at once, or one part alone. */
const TARGETS = ["everything", "app", "everything", "signer", "postgres"] as const;
type Target = (typeof TARGETS)[number];

const CLIENTS = 16;

/** How long clients have been at work when the blow falls, at least and at most, in milliseconds. */
const SHORTEST_MS = 100;
const LONGEST_MS = 1_200;

/** What a campaign has seen; `faults` must be empty. */
export interface Report {
  readonly seed: number;
  readonly rounds: number;
  readonly answered: number;
  readonly certificates: number;
  /** From the start's beginning, or from the death of a part that is restarted by itself, until everything is ready. */
  readonly slowestReadyMs: number;
  readonly faults: readonly string[];
}

/** Serials of the devices' certificates that the journal says were signed. One that was signed twice is there twice. */
export function signedSerials(service: Service): string[] {
  const folder = path.join(service.dataDir, "journal");
  const files = readdirSync(folder).filter((name) => name.endsWith(".jsonl"));
  return files
    .flatMap((name) => readFileSync(path.join(folder, name), "utf8").trimEnd().split("\n"))
    .filter((line) => line.includes('"device-client"'))
    .map((line) => JSON.parse(line) as { kind: string; profile: string; serial: string })
    .filter(({ kind, profile }) => kind === "issued" && profile === "device-client")
    .map(({ serial }) => serial);
}

/** Clients that issue and revoke, blows with kill -9, and after each recovery everything that was promised. */
export class KillCampaign {
  readonly #service: Service;
  readonly #dice: Dice;
  readonly #seed: number;
  readonly #worlds: readonly World[];
  readonly #clients: readonly LedgerClient[];
  readonly #faults: string[] = [];
  #rounds = 0;
  #certificates = 0;
  #slowestReadyMs = 0;

  private constructor(service: Service, worlds: readonly World[], seed: number) {
    this.#service = service;
    this.#worlds = worlds;
    this.#seed = seed;
    this.#dice = new Dice(seed);
    this.#clients = worlds.map((world, i) => new LedgerClient(service, world, new Dice(seed + i)));
  }

  static async begin(service: Service, seed: number): Promise<KillCampaign> {
    const worlds: World[] = [];
    while (worlds.length < CLIENTS) worlds.push(await service.world());
    return new KillCampaign(service, worlds, seed);
  }

  /** Load, a blow, recovery, and the reckoning. */
  async round(): Promise<void> {
    const target = TARGETS[this.#rounds % TARGETS.length] ?? "everything";
    this.#rounds += 1;
    const over = { is: false };
    const work = this.#clients.map((client) => client.work(() => over.is));
    await sleep(SHORTEST_MS + this.#dice.below(LONGEST_MS - SHORTEST_MS));
    await this.#kill(target);
    over.is = true;
    await Promise.all(work);
    const began = performance.now();
    if (target !== "signer") await this.#service.start();
    await eventually(
      () => this.#service.readiness(),
      ({ status }) => status === 200,
    );
    this.#slowestReadyMs = Math.max(this.#slowestReadyMs, performance.now() - began);
    await this.#reckon(`round ${this.#rounds}, ${target}`);
  }

  async #kill(target: Target): Promise<void> {
    if (target === "everything") return this.#service.killAll();
    const { app, postgres, signer } = this.#service.processes();
    const [postmaster = 0] = postgres;
    const pid = { app, signer, postgres: postmaster }[target];
    signalAll([pid], "SIGKILL");
    await untilGone([pid]);
    if (target === "signer") return undefined;
    const code = await this.#service.ended();
    if (target === "postgres" && code !== 1)
      this.#faults.push(`without its database the service ended with ${code}`);
    return undefined;
  }

  async #reckon(when: string): Promise<void> {
    for (const client of this.#clients) await client.askAgain();
    this.#certificates = 0;
    for (const [i, client] of this.#clients.entries()) {
      const known = await allCertificates(this.#service, this.#worlds[i]?.corporationId ?? "");
      this.#certificates += known.size;
      client.compare(known);
      this.#faults.push(...client.surprises.splice(0).map((what) => `${when}: ${what}`));
    }
    await this.#revokeForgotten(when);
    await this.#service.checkInvariants().catch((error: unknown) => {
      this.#faults.push(`${when}: ${String(error)}`);
    });
  }

  /** What was signed and reached nobody must be revocable all the same. */
  async #revokeForgotten(when: string): Promise<void> {
    const signed = signedSerials(this.#service);
    const unique = new Set(signed);
    if (unique.size !== signed.length) this.#faults.push(`${when}: a serial was signed twice`);
    for (const { entries } of this.#clients)
      for (const serial of entries.keys()) unique.delete(serial);
    for (const serial of unique) await this.#revoke(serial, when);
  }

  async #revoke(serial: string, when: string): Promise<void> {
    const body = { reason: "cessationOfOperation" };
    const answer = await this.#service.call("POST", `/v1/certificates/${serial}/revoke`, { body });
    if (answer.status === 200 || answer.status === 202) return;
    this.#faults.push(`${when}: ${serial} cannot be revoked: ${JSON.stringify(answer.body)}`);
  }

  /** Revokes every certificate that is not revoked yet, and returns what was seen. */
  async end(): Promise<Report> {
    const alive = this.#clients.flatMap(({ entries }) =>
      [...entries.values()].filter(({ state }) => state !== "revoked"),
    );
    const revokers = Array.from({ length: CLIENTS }, async () => {
      for (let entry = alive.pop(); entry !== undefined; entry = alive.pop())
        await this.#revoke(entry.serial, "at the end");
    });
    await Promise.all(revokers);
    await this.#service.command("crl", "publish");
    await this.#service.checkInvariants();
    return {
      seed: this.#seed,
      rounds: this.#rounds,
      answered: this.#clients.reduce((sum, { answered }) => sum + answered, 0),
      certificates: this.#certificates,
      slowestReadyMs: Math.round(this.#slowestReadyMs),
      faults: this.#faults,
    };
  }
}
