import type { CheckContext, ListToCheck } from "../ca/list-check.ts";
import { checkLists } from "../ca/list-check.ts";
import type { CheckPrepared } from "../ca/list-publishing.ts";
import type { Database } from "../storage/database.ts";
import type { System } from "./system.ts";
import { inThread } from "./thread.ts";

const ENTRY = new URL("list-check-worker.ts", import.meta.url);

/** Lists of fewer octets together are checked in place: that takes some tens of milliseconds, a thread takes longer to start. */
const SMALL = 250_000;

/** What a thread is started with; functions do not cross. */
export interface ListCheckJob {
  readonly databaseUrl: string;
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

/** The check of prepared lists, which never holds up for long what else this process does. */
export function createListCheck({
  database,
  databaseUrl,
  gives,
  system,
  smallOctets = SMALL,
}: ListCheckDeps): CheckPrepared {
  return (lists, context) => {
    const octets = lists.reduce((sum, { der }) => sum + der.length, 0);
    if (octets < smallOctets)
      return checkLists(database, lists, { ...context, verify: system.verify });
    const plain = lists.map(({ scope, der }) => ({ scope, der }));
    const job: ListCheckJob = { databaseUrl, lists: plain, context };
    const buffers = new Set(plain.map(({ der }) => der.buffer as ArrayBuffer));
    return inThread(ENTRY, job, gives ? [...buffers] : []);
  };
}
