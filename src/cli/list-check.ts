import { Worker } from "node:worker_threads";

import type { CheckContext, ListToCheck } from "../ca/list-check.ts";
import { checkLists } from "../ca/list-check.ts";
import type { BeginCheck, BegunCheck } from "../ca/list-publishing.ts";
import type { Database } from "../storage/database.ts";
import type { System } from "./system.ts";
import { answerOf } from "./thread.ts";

const ENTRY = new URL("list-check-worker.ts", import.meta.url);

/** Lists of fewer octets together are checked in place: that takes some tens of milliseconds, a thread takes longer to start. */
const SMALL = 250_000;

/** An entry has so many octets, and is on the full list and on its shard. */
const ENTRY_OCTETS = 2 * 35;

/** What a thread is started with. */
export interface ListCheckStart {
  readonly databaseUrl: string;
  readonly issuerId: string;
}

/** What it is sent then; functions do not cross. */
export interface ListCheckJob {
  readonly lists: readonly ListToCheck[];
  readonly context: Omit<CheckContext, "verify">;
}

export interface ListCheckDeps {
  readonly system: System;
  /** As suido_worker. */
  readonly database: Database;
  readonly databaseUrl: string;
  /** Whether nobody needs the lists' octets here after the check: then a thread gets them, and not a copy. */
  readonly gives: boolean;
  /** Another measure of what is checked in place. */
  readonly smallOctets?: number;
}

/** A thread that reads what it will compare with, and waits for the lists. */
function inThread(start: ListCheckStart, gives: boolean): BegunCheck {
  const thread = new Worker(ENTRY, { workerData: start });
  const answered = answerOf<readonly string[]>(thread, ENTRY);
  // What fails before there are lists is told to whoever brings them.
  answered.catch(() => undefined);
  return {
    finish(lists, context) {
      const plain = lists.map(({ scope, der }) => ({ scope, der }));
      const buffers = new Set(plain.map(({ der }) => der.buffer as ArrayBuffer));
      const job: ListCheckJob = { lists: plain, context };
      thread.postMessage(job, gives ? [...buffers] : []);
      return answered;
    },
    async abandon() {
      await thread.terminate();
    },
  };
}

/** Lists that are short as far as is known: those that turn out to be long get a thread after all. */
function inPlace(
  start: ListCheckStart,
  { database, gives, smallOctets = SMALL, system }: ListCheckDeps,
): BegunCheck {
  let long: BegunCheck | undefined;
  return {
    finish(lists, context) {
      const octets = lists.reduce((sum, { der }) => sum + der.length, 0);
      if (octets < smallOctets)
        return checkLists(database, lists, { ...context, verify: system.verify });
      long = inThread(start, gives);
      return long.finish(lists, context);
    },
    async abandon() {
      await long?.abandon();
    },
  };
}

/** The check of prepared lists, which never holds up for long what else this process does. */
export function createListCheck(deps: ListCheckDeps): BeginCheck {
  const { database, databaseUrl, gives, smallOctets = SMALL } = deps;
  return async (issuerId) => {
    const [current] = await database.query<{ entries: number }>(
      "select entries from ca.list where issuer_id = $1 and scope = 'full' and current",
      [issuerId],
    );
    const start = { databaseUrl, issuerId };
    const isLong = (current?.entries ?? 0) * ENTRY_OCTETS >= smallOctets;
    return isLong ? inThread(start, gives) : inPlace(start, deps);
  };
}
