import { setTimeout as sleep } from "node:timers/promises";

import type { Clock } from "../pki/clock.ts";
import type { Digest, Random, Verify } from "../pki/crypto.ts";
import { acknowledge, type Acknowledgements } from "./acknowledge.ts";
import { download } from "./download.ts";
import { NotAcknowledgedError, RefusedError, ReloadError } from "./errors.ts";
import {
  CERTIFICATES_FILE,
  type GateFolder,
  LISTS_FILE,
  type Placed,
  placeFile,
} from "./folder.ts";
import { type Bundles, type Generation, judgeGeneration, marksAfter } from "./generation.ts";
import { type Haproxy, tellHaproxy } from "./haproxy.ts";
import { type Fault, type Health, judgeHealth, type Known } from "./health.ts";
import { type GateState, listsInForce, readState, writeState } from "./in-force.ts";
import { manifestOf, type Tags, withoutBigints } from "./manifest.ts";
import { count, type Counts, metricsText } from "./metrics.ts";
import { runCommand, type Words } from "./reload.ts";

export interface GateOptions {
  /** The VA's address. */
  readonly va: URL;
  readonly folder: GateFolder;
  /** SHA-256 of the trusted roots' certificates, in lower-case hex. */
  readonly roots: ReadonlySet<string>;
  readonly intervalMs: number;
  /** Run in this order when there is something new; all have to succeed. */
  readonly reload: readonly Words[];
  readonly haproxy?: Haproxy;
  readonly acknowledgements?: Acknowledgements;
  readonly healthFile: string;
  readonly metricsFile?: string;
  /** See Judge. */
  readonly leavesOutRevoked?: boolean;
}

export interface GateDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly digest: Digest;
  readonly verify: Verify;
  readonly log: (level: "info" | "warn", text: string) => void;
}

/** A reload costs a proxy its workers: not more often than this, whatever happens. */
const RELOAD_MS = 60_000;

/** Suido wants to hear every five minutes; the questions between come every `intervalMs`. */
const ACKNOWLEDGE_MS = 240_000;

/** The longest pause between two tries, unless the interval is longer. */
const MAX_PAUSE_MS = 300_000;

/** What can go wrong independently of the other things. */
type Step = "fetch" | "reload" | "acknowledge";

interface Fetched {
  readonly bundles: Bundles;
  readonly tags: Tags | undefined;
}

/** Keeps a proxy's CA and CRL files true, one generation after the other. */
export class Gate {
  readonly #options: GateOptions;
  readonly #deps: GateDeps;
  readonly #counts: Counts = { fetches: new Map(), reloads: new Map() };
  readonly #faults = new Map<Step, Fault>();
  #placed: Placed | undefined;
  /** Of what was last judged good: also where nothing of it was new. */
  #tags: Tags | undefined;
  #state: GateState;
  #failures = 0;
  #lastContact: Date | undefined;
  #acknowledged: { readonly generation: number; readonly at: Date } | undefined;
  #acknowledging: Promise<void> | undefined;

  /** The folder must be locked and prepared. */
  constructor(options: GateOptions, deps: GateDeps) {
    this.#options = options;
    this.#deps = deps;
    const { folder, leavesOutRevoked = false, roots } = options;
    this.#placed = folder.current();
    this.#state = readState(folder);
    const manifest = this.#placed?.manifest;
    // Where another root is trusted than before, or CAs may have to go, nothing new is no answer.
    if (!leavesOutRevoked && manifest?.lists.some(({ issuer }) => roots.has(issuer)) === true)
      this.#tags = manifest.tags;
  }

  /** Works until the signal comes. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const pause = await this.cycle(signal);
      await sleep(pause, undefined, { signal }).catch(() => undefined);
    }
    await this.#acknowledging;
  }

  /** Looks once, takes over what is new, and tells of it. */
  async once(signal: AbortSignal): Promise<Health> {
    await this.cycle(signal);
    await this.#acknowledging;
    this.#tell();
    return this.health();
  }

  /** One round. Returns the milliseconds until the next. Never rejects: what fails is noted and tried again. */
  async cycle(signal: AbortSignal): Promise<number> {
    await this.#follow(signal);
    await this.#bringIntoForce();
    // Not waited for: Suido's API may be away, and the proxy's files do not depend on it.
    this.#acknowledging ??= this.#acknowledge().finally(() => (this.#acknowledging = undefined));
    this.#tell();
    return this.#pause();
  }

  health(): Health {
    return judgeHealth(this.#known(), this.#deps.clock());
  }

  metrics(): string {
    return metricsText(this.health(), this.#counts);
  }

  /** Whether the last round fetched and the proxy took over what is in place. */
  get succeeded(): boolean {
    return !this.#faults.has("fetch") && !this.#faults.has("reload");
  }

  async #follow(signal: AbortSignal): Promise<void> {
    try {
      const fetched = await this.#fetch(signal);
      const isNew = fetched !== undefined && this.#take(fetched);
      this.#lastContact = this.#deps.clock();
      this.#failures = 0;
      count(this.#counts.fetches, isNew ? "new" : "unchanged");
      this.#mended("fetch", "Suido is heard again");
    } catch (error) {
      if (signal.aborted) return;
      this.#failures++;
      count(this.#counts.fetches, this.#failed("fetch", error).code);
    }
  }

  /** Both bundles where one of them has changed: only what was fetched together is judged together. */
  async #fetch(signal: AbortSignal): Promise<Fetched | undefined> {
    const { va } = this.#options;
    const base = va.href.endsWith("/") ? va : `${va.href}/`;
    const ask = (name: string, tag?: string): ReturnType<typeof download> =>
      download(new URL(name, base), { signal, ...(tag !== undefined && { tag }) });
    const tags = this.#usableTags();
    const certificates = await ask("ca/bundle.pem", tags?.certificates);
    const lists = await ask("crl/bundle.pem", tags?.lists);
    if (certificates === undefined && lists === undefined) return undefined;
    const both = [
      certificates ?? (await ask("ca/bundle.pem")),
      lists ?? (await ask("crl/bundle.pem")),
    ];
    const [one, other] = both;
    if (one === undefined || other === undefined) return undefined;
    const bundles = { certificates: one.body, lists: other.body };
    const isTagged = one.tag !== undefined && other.tag !== undefined;
    const newTags = isTagged ? { certificates: one.tag, lists: other.tag } : undefined;
    return { bundles, tags: newTags };
  }

  #usableTags(): Tags | undefined {
    const keptUntil = this.#placed?.manifest.keptUntil;
    return keptUntil !== undefined && keptUntil <= this.#deps.clock() ? undefined : this.#tags;
  }

  /** Judges, and puts in place what is new. Returns whether it was. Throws RefusedError. */
  #take({ bundles, tags }: Fetched): boolean {
    const { clock, digest, log, verify } = this.#deps;
    const { folder, leavesOutRevoked = false, roots } = this.#options;
    const placed = this.#placed;
    const marks = placed?.manifest.marks ?? new Map();
    const now = clock();
    const generation = judgeGeneration(
      bundles,
      {
        marks,
        certificates: placed?.manifest.lists.map(({ issuer }) => issuer) ?? [],
        pairs: () => (placed === undefined ? [] : folder.pairs(placed.generation)),
      },
      { roots, now, verify, digest, leavesOutRevoked },
    );
    this.#tags = tags;
    if (placed !== undefined && isSame(generation, placed)) return false;
    const manifest = manifestOf(generation, {
      at: now,
      marks: marksAfter(marks, generation),
      tags,
    });
    const number = folder.place(generation, manifest, this.#state.inForce?.generation);
    this.#placed = { generation: number, manifest };
    const numbers = manifest.lists.map(({ name, number: list }) => `${name} ${list}`);
    log("info", `generation ${number} is in place: ${numbers.join(", ")}`);
    for (const { issuer } of generation.lists.filter((list) =>
      generation.kept.has(list.issuer.sha256),
    ))
      log("warn", `the bundle does not name "${issuer.name}" any more: kept until its list ends`);
    for (const { name } of generation.leftOut)
      log("warn", `"${name}" is revoked by its issuer: left out`);
    return true;
  }

  get #hasProxy(): boolean {
    return this.#options.reload.length > 0 || this.#options.haproxy !== undefined;
  }

  /** Whether the proxy has to be told of what is in place. */
  #isDue(): boolean {
    const { inForce } = this.#state;
    if (this.#placed === undefined) return false;
    if (inForce?.generation !== this.#placed.generation) return true;
    // Put in place by a gate that had nobody to tell.
    return inForce.by === "files" && this.#hasProxy;
  }

  async #bringIntoForce(): Promise<void> {
    const placed = this.#placed;
    if (placed === undefined || !this.#isDue()) return;
    try {
      if (this.#hasProxy) {
        if (!(await this.#tellProxy(placed.generation))) return;
        count(this.#counts.reloads, "done");
      }
      const by = this.#hasProxy ? "proxy" : "files";
      const inForce = { generation: placed.generation, since: this.#deps.clock(), by } as const;
      this.#keep({ ...this.#state, inForce });
      this.#deps.log("info", `generation ${placed.generation} is in force`);
      this.#faults.delete("reload");
    } catch (error) {
      count(this.#counts.reloads, this.#failed("reload", error).code);
    }
  }

  /** Whether the proxy was told; it is not yet where a reload would be too soon. Throws ReloadError. */
  async #tellProxy(generation: number): Promise<boolean> {
    const { folder, haproxy, reload } = this.#options;
    if (haproxy !== undefined) {
      const text = (name: string): string => folder.read(generation, name).toString("latin1");
      const files = { certificates: text(CERTIFICATES_FILE), lists: text(LISTS_FILE) };
      try {
        await tellHaproxy(haproxy, files);
        return true;
      } catch (error) {
        const isTooLarge = error instanceof ReloadError && error.code === "payload-too-large";
        if (!isTooLarge || reload.length === 0) throw error;
      }
    }
    if (this.#untilReload() > 0) return false;
    // Noted before it is tried: a gate that dies of it does not try again at once.
    this.#keep({ ...this.#state, reloadedAt: this.#deps.clock() });
    for (const words of reload) await runCommand(words);
    return true;
  }

  /** Milliseconds until a reload is allowed. A clock that was set back does not hold it up. */
  #untilReload(): number {
    const { reloadedAt } = this.#state;
    if (reloadedAt === undefined) return 0;
    const elapsed = this.#deps.clock().getTime() - reloadedAt.getTime();
    return elapsed < 0 ? 0 : Math.max(0, RELOAD_MS - elapsed);
  }

  #keep(state: GateState): void {
    this.#state = state;
    writeState(this.#options.folder, state);
  }

  async #acknowledge(): Promise<void> {
    const { acknowledgements } = this.#options;
    const { inForce } = this.#known();
    if (acknowledgements === undefined || inForce === undefined) return;
    const { clock } = this.#deps;
    const { generation, lists } = inForce;
    const last = this.#acknowledged;
    const isFresh = last !== undefined && clock().getTime() - last.at.getTime() < ACKNOWLEDGE_MS;
    if (isFresh && last.generation === generation) return;
    try {
      await acknowledge(acknowledgements, lists);
      this.#acknowledged = { generation, at: clock() };
      this.#mended("acknowledge", "Suido takes acknowledgements again");
    } catch (error) {
      this.#failed("acknowledge", error);
    }
  }

  #known(): Known {
    const faults = [...this.#faults.values()].toSorted((a, b) => a.at.getTime() - b.at.getTime());
    const lastError = faults.at(-1);
    return {
      placed: this.#placed,
      inForce: listsInForce(this.#options.folder, this.#state),
      ...(this.#lastContact !== undefined && { lastContact: this.#lastContact }),
      ...(lastError !== undefined && { lastError }),
      ...(this.#acknowledged !== undefined && { acknowledgedAt: this.#acknowledged.at }),
    };
  }

  /** Health and figures as files. What cannot be written is told, and the proxy's files are kept on. */
  #tell(): void {
    const { healthFile, metricsFile } = this.#options;
    try {
      placeFile(healthFile, `${JSON.stringify(this.health(), withoutBigints, 2)}\n`);
      if (metricsFile !== undefined) placeFile(metricsFile, this.metrics());
    } catch (error) {
      this.#deps.log("warn", `health and figures are not written: ${messageOf(error)}`);
    }
  }

  /** Notes a failure, and says it once until it changes. */
  #failed(step: Step, error: unknown): Fault {
    const message = messageOf(error);
    const fault = { code: codeOf(error), message, at: this.#deps.clock() };
    if (this.#faults.get(step)?.message !== message) this.#deps.log("warn", wholeStory(error));
    this.#faults.set(step, fault);
    return fault;
  }

  #mended(step: Step, text: string): void {
    if (this.#faults.delete(step)) this.#deps.log("info", text);
  }

  /** Twice as long after each failure, and never the same for a thousand proxies. */
  #pause(): number {
    const { intervalMs } = this.#options;
    const limit = Math.max(intervalMs, MAX_PAUSE_MS);
    const pause = Math.min(limit, intervalMs * 2 ** Math.min(this.#failures, 16));
    const [dice = 0] = this.#deps.random(1);
    const spread = pause * (0.9 + (0.2 * dice) / 255);
    const untilReload = this.#untilReload();
    return this.#isDue() && untilReload > 0 ? Math.min(spread, untilReload) : spread;
  }
}

/** Whether the same CAs and lists are in place already. */
function isSame({ lists }: Generation, { manifest }: Placed): boolean {
  return (
    lists.length === manifest.lists.length &&
    lists.every(
      ({ issuer, sha256 }, i) =>
        manifest.lists[i]?.issuer === issuer.sha256 &&
        manifest.marks.get(issuer.sha256)?.sha256 === sha256,
    )
  );
}

const messageOf = (error: unknown): string =>
  error instanceof Error ? error.message : String(error);

const isOurs = (error: unknown): error is RefusedError | ReloadError | NotAcknowledgedError =>
  error instanceof RefusedError ||
  error instanceof ReloadError ||
  error instanceof NotAcknowledgedError;

const codeOf = (error: unknown): string => (isOurs(error) ? error.code : "failed");

/** Where the error is none of ours, where it happened: a full disk, or a mistake in this program. */
const wholeStory = (error: unknown): string =>
  isOurs(error) || !(error instanceof Error) ? messageOf(error) : (error.stack ?? error.message);
