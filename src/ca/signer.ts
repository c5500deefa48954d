import type { Logger } from "pino";
import type { Serial } from "../pki/serial.ts";
import { ChangeJournal } from "./change-journal.ts";
import { closeLeftovers, unclaimedSerials, WAITS_FOR_ROOT } from "./closing.ts";
import { InvalidStateError, QuarantineError } from "./errors.ts";
import { Generations, type GenerationsDeps } from "./generations.ts";
import { BULK_BATCH, IssueDesk } from "./issue-desk.ts";
import { type ListDeps, ListPress } from "./lists.ts";
import { issueOwn, type OwnDeps } from "./own-certificates.ts";
import { readMark } from "./journal-mark.ts";
import { takeAnswers } from "./root-import.ts";
import type { Verify } from "../pki/crypto.ts";
import type { Database } from "../storage/database.ts";
import {
  type IssueOutcome,
  MOST_WAITING,
  type PreparedLists,
  type SignerClient,
  type SignerStatus,
} from "./signer-client.ts";

/** How often reservations are looked for that nobody asked for. */
const RESERVED_POLL_MS = 200;

/** On it whoever reserves many at once, and asks for none of them, tells the signer. */
export const RESERVED_CHANNEL = "suido_reserved";

/** How often changes are looked for, beside the notifications. */
const CHANGE_POLL_MS = 1000;

/** How often is looked for new issuers and orders about them, beside the notifications. */
const ISSUER_POLL_MS = 5000;

/** How often leftovers are closed. */
const CLOSING_POLL_MS = 60_000;

/** How often answers of root sessions are looked for, of which there are two a year. */
const ANSWER_POLL_MS = 1000;

export interface SignerDeps
  extends
    OwnDeps,
    Pick<GenerationsDeps, "caConfig" | "keyStore" | "vaUrl">,
    Pick<ListDeps, "longOctets"> {
  readonly verify: Verify;
  readonly log: Logger;
}

/** Calls a piece of work again and again, never twice at once. */
class Repeating {
  readonly #work: () => Promise<unknown>;
  readonly #log: Logger;
  readonly #timer: NodeJS.Timeout;
  #running: Promise<void> | undefined;
  #isFailing = false;
  #isStopped = false;

  constructor(work: () => Promise<unknown>, everyMs: number, log: Logger) {
    this.#work = work;
    this.#log = log;
    this.#timer = setInterval(() => void this.now(), everyMs);
  }

  now(): Promise<void> {
    this.#running ??= this.#attempt().finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  /** Once more after what is running now, which may have looked too early. */
  again(): void {
    void this.now().then(() => (this.#isStopped ? undefined : this.now()));
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    clearInterval(this.#timer);
    await this.#running;
  }

  /** What fails is tried again at the next turn. It is told when it begins and when it ends, not five times a second. */
  async #attempt(): Promise<void> {
    try {
      await this.#work();
      if (this.#isFailing) this.#log.info("the signer works again");
      this.#isFailing = false;
    } catch (error) {
      if (!this.#isFailing)
        this.#log.warn({ err: error }, "the signer tries again until it succeeds");
      this.#isFailing = true;
    }
  }
}

/** The signer at work: it alone signs with the CA's keys. */
export class Signer implements SignerClient {
  readonly #deps: SignerDeps;
  readonly #desk: IssueDesk;
  readonly #changes: ChangeJournal;
  readonly #press: ListPress;
  readonly #generations: Repeating;
  readonly #unclaimed: Repeating;
  readonly #timers: readonly Repeating[];
  #isAnnounced = false;
  #isClosing = false;

  private constructor(deps: SignerDeps) {
    this.#deps = deps;
    this.#desk = new IssueDesk(deps);
    this.#changes = new ChangeJournal(deps.database, deps.ledger);
    this.#press = new ListPress(deps);
    const generations = new Generations(deps);
    this.#generations = new Repeating(() => generations.look(), ISSUER_POLL_MS, deps.log);
    this.#unclaimed = new Repeating(() => this.#issueUnclaimed(), RESERVED_POLL_MS, deps.log);
    this.#timers = [
      this.#generations,
      this.#unclaimed,
      new Repeating(() => this.#changes.catchUp(), CHANGE_POLL_MS, deps.log),
      new Repeating(() => this.#close("working"), CLOSING_POLL_MS, deps.log),
      new Repeating(() => takeAnswers(deps), ANSWER_POLL_MS, deps.log),
    ];
  }

  /** Closes what the last run has left behind, and begins to work. */
  static async start(deps: SignerDeps): Promise<Signer> {
    const signer = new Signer(deps);
    await signer.#close("start");
    await signer.#changes.catchUp();
    return signer;
  }

  /** A few serials are people's who wait for them; many are bulk work, and come after those. */
  issue(serials: readonly Serial[]): Promise<readonly IssueOutcome[]> {
    const lane = serials.length <= MOST_WAITING ? "single" : "bulk";
    return Promise.all(serials.map((serial) => this.#desk.issue(serial, lane)));
  }

  journal(changeSeq: bigint): Promise<void> {
    return this.#changes.upTo(changeSeq);
  }

  /** To be called when the database says that something has changed. */
  changed(): void {
    this.#changes.catchUp().catch((error: unknown) => {
      this.#deps.log.warn({ err: error }, "changes are not in the journal yet");
    });
  }

  /** To be called when the database says that issuers, or what operators want of them, have changed. */
  issuersChanged(): void {
    this.#generations.again();
  }

  /** To be called when the database says that there are reservations for which nobody will ask. */
  reserved(): void {
    this.#isAnnounced = true;
    void this.#unclaimed.now();
  }

  async prepareLists(issuerId: string): Promise<PreparedLists> {
    await this.#takeUp(issuerId);
    return this.#press.prepare(issuerId);
  }

  commitLists(batchId: string, sha256: readonly string[]): Promise<void> {
    return this.#press.commit(batchId, sha256);
  }

  async delegate(issuerId: string, spki: Uint8Array): Promise<Uint8Array> {
    await this.#takeUp(issuerId);
    const isRoot = this.#deps.keys.get(issuerId)?.kind === "root";
    return issueOwn(
      { profile: isRoot ? "root-ocsp" : "ocsp", issuerId, commonName: `OCSP ${issuerId}`, spki },
      this.#deps,
    );
  }

  async serverCertificate(spki: Uint8Array, dnsNames: readonly string[]): Promise<Uint8Array> {
    const issuer = this.#deps.keys.active;
    const [commonName] = dnsNames;
    if (issuer === undefined) throw new InvalidStateError("there is no issuing CA at work");
    if (commonName === undefined) throw new InvalidStateError("a server has a name");
    return issueOwn(
      { profile: "server", issuerId: issuer.id, commonName, spki, dnsNames },
      this.#deps,
    );
  }

  async status(): Promise<SignerStatus> {
    const { database, ledger } = this.#deps;
    const { refusal } = ledger;
    return {
      state: "ready",
      ...(refusal !== undefined && {
        detail: `the database refuses what the journal has: ${refusal}`,
      }),
      epoch: ledger.epoch,
      journalId: ledger.journal.id,
      journalSeq: ledger.journal.head.seq,
      journalLag: await this.#changes.lag(),
      reserved: await countReserved(database),
    };
  }

  /** Finishes what is under way, and stops. */
  async close(): Promise<void> {
    this.#isClosing = true;
    for (const timer of this.#timers) await timer.stop();
    this.#press.close();
    await this.#deps.ledger.idle();
    this.#deps.ledger.journal.close();
  }

  /** The row of a new CA is there before this process has opened its key: whoever has read the row asks too early. */
  async #takeUp(issuerId: string): Promise<void> {
    const { keys } = this.#deps;
    if (keys.get(issuerId) === undefined) await keys.reload();
  }

  /** As many as there are, a batch at a time: those that were announced at once, the others when they have waited. */
  async #issueUnclaimed(): Promise<void> {
    for (let taken = BULK_BATCH; taken === BULK_BATCH || this.#isAnnounced;) {
      if (this.#isClosing) return;
      const isAnnounced = this.#isAnnounced;
      this.#isAnnounced = false;
      const serials = await unclaimedSerials(this.#deps, {
        most: BULK_BATCH,
        ...(isAnnounced && { waitedMs: 0 }),
      });
      await Promise.all(serials.map((serial) => this.#desk.issue(serial, "bulk")));
      taken = serials.length;
      this.#isAnnounced ||= isAnnounced && taken === BULK_BATCH;
    }
  }

  async #close(when: "start" | "working"): Promise<void> {
    const { abandoned, revoked } = await closeLeftovers(this.#deps, when);
    if (abandoned + revoked > 0)
      this.#deps.log.info({ abandoned, revoked }, "leftovers are closed");
  }
}

async function countReserved(database: Database): Promise<number> {
  const [row] = await database.query<{ count: number }>(
    `select count(*)::integer as count from ca.issued i where state = 'reserved' and not ${WAITS_FOR_ROOT}`,
  );
  return row?.count ?? 0;
}

/** A signer that does nothing, because journal and database contradict each other in a way that people must judge. */
export function quarantinedSigner(
  database: Database,
  reason: string,
): SignerClient & { changed(): void } {
  const refuse = (): Promise<never> => Promise.reject(new QuarantineError(reason));
  return {
    issue: refuse,
    journal: refuse,
    prepareLists: refuse,
    commitLists: refuse,
    delegate: refuse,
    serverCertificate: refuse,
    changed: () => undefined,
    close: () => Promise.resolve(),
    async status() {
      const mark = await readMark(database);
      return {
        state: "quarantine",
        reason,
        epoch: mark?.epoch ?? 0,
        journalId: mark?.journalId ?? "",
        journalSeq: mark?.head.seq ?? 0n,
        journalLag: 0,
        reserved: await countReserved(database),
      };
    },
  };
}
