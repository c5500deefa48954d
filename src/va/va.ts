import { rm } from "node:fs/promises";
import { join } from "node:path";

import type { Clock } from "../pki/clock.ts";
import type { Random, Verify } from "../pki/crypto.ts";
import type { Database } from "../storage/database.ts";
import type { ListenOptions, Listener } from "../storage/listen.ts";
import { openDelegates, type Delegates, type RequestDelegate } from "./delegates.ts";
import type { Issuer } from "./issuer.ts";
import type { ListWork } from "./list-work.ts";
import type { Log } from "./log.ts";
import { isOfAnotherCa } from "./kept-issuers.ts";
import { newOcspCounts, type OcspCounts } from "./ocsp-counts.ts";
import { openRepository, type Repository } from "./repository.ts";
import { createResponder, type Responder } from "./responder.ts";
import { startStatusFeed, type StatusFeed } from "./status-feed.ts";
import type { VaStatus } from "./va-status.ts";

/** Opens the connection that hears notifications, as suido_va. */
export type Subscribe = (
  subscription: Pick<ListenOptions, "channels" | "onNotify" | "onConnect" | "onError">,
) => Listener;

export interface VaDeps {
  /** As suido_va. */
  readonly database: Pick<Database, "query" | "transaction">;
  readonly subscribe: Subscribe;
  readonly requestDelegate: RequestDelegate;
  /** The VA's own folder, `<data>/va`. */
  readonly folder: string;
  /** Of several processes that share port and folder which one this is; the first, 1, keeps what is known on disk. */
  readonly number?: number;
  readonly maxStaleMs: number;
  readonly clock: Clock;
  readonly random: Random;
  readonly verify: Verify;
  readonly log: Log;
  /** Does in another thread what takes long with long lists. */
  readonly apart?: ListWork;
}

/** Why the VA cannot answer as it should; none means ready. */
export type NotReady = "no-issuer" | "no-delegate" | "status-unknown" | "status-too-old";

/** Everything that relying parties read. */
export interface Va {
  readonly responder: Responder;
  readonly repository: Repository;
  /** The status of every certificate, for others of this process. */
  readonly feed: Pick<StatusFeed, "index" | "known" | "lookUp">;
  /** Counted by whoever sends the answers. */
  readonly counts: OcspCounts;
  /** Why it cannot answer as it should; none means ready. */
  notReady(): readonly NotReady[];
  ready(): boolean;
  status(): VaStatus;
  /** Compares the status in memory with the database, as is done every five minutes. */
  compare(): Promise<"same" | "different">;
  /** Writes what is known now for a process that begins with it. */
  save(): Promise<void>;
  /** Stops, and leaves on disk what a start without the database needs. */
  close(): Promise<void>;
}

const CHANGES = "suido_change";
const LISTS = "suido_list";
const ISSUERS = "suido_issuer";

/** Opens the VA. It answers from its disk's copies while the database and the signer are away. */
export async function createVa(deps: VaDeps): Promise<Va> {
  const { clock, folder, log, maxStaleMs, random, verify } = deps;
  const { database, number = 1, requestDelegate: request, subscribe } = deps;
  const keeps = number === 1;
  const ownFolder = keeps ? folder : join(folder, String(number));
  const snapshotFile = join(folder, "status.snapshot");
  if (keeps && (await isOfAnotherCa(database, folder))) {
    log.warn("what is kept on disk belongs to another CA of the same name and is not used");
    await rm(snapshotFile, { force: true });
  }
  const delegates = await openDelegates({ folder, ownFolder, request, clock, random, log });
  const feed = await startStatusFeed({ database, snapshotFile, keeps, clock, log });
  const responder = createResponder({
    index: feed.index,
    known: () => feed.known(),
    lookUp: feed.lookUp,
    delegate: (issuerId) => delegates.current(issuerId),
    clock,
    maxStaleMs,
    onError: (error) => log.error({ err: error }, "an OCSP request could not be answered"),
  });
  const onIssuers = async (issuers: readonly Issuer[]): Promise<void> => {
    // One that has ended answers for nothing any more: all that it issued has expired.
    const live = issuers.filter(({ state }) => state !== "ended");
    responder.setIssuers(live);
    await delegates.setIssuers(live);
  };
  const repository = await openRepository({
    database,
    folder,
    keeps,
    clock,
    verify,
    log,
    onIssuers,
    ...(deps.apart !== undefined && { apart: deps.apart }),
  });
  const listener = hear(subscribe, { feed, repository, log });
  const counts = newOcspCounts();
  const parts: Parts = { clock, counts, delegates, feed, maxStaleMs, repository, responder };
  return {
    responder,
    repository,
    feed,
    counts,
    notReady: () => notReady(parts),
    ready: () => notReady(parts).length === 0,
    status: () => statusOf(parts),
    compare: () => feed.compare(),
    save: () => feed.save(),
    close: async () => {
      await listener.close();
      await Promise.all([repository.close(), delegates.close(), feed.close()]);
    },
  };
}

/** What is announced is looked for at once; polling finds it anyway. */
function hear(
  subscribe: Subscribe,
  { feed, log, repository }: Pick<Parts, "feed" | "repository"> & Pick<VaDeps, "log">,
): Listener {
  return subscribe({
    channels: [CHANGES, LISTS, ISSUERS],
    onNotify: (channel) => (channel === CHANGES ? feed.poll() : void repository.poll()),
    onConnect: () => {
      feed.poll();
      void repository.poll();
    },
    onError: (error) => log.warn({ err: error }, "notifications are not heard: polling goes on"),
  });
}

interface Parts {
  readonly clock: Clock;
  readonly counts: OcspCounts;
  readonly delegates: Delegates;
  readonly feed: StatusFeed;
  readonly maxStaleMs: number;
  readonly repository: Repository;
  readonly responder: Responder;
}

function notReady({ clock, delegates, feed, maxStaleMs, repository }: Parts): NotReady[] {
  const now = clock();
  const reasons: NotReady[] = [];
  const issuing = repository
    .issuers()
    .filter(
      ({ kind, state, notAfter }) => kind === "issuing" && state !== "ended" && notAfter > now,
    );
  if (issuing.length === 0) reasons.push("no-issuer");
  const signable = ({ id }: Issuer): boolean => (delegates.current(id)?.notAfter ?? now) > now;
  if (!issuing.every(signable)) reasons.push("no-delegate");
  const known = feed.known();
  if (known === undefined) reasons.push("status-unknown");
  else if (now.getTime() - known > maxStaleMs) reasons.push("status-too-old");
  return reasons;
}

function statusOf(parts: Parts): VaStatus {
  const { counts, delegates, feed, repository, responder } = parts;
  const reasons = notReady(parts);
  const known = feed.known();
  return {
    ready: reasons.length === 0,
    reasons,
    processes: { count: 1, ready: reasons.length === 0 ? 1 : 0 },
    certificates: feed.index.size,
    knownAt: known === undefined ? undefined : new Date(known),
    statusOctets: feed.index.octets,
    cachedAnswers: responder.cached(),
    answers: { ...counts },
    issuers: repository.issuers().map(({ id }) => ({
      id,
      delegateFrom: delegates.current(id)?.notBefore,
      delegateUntil: delegates.current(id)?.notAfter,
    })),
    lists: repository.lists().map(({ issuerId, nextUpdate, number, scope, thisUpdate }) => ({
      issuerId,
      scope,
      number,
      thisUpdate,
      nextUpdate,
    })),
  };
}
